/* tell.c - what the person at the terminal reads of the life of workers. */
#include "supervisor/record/tell.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/output/capture.h"
#include "supervisor/process/canary.h"
#include "supervisor/record/events.h"

#define NAMES_ROOM 256

const char *tell_duration(char text[static TELL_DURATION], int64_t microseconds)
{
	long long seconds = microseconds / SECOND_US;

	if (seconds < 100)
		snprintf(text, TELL_DURATION, "%.1f s", (double)microseconds / 1e6);
	else if (seconds < 2LL * 60 * 60)
		snprintf(text, TELL_DURATION, "%lld min", seconds / 60);
	else if (seconds < 2LL * 24 * 60 * 60)
		snprintf(text, TELL_DURATION, "%lld h", seconds / 3600);
	else
		snprintf(text, TELL_DURATION, "%lld days", seconds / 86400);
	return text;
}

static void add_last_words(struct buffer *text, const struct worker *worker)
{
	for (size_t i = 0; capture_last(worker->capture, i) != NULL; i++)
		buffer_print(text, "\n%s: | %s", worker->name, capture_last(worker->capture, i));
}

/*
 * Who took a canary is not known, so what all of the generation have printed may
 * be about it; and what was answered as error output is.
 */
static void add_words_about_canary(struct buffer *text, const struct worker *worker)
{
	const struct generation *generation = worker->generation;
	const char *line = canary_said(worker);

	for (size_t i = 0; i < generation->count; i++)
		add_last_words(text, generation->worker[i]);
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		if (length > 0)
			buffer_print(text, "\n%s: | %.*s", worker->name, (int)length, line);
		line += length + strspn(line + length, "\n");
	}
}

/* What a reload answers when it fails, for it waits for this generation: why, and the last words.
 */
static void hold_against(const struct worker *worker, const char *what)
{
	struct generation *generation = worker->generation;
	struct buffer text;

	if (generation->failure != NULL ||
	    (generation->phase != GENERATION_COMING && worker->ready_since != 0))
		return;
	buffer_start(&text, generation->arena, 256);
	buffer_print(&text, "%s: %s", worker->name, what);
	if (worker->trial.canary != NULL)
		add_words_about_canary(&text, worker);
	else
		add_last_words(&text, worker);
	buffer_add_char(&text, '\0');
	generation->failure = text.data;
}

/* Only a task's start is worth a line at once: of the others "ready" is heard soon enough. */
void tell_started(const struct worker *worker)
{
	event_worker(EVENT_SPAWN, worker, "%s", worker->generation->plan.program);
	if (worker_conf(worker)->kind == KIND_TASK)
		log_info("%s: runs, pid %d", worker->name, (int)worker->pid);
	else
		log_debug("%s: started, pid %d", worker->name, (int)worker->pid);
}

void tell_not_started(
    const struct worker *worker, int error, const struct verdict *verdict, int64_t now)
{
	char wait[TELL_DURATION];
	struct event event = event_of_worker(EVENT_SPAWN_FAILED, worker);

	event.retry_in = verdict->retry_at - now;
	event.failed = true;
	event_say(&event, "cannot make a process: %s", strerror(error));
	event_record(&event);
	hold_against(worker, event.text);
	log_warn("%s: cannot make a process: %s; tries again in %s", worker->name, strerror(error),
	    tell_duration(wait, verdict->retry_at - now));
}

void tell_ready(const struct worker *worker)
{
	char time[TELL_DURATION];
	struct event event = event_of_worker(EVENT_READY, worker);

	event.lasted = worker->since - worker->started;
	event_record(&event);
	log_info("%s: ready after %s", worker->name,
	    tell_duration(time, worker->since - worker->started));
}

/* Of a first one master_ready tells. */
void tell_all_ready(const struct generation *generation)
{
	if (generation->phase == GENERATION_COMING)
		event_generation(EVENT_GENERATION_READY, generation, "all of its workers are");
}

void tell_draining(const struct worker *worker)
{
	event_worker(EVENT_FINISH, worker, "takes nothing new, and ends when it has finished");
	log_debug("%s: finishes, pid %d", worker->name, (int)worker->pid);
}

void tell_recycled(const struct worker *worker, const char *limit)
{
	char time[TELL_DURATION];

	tell_duration(time, clock_now() - worker->started);
	event_worker(EVENT_RECYCLE, worker, "%s reached: %s, %lld requests, %lld bytes",
	    limit != NULL ? limit : "a limit", time, worker->requests, worker->memory);
	log_info("%s: has reached %s after %s; another is started for it", worker->name,
	    limit != NULL ? limit : "a limit", time);
}

