/* work.c - what all workers of a pool do together, old generations included. */
#include "supervisor/record/work.h"

/* What no worker tells stays unknown; what some tell is their sum. */
static void add_known(long long *sum, long long value)
{
	if (value >= 0)
		*sum = (*sum >= 0 ? *sum : 0) + value;
}

static void add_generation(const struct generation *generation, struct work *work)
{
	for (size_t i = 0; i < generation->count; i++) {
		const struct worker *worker = generation->worker[i];

		if (!worker_is_alive(worker))
			continue;
		add_known(&work->busy, worker->sight.busy);
		add_known(&work->idle, worker->sight.idle);
		add_known(&work->memory, worker->sight.memory);
	}
}

void work_of_pool(const struct pool *pool, struct work *work)
{
	const struct generation *serving = pool->generation;

	*work = (struct work){ -1, -1, -1, { -1, -1 } };
	for (const struct generation *g = pool->newest; g != NULL; g = g->older)
		add_generation(g, work);
	if (serving != NULL && serving->listener != NULL &&
	    !queue_read(listener_fd(serving->listener), &work->queue))
		work->queue = (struct queue){ -1, -1 };
}
