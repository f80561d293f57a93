/* caller.c - the other end of the control socket: asks a running ostlerd. */
#include "supervisor/ctl/caller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "supervisor/system/address.h"

#define PATIENCE_SECONDS 10
#define ASK_TIMES        5
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

/*
 * The master reads one line and answers one line, so both can be done without a loop of events.
 * With a limit of time a call ends with EINTR when ostlerctl was stopped and goes on (Ctrl-Z, fg):
 * signal(7).
 */
static bool send_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return false;
		text += sent > 0 ? sent : 0;
		length -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/* An interrupted one has left nothing under way on a unix socket. */
static bool join(int fd, const struct address *address)
{
	int result;

	do
		result = connect(fd, (const struct sockaddr *)&address->socket, address->length);
	while (result < 0 && errno == EINTR);
	return result == 0;
}

static ssize_t receive(int fd, void *bytes, size_t room)
{
	ssize_t got;

	do
		got = recv(fd, bytes, room, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool receive_all(struct arena *arena, int fd, struct call *call)
{
	struct buffer answer;
	ssize_t got;

	buffer_start(&answer, arena, 8192);
	do {
		buffer_make_room(&answer, 4096);
		got = receive(fd, answer.data + answer.length, answer.room - answer.length - 1);
		answer.length += got > 0 ? (size_t)got : 0;
	} while (got > 0 && answer.length < ANSWER_MOST);
	answer.data[answer.length] = '\0';
	call->text = answer.data;
	call->length = answer.length;
	if (got == 0 && answer.length == 0)
		errno = ECONNRESET;
	return got == 0 && answer.length > 0;
}

static bool put(int fd, const struct wire_request *request)
{
	char *line = wire_request(request);
	bool done = send_all(fd, line);

	free(line);
	return done;
}

/* A connection on which the question has been put, or -1: *RESULT and the call say why. */
static int connect_and_ask(struct arena *arena, const char *path,
    const struct wire_request *request, struct call *call, enum call_result *result)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	struct address address;
	int fd;

	*call = (struct call){ .process = -1 };
	*result = CALL_FAILED;
	if (strlen(path) > ADDRESS_PATH_MAX) {
		call->wrong = "the path of a socket can have 107 bytes at most";
		return -1;
	}
	address_of_path(path, &address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	}
	if (fd >= 0 && join(fd, &address) && (call->process = process_behind(fd), put(fd, request)))
		return fd;
	*result = blame(arena, call, path);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* *UNHEARD: it ended without an answer. */
static enum call_result ask_once(struct arena *arena, const char *path,
    const struct wire_request *request, struct call *call, bool *unheard)
{
	enum call_result result;
	int fd = connect_and_ask(arena, path, request, call, &result);
	bool answered;

	*unheard = fd < 0 && result == CALL_FAILED && errno == EPIPE;
	if (fd < 0)
		return result;
	answered = receive_all(arena, fd, call);
	*unheard = !answered && call->length == 0 && errno == ECONNRESET;
	result = answered ? CALL_ANSWERED : blame(arena, call, path);
	close(fd);
	return result;
}

/*
 * In a crowd the master gives our place to another before it has read what we
 * ask: an end without an answer means that nothing was done, so we ask again.
 */
enum call_result caller_ask(
    struct arena *arena, const char *path, const struct wire_request *request, struct call *call)
{
	enum call_result result = CALL_FAILED;
	bool unheard = true;

	for (int times = 0; times < ASK_TIMES && result == CALL_FAILED && unheard; times++) {
		if (times > 0 && call->process >= 0)
			close(call->process);
		result = ask_once(arena, path, request, call, &unheard);
	}
	return result;
}

/* Tells all whole lines of the text.  Returns the bytes told; *WANTS turns false on refusal. */
static size_t tell_lines(const struct hearer *hearer, const char *text, size_t length, bool *wants)
{
	size_t told = 0;
	const char *end;

	while (*wants && (end = memchr(text + told, '\n', length - told)) != NULL) {
		*wants = hearer->hear(hearer->owner, text + told, (size_t)(end - text) - told);
		told = (size_t)(end - text) + 1;
	}
	return told;
}

static enum call_result receive_lines(int fd, const struct hearer *hearer)
{
	struct arena *arena = arena_new(65536);
	struct buffer line;
	bool wants = true;
	ssize_t got = 1;

	buffer_start(&line, arena, 65536);
	while (wants && got > 0 && line.length < ANSWER_MOST) {
		size_t told;

		buffer_make_room(&line, 4096);
		got = receive(fd, line.data + line.length, line.room - line.length);
		line.length += got > 0 ? (size_t)got : 0;
		told = tell_lines(hearer, line.data, line.length, &wants);
		line.length -= told;
		memmove(line.data, line.data + told, line.length);
	}
	arena_free(&arena);
	return !wants || got == 0 ? CALL_ANSWERED : CALL_FAILED;
}

enum call_result caller_listen(struct arena *arena, const char *path,
    const struct wire_request *request, const struct hearer *hearer, struct call *call)
{
	const struct timeval forever = { .tv_sec = 0 };
	enum call_result result;
	int fd = connect_and_ask(arena, path, request, call, &result);

	if (fd < 0)
		return result;
	if (request->follow || request->until[0] != '\0')
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	result = receive_lines(fd, hearer);
	if (result != CALL_ANSWERED)
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