void tell_stopping(const struct worker *worker, enum stop_reason reason)
{
	const struct pool_conf *conf = worker_conf(worker);
	char time[TELL_DURATION];

	switch (reason) {
	case REASON_NOT_READY:
		tell_duration(time, conf->ready_timeout * 1000);
		event_worker(EVENT_NOT_READY, worker, "not ready after %s", time);
		log_warn("%s: not ready after %s; stops it", worker->name, time);
		hold_against(worker, "was not ready in time");
		return;
	case REASON_CANARY:
		event_worker(EVENT_CANARY_FAILED, worker, "%s", worker->cause);
		log_warn("%s: %s; stops it", worker->name, worker->cause);
		hold_against(worker, worker->cause);
		return;
	case REASON_NOT_FINISHED:
		tell_duration(time, conf->drain_timeout * 1000);
		event_worker(EVENT_NOT_FINISHED, worker, "not finished after %s", time);
		log_warn("%s: has not finished after %s; stops it", worker->name, time);
		return;
	case REASON_IDLE:
	case REASON_ASKED:
	case REASON_STUCK:
		break;
	}
	event_worker(EVENT_STOP, worker, "signal %d%s", worker->generation->plan.stop_signal,
	    reason == REASON_IDLE ? ", for nothing is in its hand" : "");
	log_debug("%s: stops, pid %d", worker->name, (int)worker->pid);
}

void tell_killing(const struct worker *worker)
{
	char time[TELL_DURATION];

	tell_duration(time, clock_now() - worker->since);
	event_worker(EVENT_KILL, worker, "has not ended in %s", time);
	log_warn(
	    "%s: has not ended in %s; kills it and all of its process group", worker->name, time);
}

void tell_stuck(const struct worker *worker, const char *request)
{
	event_worker(EVENT_STUCK, worker, "%s", request);
	log_warn("%s: pid %d is stuck in %s; stops it", worker->name, (int)worker->pid, request);
}

/* "web and nginx wait for it", for those that have not begun because of it. */
static void tell_who_waits(const struct pools *pools, const struct pool *pool)
{
	char names[NAMES_ROOM] = "";
	size_t length = 0, count = 0;

	for (size_t i = 0; i < pools->count && length < sizeof(names); i++) {
		const struct pool *other = pools->pool[i];

		if (!pool_comes_after(pools, other, pool) || pool_has_begun(other))
			continue;
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
		    count > 0 ? ", " : "", other->name);
		count++;
	}
	if (count > 0)
		log_warn("%s: %s %s for it", pool->name, names, count > 1 ? "wait" : "waits");
}

/* What we know better than the exit status, such as a failed exec, goes first. */
static void describe(
    const struct worker *worker, const struct ending *ending, char text[static 256])
{
	const char *name = ending->signalled ? sigdescr_np(ending->code) : NULL;

	if (worker->cause[0] != '\0')
		snprintf(text, 256, "%s", worker->cause);
	else if (ending->signalled)
		snprintf(text, 256, "was ended by signal %d (%s)", ending->code,
		    name != NULL ? name : "unknown");
	else
		snprintf(text, 256, "ended with status %d", ending->code);
}

static void record_end(const struct worker *worker, const struct ending *ending, const char *what,
    const struct verdict *verdict, int64_t now)
{
	struct event event = event_of_worker(EVENT_EXIT, worker);

	for (size_t i = 0; verdict->failed && capture_last(worker->capture, i) != NULL; i++)
		event_worker(EVENT_SAID, worker, "%s", capture_last(worker->capture, i));
	event.signalled = ending->signalled;
	event.code = ending->code;
	event.failed = verdict->failed;
	event.lasted = now - worker->started;
	if (verdict->next == WORKER_WAITING)
		event.retry_in = verdict->retry_at > now ? verdict->retry_at - now : 0;
	event_say(&event, "%s", what);
	event_record(&event);
}

static void tell_last_words(const struct worker *worker)
{
	if (worker_conf(worker)->output == NULL)
		return; /* they stand just above, in our own messages */
	for (size_t i = 0; capture_last(worker->capture, i) != NULL; i++)
		log_warn("%s: | %s", worker->name, capture_last(worker->capture, i));
}

static void tell_failure(const struct pools *pools, const struct worker *worker, const char *what,
    const struct verdict *verdict, int64_t now)
{
	char after[TELL_DURATION], wait[TELL_DURATION];

	tell_duration(after, now - worker->started);
	if (verdict->next == WORKER_STOPPED)
		log_warn("%s: %s after %s", worker->name, what, after);
	else if (verdict->retry_at <= now)
		log_warn("%s: %s after %s; starts again", worker->name, what, after);
	else
		log_warn("%s: %s after %s; starts again in %s", worker->name, what, after,
		    tell_duration(wait, verdict->retry_at - now));
	tell_last_words(worker);
	if (verdict->next == WORKER_WAITING)
		tell_who_waits(pools, worker->generation->pool);
}

void tell_ended(const struct pools *pools, const struct worker *worker, const struct ending *ending,
    const struct verdict *verdict, int64_t now)
{
	char what[256], after[TELL_DURATION];

	describe(worker, ending, what);
	record_end(worker, ending, what, verdict, now);
	if (verdict->failed) {
		hold_against(worker, what);
		tell_failure(pools, worker, what, verdict, now);
		return;
	}
	tell_duration(after, now - worker->started);
	if (verdict->next == WORKER_DONE)
		log_info("%s: done after %s", worker->name, after);
	else if (verdict->next == WORKER_STOPPED)
		log_info("%s: stopped", worker->name);
	else
		log_info("%s: %s after %s; starts again", worker->name, what, after);
}
