/* capture.c - what workers print: taken from a pipe, cut into lines, passed on. */
#include "supervisor/output/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/output/last_words.h"
#include "supervisor/output/lines.h"
#include "supervisor/output/print.h"
#include "supervisor/output/recent.h"
#include "supervisor/output/sink.h"
#include "supervisor/pool/pool.h"
#include "supervisor/record/events.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/upgrade/state.h"

#define AT_ONCE      16384
#define READS_A_TURN 4  /* then others have their turn */
#define READS_AT_END 64 /* what a dead worker can have left, and some more */
#define ORPHANS_MOST 64

struct capture {
	struct watch watch;
	struct captures *all;
	struct capture *next; /* among the orphans */
	struct sink *sink;
	enum print_form form;
	struct event about;          /* the worker, for events and attribution */
	bool losing;                 /* lines were lost, and how many is not told yet */
	struct capture *next_losing; /* among those */
	struct lines lines;
	struct last_words last;
};

struct captures {
	struct loop *loop;
	struct capture *orphans; /* newest first */
	struct capture *losing;
};

struct captures *captures_new(struct arena *arena, struct loop *loop)
{
	struct captures *captures = arena_alloc(arena, sizeof(*captures));

	captures->loop = loop;
	return captures;
}

/* --- lines ------------------------------------------------------------------------------------ */

const char *capture_last(const struct capture *capture, size_t index)
{
	return capture != NULL ? last_words_get(&capture->last, index) : NULL;
}

static void list_as_losing(struct capture *capture, bool losing)
{
	struct capture **link = &capture->all->losing;

	capture->losing = losing;
	if (losing) {
		capture->next_losing = *link;
		*link = capture;
		return;
	}
	while (*link != capture)
		link = &(*link)->next_losing;
	*link = capture->next_losing;
}

/* The recorder hears of the first line lost, and of how many it were when it is over. */
static void note_loss(struct capture *capture, bool lost)
{
	unsigned long long count = sink_lost(capture->sink);
	struct event event = capture->about;

	if (!lost && count == 0 && sink_error(capture->sink) != 0)
		return; /* it is not over */
	event.kind = EVENT_OUTPUT_LOST;
	if (lost && !capture->losing)
		event_say(&event, "lines are lost: %s", strerror(sink_error(capture->sink)));
	else if (count > 0)
		event_say(&event, "%llu lines were lost", count);
	if (event.text[0] != '\0')
		event_record(&event);
	if (count > 0)
		print_loss(capture->sink, capture->form, count);
	if (capture->losing != lost)
		list_as_losing(capture, lost);
}

void captures_tell_losses(struct captures *captures)
{
	struct capture *next;

	for (struct capture *capture = captures->losing; capture != NULL; capture = next) {
		next = capture->next_losing;
		note_loss(capture, false);
		sink_flush(capture->sink);
	}
}

/* A line, or a piece of one that GOES_ON. */
static void pass_on(void *owner, const char *text, size_t length, bool goes_on)
{
	struct capture *capture = owner;
	struct recent_line line = {
		.wall = clock_wall(),
		.slot = capture->about.slot,
		.pid = capture->about.pid,
		.goes_on = goes_on,
		.length = length,
	};

	snprintf(line.pool, sizeof(line.pool), "%s", capture->about.pool);
	recent_add(&line, text);
	last_words_add(&capture->last, text, length);
	if (capture->losing)
		note_loss(capture, false);
	if (!print_line(capture->sink, capture->form, &line, text))
		note_loss(capture, true);
}

/* --- pipes ------------------------------------------------------------------------------------ */

static void close_pipe(struct capture *capture)
{
	if (capture->watch.fd < 0)
		return;
	loop_drop(capture->all->loop, &capture->watch);
	close(capture->watch.fd);
	capture->watch.fd = -1;
}

static void discard(struct capture *capture)
{
	close_pipe(capture);
	lines_end(&capture->lines);
	sink_flush(capture->sink);
	note_loss(capture, false); /* nobody else may come to tell of it */
	if (capture->losing)
		list_as_losing(capture, false);
	sink_give_back(&capture->sink);
	free(capture);
}

static void drop_orphan(struct capture *capture)
{
	struct capture **link = &capture->all->orphans;

	while (*link != NULL && *link != capture)
		link = &(*link)->next;
	if (*link == NULL)
		return; /* its worker lives, and closed its output */
	*link = capture->next;
	discard(capture);
}

/* Returns whether the pipe has come to its end. */
static bool read_some(struct capture *capture, int times)
{
	char bytes[AT_ONCE];

	while (times-- > 0) {
		ssize_t got = read(capture->watch.fd, bytes, sizeof(bytes));

		if (got == 0)
			return true;
		if (got < 0)
			return errno != EAGAIN && errno != EINTR;
		lines_take(&capture->lines, bytes, (size_t)got);
	}
	return false;
}

static void something_is_printed(struct watch *watch, uint32_t events)
{
	struct capture *capture = watch->owner;
	bool ended = read_some(capture, READS_A_TURN);

	(void)events;
	sink_flush(capture->sink);
	if (!ended)
		return;
	close_pipe(capture);
	lines_end(&capture->lines);
	drop_orphan(capture);
}

static bool open_pipe(struct capture *capture, int *write_end)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	/* Only our end: whether writes wait is a property of the worker's. */
	capture->watch.fd = descriptor_raise(ends[0]);
	*write_end = descriptor_raise(ends[1]);
	if (capture->watch.fd >= 0 && *write_end >= 0 &&
	    fcntl(capture->watch.fd, F_SETFL, O_NONBLOCK) == 0 &&
	    loop_add(capture->all->loop, &capture->watch, EPOLLIN))
		return true;
	if (*write_end >= 0)
		close(*write_end);
	if (capture->watch.fd >= 0)
		close(capture->watch.fd);
	return false;
}

