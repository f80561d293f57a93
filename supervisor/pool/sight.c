/* sight.c - what a worker is doing now, as far as it can be seen. */
#include "supervisor/pool/sight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/pool/pool.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/proc.h"

#define US(milliseconds) ((int64_t)(milliseconds)*1000)

/* So late for a look, the machine or we were asleep: workers were, too, and get one more interval.
 */
#define AWAY SECOND_US

/* For who asks: so long in one go, and of that for memory, which is measured no more often. */
#define LOOK_TIME       (3 * SECOND_US / 1000)
#define MEMORY_TIME     (1 * SECOND_US / 1000)
#define MEMORY_INTERVAL SECOND_US

static void look_at_board(struct worker *worker)
{
	struct sight *sight = &worker->sight;
	struct board_work work;

	board_look(worker->board, &work);
	sight->busy = (long long)work.busy;
	sight->idle = (long long)work.idle;
	sight->since = work.oldest;
	sight->deadline = work.deadline;
	memcpy(sight->method, work.request.method, sizeof(sight->method));
	memcpy(sight->route, work.request.route, sizeof(sight->route));
}

void sight_forget(struct sight *sight, int64_t now)
{
	*sight = (struct sight){
		.busy = -1, .idle = -1, .memory = -1, .deadline = LOOP_FOREVER, .next = now
	};
}

static void look_sooner(struct sight *sight, int64_t at, int64_t now)
{
	if (at > now && at < sight->next)
		sight->next = at;
}

/* Those that began by worker->slow_seen were looked at; one that is not slow yet may become it. */
static void look_for_slow(struct worker *worker, int64_t now)
{
	int64_t slow = US(worker_conf(worker)->slow_request);
	struct sight *sight = &worker->sight;
	struct score_view view;
	int64_t since = sight->since > worker->slow_seen ? sight->since : 0;

	if (board_is_used(worker->board))
		since = board_find_after(worker->board, worker->slow_seen, &view) ? view.since : 0;
	sight->slow = 0;
	if (slow == 0 || since == 0)
		return;
	if (now - since >= slow)
		sight->slow = since;
	look_sooner(sight, since + slow, now);
}

void sight_look(struct worker *worker, int64_t now)
{
	const struct pool_conf *conf = worker_conf(worker);
	struct sight *sight = &worker->sight;
	bool away = now - sight->next > AWAY + US(conf->watch_interval);

	sight->at = now;
	sight->deadline = LOOP_FOREVER;
	sight->method[0] = sight->route[0] = '\0';
	if (worker->pid == 0 || conf->kind == KIND_SERVICE || conf->kind == KIND_TASK)
		return;
	board_limit(worker->board, US(conf->request_timeout)); /* a reload may have changed it */
	if (board_is_used(worker->board))
		look_at_board(worker);
	else if (worker->generation->listener != NULL)
		foreign_look(worker, now);
	if (!board_is_used(worker->board) && sight->since != 0 && conf->request_timeout != 0)
		sight->deadline = sight->since + US(conf->request_timeout);
	sight->overdue = conf->request_timeout != 0 && !away && now >= sight->deadline;
	sight->next = now + US(conf->watch_interval);
	look_sooner(sight, sight->deadline, now);
	look_for_slow(worker, now);
}

static void describe(
    const char *method, const char *route, int64_t ran, char text[static SIGHT_TEXT])
{
	double seconds = (double)ran / (double)SECOND_US;

	if (route[0] != '\0')
		snprintf(text, SIGHT_TEXT, "%s %s for %.1f s", method, route, seconds);
	else
		snprintf(text, SIGHT_TEXT, "a request for %.1f s", seconds);
}

void sight_describe(const struct sight *sight, int64_t now, char text[static SIGHT_TEXT])
{
	describe(sight->method, sight->route, now - sight->since, text);
}

void sight_describe_slow(const struct worker *worker, int64_t now, char text[static SIGHT_TEXT])
{
	struct score_view view;

	if (board_find_after(worker->board, worker->slow_seen, &view))
		describe(view.method, view.route, now - view.since, text);
	else
		sight_describe(&worker->sight, now, text);
}

/* The kernel walks all of a process's pages for it: not twice a second. */
static bool is_to_measure(const struct sight *sight, int64_t interval, int64_t now)
{
	return sight->memory_at == 0 || now - sight->memory_at >= interval;
}

static void measure(struct worker *worker, int64_t interval, int64_t now)
{
	if (!is_to_measure(&worker->sight, interval, now))
		return;
	worker->sight.memory = sight_memory(worker->pid);
	worker->sight.memory_at = now;
}

void sight_watch(struct worker *worker, int64_t now)
{
	const struct pool_conf *conf = worker_conf(worker);
	long long requests = board_requests(worker->board);

	sight_look(worker, now);
	if (requests >= 0)
		worker->requests = requests;
	if (conf->max_memory != 0 || conf->scale.memory != 0 || conf->scale.free_memory != 0)
		measure(worker, US(conf->memory_interval), now);
	if (worker->sight.memory >= 0)
		worker->memory = worker->sight.memory;
}

/* Looks at the worker and measures it.  False: there was not the time for both. */
static bool look_in_time(struct worker *worker, int64_t now, int64_t began)
{
	int64_t spent = clock_now() - began;

	if (spent >= LOOK_TIME)
		return false;
	sight_look(worker, now);
	if (!worker_is_alive(worker) || !is_to_measure(&worker->sight, MEMORY_INTERVAL, now))
		return true;
	if (spent >= MEMORY_TIME)
		return false;
	measure(worker, MEMORY_INTERVAL, now);
	return true;
}

#define NOBODY SIZE_MAX

/* Those from pools->look_from on, or those BEFORE it.  Returns the first for whom time was short.
 */
static size_t look_at_some(struct pools *pools, int64_t now, int64_t began, bool before)
{
	size_t number = 0, missed = NOBODY;

	for (size_t i = 0; i < pools->count; i++)
		for (struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older)
			for (size_t j = 0; j < g->count; j++, number++)
				if ((number < pools->look_from) == before &&
				    !look_in_time(g->worker[j], now, began) && missed == NOBODY)
					missed = number;
	return missed;
}

/*
 * However many there are, the master has other things to do: who was not reached
 * keeps what was seen before, and is the first the next time.
 */
void sight_look_at_all(struct pools *pools, int64_t now)
{
	int64_t began = clock_now();
	size_t later = look_at_some(pools, now, began, false);
	size_t earlier = look_at_some(pools, now, began, true);

	if (later != NOBODY)
		pools->look_from = later;
	else
		pools->look_from = earlier != NOBODY ? earlier : 0;
}

long long sight_memory(pid_t pid)
{
	char text[2048];
	const char *line;

	if (!proc_read(pid, "smaps_rollup", text, sizeof(text)))
		return -1;
	line = strstr(text, "\nPss:");
	return line != NULL ? atoll(line + strlen("\nPss:")) * 1024 : -1;
}
