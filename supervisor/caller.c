/* caller.c - the other end of the control socket: asks a running ostlerd. */
#include "supervisor/caller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "supervisor/address.h"

#define PATIENCE_SECONDS 10
#define ANSWER_MOST      (16 << 20)

static enum call_result blame(struct arena *arena, struct call *call, const char *path)
{
	call->wrong = arena_print(arena, "%s: %s", path, strerror(errno));
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		call->wrong = arena_print(arena, "no ostlerd runs at %s", path);
		return CALL_NOBODY;
	case EACCES:
	case EPERM:
		call->wrong = arena_print(
		    arena, "%s belongs to another user: be that user, or root", path);
		return CALL_FORBIDDEN;
	case EAGAIN:
		call->wrong = arena_print(arena, "the ostlerd at %s does not answer", path);
		return CALL_FAILED;
	default:
		return CALL_FAILED;
	}
}

/* Held from before the question is put, so that it cannot come to mean a later process. */
static int process_behind(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0)
		return -1;
	return pidfd_open(peer.pid, 0);
}

/* The master reads one line and answers one line, so both can be done without a loop of events. */
static bool send_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		text += sent;
		length -= (size_t)sent;
	}
	return true;
}

static bool receive_all(struct arena *arena, int fd, struct call *call)
{
	struct buffer answer;
	ssize_t got;

	buffer_start(&answer, arena, 8192);
	do {
		buffer_make_room(&answer, 4096);
		got = recv(fd, answer.data + answer.length, answer.room - answer.length - 1, 0);
		answer.length += got > 0 ? (size_t)got : 0;
	} while (got > 0 && answer.length < ANSWER_MOST);
	answer.data[answer.length] = '\0';
	call->text = answer.data;
	call->length = answer.length;
	if (got == 0 && answer.length == 0)
		errno = ECONNRESET;
	return got == 0 && answer.length > 0;
}

static bool converse(struct arena *arena, int fd, const char *verb, struct call *call)
{
	char *request = wire_request(verb);
	bool done = send_all(fd, request) && receive_all(arena, fd, call);

	free(request);
	return done;
}

enum call_result caller_ask(
    struct arena *arena, const char *path, const char *verb, struct call *call)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	enum call_result result = CALL_ANSWERED;
	struct address address;
	int fd;

	*call = (struct call){ .process = -1 };
	if (strlen(path) > ADDRESS_PATH_MAX) {
		call->wrong = "the path of a socket can have 107 bytes at most";
		return CALL_FAILED;
	}
	address_of_path(path, &address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return blame(arena, call, path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address.socket, address.length) == 0)
		call->process = process_behind(fd);
	else
		result = blame(arena, call, path);
	if (result == CALL_ANSWERED && !converse(arena, fd, verb, call))
		result = blame(arena, call, path);
	close(fd);
	return result;
}

bool caller_wait_for_end(const struct call *call)
{
	struct pollfd end = { .fd = call->process, .events = POLLIN };

	if (call->process < 0)
		return false;
	while (poll(&end, 1, -1) < 0)
		if (errno != EINTR)
			return false;
	return true;
}
