/* generation.c - the socket of a pool's generation: opened, made public, given up. */
#include "supervisor/generation.h"

#include "base/log.h"

static void warn_of_short_queue(const struct pool *pool, long limit)
{
	long long wanted = pool->generation->plan.conf->backlog;

	if (limit >= 0 && wanted > limit)
		log_warn("%s: backlog is %ld, not %lld: the kernel allows no more "
			 "(sysctl net.core.somaxconn)",
		    pool->name, limit, wanted);
}

/* Opening all before publishing any: a pool that cannot have its socket leaves the others' alone.
 */
static bool open_all(struct arena *arena, struct pools *pools, const char **wrong)
{
	long limit = listener_backlog_limit();

	for (size_t i = 0; i < pools->count; i++) {
		struct generation *generation = pools->pool[i].generation;
		const struct plan *plan = &generation->plan;

		if (plan->conf->listen == NULL)
			continue;
		warn_of_short_queue(&pools->pool[i], limit);
		generation->listener = listener_open(
		    arena, &plan->address, &plan->rights, (int)plan->conf->backlog, wrong);
		if (generation->listener == NULL) {
			*wrong = arena_print(arena, "pool %s: %s", pools->pool[i].name, *wrong);
			return false;
		}
	}
	return true;
}

static bool publish_all(struct arena *arena, struct pools *pools, const char **wrong)
{
	for (size_t i = 0; i < pools->count; i++) {
		struct listener *listener = pools->pool[i].generation->listener;

		if (listener == NULL || listener_publish(listener, wrong))
			continue;
		*wrong = arena_print(arena, "pool %s: %s", pools->pool[i].name, *wrong);
		return false;
	}
	return true;
}

/* Publishing can fail half way; what was published by then is ours and is taken back. */
bool generation_listen_all(struct arena *arena, struct pools *pools, const char **wrong)
{
	if (open_all(arena, pools, wrong) && publish_all(arena, pools, wrong))
		return true;
	generation_close_all(pools);
	return false;
}

void generation_close_all(struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		listener_close(&pools->pool[i].generation->listener);
}
