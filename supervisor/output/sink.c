/* sink.c - where lines go, without ever waiting: files, and standard error. */
#include "supervisor/output/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/system/loop.h"
#include "supervisor/upgrade/state.h"

#define ROOM         65536
#define TRY_AGAIN    (SECOND_US / 2)
#define PIPE_AT_ONCE 4096 /* what poll(2) promises a pipe has room for: pipe(7) */

/* How a descriptor is written to without waiting. */
enum manner {
	MANNER_FILE,   /* a regular file never makes us wait for a reader */
	MANNER_OWN,    /* opened anew, without blocking, for us alone */
	MANNER_SHARED, /* others use its description: O_NONBLOCK would be theirs, too */
	MANNER_SOCKET,
};

struct sink {
	struct sink *next;
	char *path; /* NULL: standard error */
	size_t users;
	int fd; /* -1: could not be opened */
	enum manner manner;
	int error;
	unsigned long long lost;
	size_t length;
	char text[ROOM];
};

/* One set for the program: lines of all workers and our own may meet in one file. */
static struct sink *sinks;
static struct sink *log_sink;

/* Nobody else may write behind our back through a link, and a terminal must not become ours. */
static int open_file(const char *path)
{
	return descriptor_raise(open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640));
}

static void open_standard_error(struct sink *sink)
{
	struct stat about;
	int own;

	sink->fd = STDERR_FILENO;
	sink->manner = MANNER_FILE;
	if (fstat(STDERR_FILENO, &about) < 0 || S_ISREG(about.st_mode))
		return;
	sink->manner = S_ISSOCK(about.st_mode) ? MANNER_SOCKET : MANNER_SHARED;
	if (sink->manner == MANNER_SOCKET)
		return;
	own = descriptor_raise(
	    open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
	if (own < 0)
		return;
	sink->fd = own;
	sink->manner = MANNER_OWN;
}

static struct sink *add(const char *path)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (sink == NULL)
		die("out of memory for output");
	sink->path = path != NULL ? strdup(path) : NULL;
	sink->next = sinks;
	sinks = sink;
	return sink;
}

static struct sink *make(const char *path)
{
	struct sink *sink = add(path);

	if (path == NULL) {
		open_standard_error(sink);
		return sink;
	}
	sink->fd = open_file(path);
	sink->error = sink->fd < 0 ? errno : 0;
	return sink;
}

static struct sink *find(const char *path)
{
	struct sink *sink = sinks;

	while (sink != NULL && (path == NULL ? sink->path != NULL
					     : sink->path == NULL || strcmp(sink->path, path) != 0))
		sink = sink->next;
	return sink != NULL ? sink : make(path);
}

struct sink *sink_take(const char *path)
{
	struct sink *sink = path == NULL && log_sink != NULL ? log_sink : find(path);

	sink->users++;
	return sink;
}

void sink_give_back(struct sink **given)
{
	struct sink *sink = *given;
	struct sink **link = &sinks;

	*given = NULL;
	if (sink == NULL || --sink->users > 0)
		return;
	sink_flush(sink);
	while (*link != sink)
		link = &(*link)->next;
	*link = sink->next;
	if (sink->fd > STDERR_FILENO)
		close(sink->fd);
	free(sink->path);
	free(sink);
}

