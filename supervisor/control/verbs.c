/* verbs.c - all that can be asked over the control socket. */
#include "supervisor/control/verbs.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control/acts.h"
#include "supervisor/output/recent.h"
#include "supervisor/process/inquest.h"
#include "supervisor/record/events.h"
#include "supervisor/record/metrics.h"

#define EVENTS_AT_ONCE 64
#define LINES_AT_ONCE  64

static char *answer_status(struct conversation *talk)
{
	int64_t now = clock_now();

	sight_look_at_all(talk->pools, now);
	return wire_status(talk->pools, getpid(), now);
}

static char *answer_stop(struct conversation *talk)
{
	event_master(EVENT_MASTER_STOP, "asked over the control socket: in order");
	log_info("asked to stop over the control socket");
	pools_stop(talk->pools, STOP_ORDERLY, clock_now());
	return wire_pid(getpid());
}

static bool is_of_interest(const struct event *event, const struct wire_request *request)
{
	if (request->number != 0 && event->pid != request->number)
		return false;
	return request->pool[0] == '\0' || strcmp(event->pool, request->pool) == 0;
}

/* A pool that was removed may still have events. */
static bool is_known(const struct conversation *talk)
{
	const char *name = talk->request.pool;
	bool known = name[0] == '\0';

	for (size_t i = 0; i < talk->pools->count && !known; i++)
		known = strcmp(talk->pools->pool[i]->name, name) == 0;
	for (unsigned long long n = events_oldest(); n <= events_newest() && !known; n++)
		known = strcmp(events_get(n)->pool, name) == 0;
	return known;
}

static char *refuse_unknown_pool(const char *name)
{
	char message[128];

	snprintf(message, sizeof(message), "there is no pool \"%s\"", name);
	return wire_error(message);
}

/* A piece at a time: between two of them the master does its other business. */
static char *answer_events(struct conversation *talk)
{
	const struct event *list[EVENTS_AT_ONCE];
	size_t count = 0;

	if (talk->position == 0 && !is_known(talk))
		return refuse_unknown_pool(talk->request.pool);
	if (talk->position < events_oldest() - 1)
		talk->position = events_oldest() - 1; /* the gap in the numbers tells */
	while (count < EVENTS_AT_ONCE && talk->position < events_newest()) {
		const struct event *event = events_get(++talk->position);

		if (is_of_interest(event, &talk->request))
			list[count++] = event;
	}
	talk->goes_on = talk->request.follow || talk->position < events_newest();
	return count > 0 || !talk->goes_on ? wire_events(list, count) : NULL;
}

static char *answer_logs(struct conversation *talk)
{
	const struct recent_line *line;
	const char *text, *pool = talk->request.pool;
	char *answer = NULL;
	size_t length = 0;
	int count = 0;

	if (talk->position == 0 && !is_known(talk))
		return refuse_unknown_pool(pool);
	while (count < LINES_AT_ONCE && (line = recent_from(talk->position + 1, &text)) != NULL) {
		talk->position = line->number;
		if (pool[0] != '\0' && strcmp(line->pool, pool) != 0)
			continue;
		answer = wire_append(answer, &length, wire_line_printed(line, text));
		count++;
	}
	talk->goes_on = talk->request.follow || talk->position < recent_newest();
	return answer != NULL || talk->goes_on ? answer : wire_nothing();
}

/* Those that serve first, then those of generations that leave. */
static char *show_generation(const struct generation *generation, char *answer, size_t *length)
{
	for (size_t i = 0; i < generation->count; i++) {
		char *line = wire_show(generation->worker[i]);

		if (line != NULL)
			answer = wire_append(answer, length, line);
	}
	return answer;
}

static char *answer_show(struct conversation *talk)
{
	const struct pool *pool = pools_find(talk->pools, talk->request.pool);
	char *answer = NULL;
	size_t length = 0;

	if (pool == NULL)
		return refuse_unknown_pool(talk->request.pool);
	answer = show_generation(pool->generation, answer, &length);
	for (const struct generation *g = pool->newest; g != NULL; g = g->older)
		if (g != pool->generation)
			answer = show_generation(g, answer, &length);
	return answer != NULL ? answer : wire_error("no process of this pool runs now");
}

/* The position of the conversation is the number of the inquest. */
static char *tell_trace_found(struct conversation *talk)
{
	struct trace found;

	switch (inquests_find(talk->pools->inquests, talk->position, &found)) {
	case INQUEST_UNDER_WAY:
		talk->goes_on = true;
		return NULL;
	case INQUEST_ENDED:
		talk->goes_on = false;
		return wire_trace(&found);
	case INQUEST_FORGOTTEN:
		break;
	}
	talk->goes_on = false;
	return wire_error("so many others were looked at meanwhile that it is forgotten");
}

/* No process but a worker's: of others ostlerd is not the master, though root could look at all. */
static char *answer_trace(struct conversation *talk)
{
	long long pid = talk->request.number;
	struct worker *worker = pid > 0 && pid <= INT_MAX
				    ? pools_find_worker(talk->pools, (pid_t)pid)
				    : NULL;
	char message[128], request[SIGHT_TEXT] = "";
	struct inquest_wish wish = { .reason = INQUEST_ASKED, .request = request };
	int64_t now = clock_now();
	const char *wrong;

	if (talk->position != 0)
		return tell_trace_found(talk);
	if (worker == NULL) {
		snprintf(
		    message, sizeof(message), "process %lld is no worker of this ostlerd", pid);
		return wire_error(message);
	}
	sight_look(worker, now);
	if (worker->sight.since != 0)
		sight_describe(&worker->sight, now, request);
	wish.until = now + worker_conf(worker)->trace_timeout * 1000;
	talk->position = inquest_begin(talk->pools->inquests, worker, &wish, &wrong);
	return talk->position != 0 ? tell_trace_found(talk) : wire_error(wrong);
}

static char *answer_metrics(struct conversation *talk)
{
	struct arena *arena = arena_new(65536);
	struct buffer text;
	char *answer;

	sight_look_at_all(talk->pools, clock_now());
	buffer_start(&text, arena, 16384);
	metrics_write(&text, talk->pools);
	answer = wire_copy(text.data, text.length);
	arena_free(&arena);
	return answer;
}

/* A new verb is a function and a line here. */
static const struct verb {
	const char *name;
	char *(*answer)(struct conversation *);
} verbs[] = {
	{ "status", answer_status },
	{ "events", answer_events },
	{ "logs", answer_logs },
	{ "show", answer_show },
	{ "trace", answer_trace },
	{ "metrics", answer_metrics },
	{ "reload", act_reload },
	{ "restart", act_restart },
	{ "scale", act_scale },
	{ "drain", act_drain },
	{ "resume", act_resume },
	{ "upgrade", act_upgrade },
	{ "stop", answer_stop },
};

static char *answer_unknown(const char *verb)
{
	char message[512];
	size_t length = (size_t)snprintf(
	    message, sizeof(message), "unknown verb \"%s\"; known:", verb);

	for (size_t i = 0; i < COUNT(verbs) && length < sizeof(message); i++)
		length += (size_t)snprintf(message + length, sizeof(message) - length, "%s %s",
		    i > 0 ? "," : "", verbs[i].name);
	return wire_error(message);
}

char *verbs_answer(struct conversation *talk)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(verbs[i].name, talk->request.verb) == 0)
			return verbs[i].answer(talk);
	return answer_unknown(talk->request.verb);
}
