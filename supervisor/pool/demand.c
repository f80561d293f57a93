/* demand.c - what a pool has to do now: how many of its workers are at work, and who waits. */
#include "supervisor/pool/demand.h"

#include "supervisor/pool/generation.h"
#include "supervisor/record/board.h"
#include "supervisor/system/memory.h"
#include "supervisor/system/queue.h"

/*
 * Crashes over and over, or cannot start.  One crash of a worker that had served
 * is made good at once and says nothing about the next worker.
 */
static bool is_failing(const struct worker *worker, int64_t now)
{
	int64_t good = worker_conf(worker)->good_service * 1000;

	if (worker->failures == 0)
		return false;
	return worker->state != WORKER_READY ||
	       (worker->failures > 1 && now - worker->ready_since < good);
}

static void add_work(const struct sight *sight, long long *threads, struct scale_look *look)
{
	look->ready++;
	if (sight->busy < 0) {
		look->unseen = true;
		return;
	}
	look->busy += sight->busy;
	*threads += sight->busy + sight->idle;
}

static void add_memory(const struct sight *sight, struct scale_look *look)
{
	if (sight->memory < 0)
		return;
	look->memory += sight->memory;
	look->measured++;
}

static void add_worker(
    struct worker *worker, long long *threads, struct scale_look *look, int64_t now)
{
	if (!generation_stays(worker)) {
		/* One that is being replaced, or replaces, is neither more nor less. */
		look->leaving += worker->leaving && worker_is_alive(worker);
		return;
	}
	look->workers++;
	look->failing = look->failing || is_failing(worker, now);
	if (worker->state != WORKER_READY)
		return;
	sight_watch(worker, now);
	add_work(&worker->sight, threads, look);
	add_memory(&worker->sight, look);
}

void demand_look(const struct generation *generation, int64_t now, struct scale_look *look)
{
	const struct scale_conf *conf = &generation->plan.conf->scale;
	struct queue queue = { .waiting = -1 };
	long long threads = 0;

	*look = (struct scale_look){ .now = now, .threads = 1, .available = -1 };
	for (size_t i = 0; i < generation->count; i++)
		add_worker(generation->worker[i], &threads, look, now);
	if (look->ready > 0 && threads > look->ready)
		look->threads = threads / look->ready;
	if (generation->listener != NULL && queue_read(listener_fd(generation->listener), &queue))
		look->queue = queue.waiting;
	if (conf->free_memory > 0)
		look->available = memory_available();
}

bool demand_turns(const struct generation *generation, uint64_t *turns)
{
	*turns = 0;
	for (size_t i = 0; i < generation->count; i++) {
		const struct worker *worker = generation->worker[i];
		long long requests = board_requests(worker->board);

		if (!worker_is_alive(worker))
			continue;
		*turns += (uint64_t)worker->pid;
		if (requests >= 0)
			*turns += (uint64_t)requests;
		else if (!foreign_count_switches(worker->pid, turns))
			return false;
	}
	return true;
}