static ssize_t write_some(const struct sink *sink, const char *text, size_t length)
{
	struct pollfd room = { .fd = sink->fd, .events = POLLOUT };

	switch (sink->manner) {
	case MANNER_SOCKET:
		return send(sink->fd, text, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	case MANNER_SHARED:
		errno = EAGAIN;
		if (poll(&room, 1, 0) <= 0)
			return -1;
		return write(sink->fd, text, length < PIPE_AT_ONCE ? length : PIPE_AT_ONCE);
	case MANNER_FILE:
	case MANNER_OWN:
		break;
	}
	return write(sink->fd, text, length);
}

static size_t count_lines(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

/* A full disk may have room again; what cannot be written at all is not kept. */
static void suffer(struct sink *sink, int error)
{
	sink->error = error;
	if (error == EAGAIN || error == EINTR || error == ENOSPC || error == EDQUOT ||
	    error == EFBIG)
		return;
	sink->lost += count_lines(sink->text, sink->length);
	sink->length = 0;
}

void sink_flush(struct sink *sink)
{
	size_t done = 0;

	if (sink->fd < 0 && sink->path != NULL && sink->length > 0) {
		sink->fd = open_file(sink->path);
		sink->error = sink->fd < 0 ? errno : 0;
	}
	while (sink->fd >= 0 && done < sink->length) {
		ssize_t wrote = write_some(sink, sink->text + done, sink->length - done);

		if (wrote <= 0) {
			suffer(sink, wrote < 0 ? errno : ENOSPC);
			break;
		}
		sink->error = 0;
		done += (size_t)wrote;
	}
	if (done < sink->length)
		memmove(sink->text, sink->text + done, sink->length - done);
	sink->length = sink->length > done ? sink->length - done : 0;
}

bool sink_line(struct sink *sink, const char *text, size_t length)
{
	if (sink->length + length > ROOM)
		sink_flush(sink);
	if (sink->length + length > ROOM) {
		sink->lost++;
		return false;
	}
	memcpy(sink->text + sink->length, text, length);
	sink->length += length;
	return true;
}

unsigned long long sink_lost(struct sink *sink)
{
	unsigned long long lost = sink->lost;

	if (lost == 0 || sink->length > ROOM / 2)
		return 0;
	sink->lost = 0;
	return lost;
}

const char *sink_path(const struct sink *sink)
{
	return sink->path;
}

int sink_error(const struct sink *sink)
{
	return sink->error;
}

int64_t sinks_flush(int64_t now)
{
	int64_t next = LOOP_FOREVER;

	for (struct sink *sink = sinks; sink != NULL; sink = sink->next) {
		if (sink->length > 0)
			sink_flush(sink);
		if (sink->length > 0)
			next = now + TRY_AGAIN;
	}
	return next;
}

/* The old file is kept when the new one cannot be had: lines in the wrong place are not lost. */
size_t sinks_reopen(void)
{
	size_t failed = 0;

	for (struct sink *sink = sinks; sink != NULL; sink = sink->next) {
		int fd;

		if (sink->path == NULL)
			continue;
		sink_flush(sink);
		fd = open_file(sink->path);
		if (fd < 0) {
			log_warn("cannot open %s anew: %s", sink->path, strerror(errno));
			failed++;
			continue;
		}
		if (sink->fd >= 0)
			close(sink->fd);
		sink->fd = fd;
	}
	return failed;
}

static void take_log_line(const char *line, size_t length)
{
	unsigned long long lost = sink_lost(log_sink);
	int saved = errno; /* whoever logs may look at it afterwards */

	if (lost > 0)
		log_warn("%llu lines are missing here: they could not be written", lost);
	sink_line(log_sink, line, length);
	sink_flush(log_sink);
	errno = saved;
}

bool sinks_take_log(const char *path)
{
	log_sink = sink_take(path);
	log_divert(take_log_line);
	errno = log_sink->error;
	return log_sink->fd >= 0;
}

void sinks_leave_log(void)
{
	int fd = log_sink != NULL && log_sink->path != NULL ? open_file(log_sink->path) : -1;

	if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0)
		close(fd);
	log_divert(NULL);
}

/* --- from one master to the next --- */

#define SINKS_MOST 65536

/* Standard error is opened anew; a file that was moved away stays the one that is written to. */
static void pass(struct state *state, struct sink *sink)
{
	int fd = state_descriptor(state, "file", sink->path != NULL ? sink->fd : -1);

	if (state_is_read(state) && sink->path != NULL)
		sink->fd = fd;
	sink->lost = (unsigned long long)state_number(
	    state, "lost", (long long)sink->lost, 0, LLONG_MAX);
	state_bytes(state, "text", sink->text, &sink->length, ROOM);
}

static void write_all(struct state *state)
{
	size_t count = 0;

	for (const struct sink *sink = sinks; sink != NULL; sink = sink->next)
		count++;
	state_count(state, "files", count, SINKS_MOST);
	for (struct sink *sink = sinks; sink != NULL; sink = sink->next) {
		state_text(state, NULL, "path", sink->path);
		pass(state, sink);
	}
}

void sinks_pass(struct state *state)
{
	struct arena *arena;

	state_part(state, "output");
	if (!state_is_read(state)) {
		write_all(state);
		return;
	}
	arena = arena_new(4096);
	for (size_t count = state_count(state, "files", 0, SINKS_MOST); count > 0; count--) {
		const char *path = state_text(state, arena, "path", NULL);

		if (state_wrong(state) != NULL)
			break;
		pass(state, path != NULL ? add(path) : find(NULL));
	}
	arena_free(&arena);
}

void sinks_close_unused(void)
{
	struct sink *next;

	for (struct sink *sink = sinks; sink != NULL; sink = next) {
		next = sink->next;
		sink->users++;
		sink_give_back(&sink);
	}
}
