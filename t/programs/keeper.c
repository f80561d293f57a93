/*
 * keeper.c - a FastCGI program that keeps its connection and waits for it in the way its argument
 * names.
 *
 * It speaks the protocol by itself, for libfcgi only knows read(2).  Ways: read, readv, recv,
 * recvmsg and recvmmsg wait in the call that takes the bytes; poll, ppoll, select, pselect, epoll,
 * epoll_pwait and epoll_pwait2 wait in that call, and then take them by recv.  /sleep never
 * answers, /spin computes for ever; anything else is answered with the process id at once.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, BODY = 5, ANSWER = 6 };

static const char *way;

static int is_way(const char *name)
{
	return strcmp(way, name) == 0;
}

/* epoll_pwait2(2) is younger than this libc's wrappers may be. */
static void wait_in_epoll(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int set = epoll_create1(0);

	epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
	if (is_way("epoll"))
		epoll_wait(set, &event, 1, -1);
	else if (is_way("epoll_pwait"))
		epoll_pwait(set, &event, 1, -1, NULL);
	else
		syscall(SYS_epoll_pwait2, set, &event, 1, NULL, NULL, (size_t)0);
	close(set);
}

static void wait_for(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	if (is_way("poll"))
		poll(&polled, 1, -1);
	else if (is_way("ppoll"))
		ppoll(&polled, 1, NULL, NULL);
	else if (is_way("select"))
		select(fd + 1, &set, NULL, NULL, NULL);
	else if (is_way("pselect"))
		pselect(fd + 1, &set, NULL, NULL, NULL, NULL);
	else if (strncmp(way, "epoll", 5) == 0)
		wait_in_epoll(fd);
}

static ssize_t take_some(int fd, char *bytes, size_t length)
{
	struct iovec vector = { bytes, length };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &vector, .msg_iovlen = 1 } };

	wait_for(fd);
	if (is_way("read"))
		return read(fd, bytes, length);
	if (is_way("readv"))
		return readv(fd, &vector, 1);
	if (is_way("recvmsg"))
		return recvmsg(fd, &message.msg_hdr, 0);
	if (is_way("recvmmsg"))
		return recvmmsg(fd, &message, 1, 0, NULL) == 1 ? (ssize_t)message.msg_len : -1;
	return recv(fd, bytes, length, 0);
}

static int take(int fd, char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t got = take_some(fd, bytes, length);

		if (got <= 0)
			return 0;
		bytes += got;
		length -= (size_t)got;
	}
	return 1;
}

static size_t record(char *out, int type, const char *content, size_t length)
{
	const char head[8] = { 1, (char)type, 0, 1, (char)(length >> 8), (char)length, 0, 0 };

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), content, length);
	return sizeof(head) + length;
}

static int answer(int fd)
{
	char text[64], out[256];
	int length = snprintf(
	    text, sizeof(text), "Content-Type: text/plain\r\n\r\n%d", (int)getpid());
	size_t size = record(out, ANSWER, text, (size_t)length);

	size += record(out + size, ANSWER, "", 0);
	size += record(out + size, END_REQUEST, "\0\0\0\0\0\0\0", 8);
	return send(fd, out, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Returns whether the connection is to be kept. */
static int serve(int fd)
{
	static char content[65536 + 256];
	unsigned char head[8];
	int keep = 0, sleeps = 0, spins = 0;

	for (;;) {
		size_t length;

		if (!take(fd, (char *)head, sizeof(head)))
			return 0;
		length = (size_t)head[4] << 8 | head[5];
		if (!take(fd, content, length + head[6]))
			return 0;
		if (head[1] == BEGIN_REQUEST)
			keep = content[2] & 1;
		sleeps |= head[1] == PARAMS && memmem(content, length, "/sleep", 6) != NULL;
		spins |= head[1] == PARAMS && memmem(content, length, "/spin", 5) != NULL;
		if (head[1] == BODY && length == 0)
			break;
	}
	while (sleeps)
		pause();
	while (spins)
		continue;
	return answer(fd) && keep;
}

int main(int argc, char **argv)
{
	int fd;

	way = argc > 1 ? argv[1] : "read";
	while ((fd = accept(0, NULL, NULL)) >= 0) {
		while (serve(fd))
			continue;
		close(fd);
	}
	return 0;
}
