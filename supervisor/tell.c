/* tell.c - what the person at the terminal reads of the life of workers. */
#include "supervisor/tell.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/tail.h"

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

/* Only a task's start is worth a line at once: of the others "ready" is heard soon enough. */
void tell_started(const struct worker *worker)
{
	if (worker_conf(worker)->kind == KIND_TASK)
		log_info("%s: runs, pid %d", worker->name, (int)worker->pid);
	else
		log_debug("%s: started, pid %d", worker->name, (int)worker->pid);
}

void tell_not_started(
    const struct worker *worker, int error, const struct verdict *verdict, int64_t now)
{
	char wait[TELL_DURATION];

	log_warn("%s: cannot make a process: %s; tries again in %s", worker->name, strerror(error),
	    tell_duration(wait, verdict->retry_at - now));
}

void tell_ready(const struct worker *worker)
{
	char time[TELL_DURATION];

	log_info("%s: ready after %s", worker->name,
	    tell_duration(time, worker->since - worker->started));
}

void tell_stopping(const struct worker *worker, bool too_late)
{
	char time[TELL_DURATION];

	tell_duration(time, worker_conf(worker)->ready_timeout * 1000);
	if (too_late)
		log_warn("%s: not ready after %s; stops it", worker->name, time);
	else
		log_debug("%s: stops, pid %d", worker->name, (int)worker->pid);
}

void tell_killing(const struct worker *worker)
{
	char time[TELL_DURATION];

	log_warn("%s: has not ended in %s; kills it and all of its process group", worker->name,
	    tell_duration(time, clock_now() - worker->since));
}

/* "web and nginx wait for it", for those that have not begun because of it. */
static void tell_who_waits(const struct pools *pools, const struct pool *pool)
{
	char names[NAMES_ROOM] = "";
	size_t length = 0, count = 0;

	for (size_t i = 0; i < pools->count && length < sizeof(names); i++) {
		const struct pool *other = &pools->pool[i];

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
	tail_tell(worker);
	if (verdict->next == WORKER_WAITING)
		tell_who_waits(pools, worker->generation->pool);
}

void tell_ended(const struct pools *pools, const struct worker *worker, const struct ending *ending,
    const struct verdict *verdict, int64_t now)
{
	char what[256], after[TELL_DURATION];

	describe(worker, ending, what);
	if (verdict->failed) {
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