static void set_up(struct captures *captures, struct capture *capture)
{
	capture->all = captures;
	capture->watch = (struct watch){ .fd = -1, .act = something_is_printed, .owner = capture };
	capture->lines.hear = pass_on;
	capture->lines.owner = capture;
}

struct capture *capture_open(struct captures *captures, const struct worker *worker, int *write_end)
{
	const struct pool_conf *conf = worker_conf(worker);
	const struct identity *who = &worker->generation->plan.who;
	struct capture *capture = calloc(1, sizeof(*capture));
	int error;

	if (capture == NULL)
		return NULL;
	set_up(captures, capture);
	capture->about = event_of_worker(EVENT_OUTPUT_LOST, worker);
	if (!open_pipe(capture, write_end)) {
		error = errno;
		free(capture);
		errno = error;
		return NULL;
	}
	/* A program that opens /dev/stderr opens the pipe anew, by the rights of its own user. */
	if (who->differs && fchown(*write_end, who->uid, who->gid) < 0)
		log_warn("%s: cannot give it its output: %s", worker->name, strerror(errno));
	capture->form = print_form_of(conf->output_format, conf->output != NULL);
	capture->sink = sink_take(conf->output);
	return capture;
}

void capture_begins(struct capture *capture, pid_t pid)
{
	capture->about.pid = pid;
}

void capture_forget(struct capture **capture)
{
	discard(*capture);
	*capture = NULL;
}

void capture_drain(struct capture *capture)
{
	if (capture == NULL)
		return;
	if (capture->watch.fd >= 0 && read_some(capture, READS_AT_END))
		close_pipe(capture);
	lines_end(&capture->lines);
	sink_flush(capture->sink);
}

/* Closing the oldest ends it, should it print once more: better than to run out of descriptors. */
static void limit_orphans(struct captures *captures)
{
	struct capture **link = &captures->orphans;
	struct capture *oldest;

	for (size_t i = 0; i < ORPHANS_MOST && *link != NULL; i++)
		link = &(*link)->next;
	oldest = *link;
	if (oldest == NULL)
		return;
	*link = oldest->next;
	discard(oldest);
}

void capture_leave(struct capture **left)
{
	struct capture *capture = *left;

	*left = NULL;
	if (capture == NULL)
		return;
	if (capture->watch.fd < 0) {
		discard(capture);
		return;
	}
	capture->next = capture->all->orphans;
	capture->all->orphans = capture;
	limit_orphans(capture->all);
}

void captures_close(struct captures **captures)
{
	struct capture *next;

	if (*captures == NULL)
		return;
	for (struct capture *capture = (*captures)->orphans; capture != NULL; capture = next) {
		next = capture->next;
		discard(capture);
	}
	*captures = NULL;
}

/* --- from one master to the next --- */

static const struct state_field fields[] = {
	{ STATE_FIELD(struct capture, form), .most = PRINT_JSON },
	{ STATE_FIELD(struct capture, about.pool) },
	{ STATE_FIELD(struct capture, about.generation) },
	{ STATE_FIELD(struct capture, about.slot) },
	{ STATE_FIELD(struct capture, about.pid) },
	{ 0 },
};

/* What has come of a line stays until the rest comes; of lost lines the sink knows. */
static void pass(struct state *state, struct capture *capture)
{
	bool losing = state_flag(state, "losing", capture->losing);
	int fd = state_descriptor(state, "pipe", capture->watch.fd);
	struct arena *arena = arena_new(4096);
	const char *path = state_text(
	    state, arena, "file", capture->sink != NULL ? sink_path(capture->sink) : NULL);

	state_fields(state, fields, capture);
	state_bytes(state, "line", capture->lines.text, &capture->lines.length, LINES_LONGEST);
	last_words_pass(state, &capture->last);
	if (state_is_read(state)) {
		capture->sink = sink_take(path);
		capture->watch.fd = fd;
		capture->about.kind = EVENT_OUTPUT_LOST;
		capture->about.lasted = capture->about.retry_in = -1;
		if (fd >= 0 && !loop_add(capture->all->loop, &capture->watch, EPOLLIN))
			state_fail(state, "the output of %s cannot be listened to: %s",
			    capture->about.pool, strerror(errno));
		if (losing)
			list_as_losing(capture, true);
	}
	arena_free(&arena);
}

static struct capture *make(struct captures *captures)
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (capture == NULL)
		die("out of memory for output");
	set_up(captures, capture);
	return capture;
}

struct capture *capture_pass(
    struct state *state, struct captures *captures, struct capture *capture)
{
	if (!state_flag(state, "output", capture != NULL))
		return NULL;
	if (state_is_read(state))
		capture = make(captures);
	pass(state, capture);
	return capture;
}

void captures_pass(struct state *state, struct captures *captures)
{
	struct capture **link = &captures->orphans;
	size_t count = 0;

	state_part(state, "orphans");
	for (const struct capture *capture = *link; capture != NULL; capture = capture->next)
		count++;
	count = state_count(state, "orphans", count, ORPHANS_MOST);
	for (; count > 0 && state_wrong(state) == NULL; count--) {
		if (state_is_read(state))
			*link = make(captures);
		pass(state, *link);
		link = &(*link)->next;
	}
}
