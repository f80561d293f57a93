/* drops.c - keys to be dropped, at once or as soon as Redis answers. */
#include "store/drops.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

/* Past so many keys in waiting the whole cache is dropped instead. */
#define WAITING_MOST 1024

struct drops {
	struct redis *redis;
	pthread_mutex_t lock;
	atomic_int waiting; /* how many keys below; WAITING_MOST: everything */
	char *keys[WAITING_MOST];
};

struct drops *drops_new(struct redis *redis)
{
	struct drops *drops = calloc(1, sizeof(*drops));

	if (drops == NULL)
		die("out of memory");
	drops->redis = redis;
	pthread_mutex_init(&drops->lock, NULL);
	return drops;
}

void drops_free(struct drops **drops)
{
	if (*drops == NULL)
		return;
	for (int i = 0; i < WAITING_MOST; i++)
		free((*drops)->keys[i]);
	pthread_mutex_destroy(&(*drops)->lock);
	free(*drops);
	*drops = NULL;
}

/* --- what waits --- */

static void remember(struct drops *drops, const char *key)
{
	int waiting;

	pthread_mutex_lock(&drops->lock);
	waiting = drops->waiting;
	if (waiting < WAITING_MOST) {
		free(drops->keys[waiting]);
		drops->keys[waiting] = strdup(key);
		drops->waiting = drops->keys[waiting] != NULL ? waiting + 1 : WAITING_MOST;
	}
	pthread_mutex_unlock(&drops->lock);
}

/* --- at once --- */

const char *drops_lease_name(struct arena *arena, const char *key)
{
	return arena_print(arena, "lease:%s", key);
}

/* The commands that drop KEYS, in the arena; *COUNT of them. */
static struct redis_command *commands_of(
    struct arena *arena, const char *const *keys, const char *hold, size_t *count)
{
	struct redis_command *commands;
	size_t keys_count = 0;

	while (keys[keys_count] != NULL)
		keys_count++;
	commands = arena_alloc(arena, 2 * keys_count * sizeof(*commands));
	*count = 0;
	for (; *keys != NULL; keys++) {
		const char *lease = drops_lease_name(arena, *keys);

		if (hold == NULL) {
			commands[(*count)++] = (struct redis_command){ .words = {
									   "DEL", *keys, lease } };
			continue;
		}
		/* In this order: once the hold stands nothing can be put behind the DEL. */
		commands[(*count)++] = (struct redis_command){ .words = { "SET", lease, DROPS_HELD,
								   "PX", hold } };
		commands[(*count)++] = (struct redis_command){ .words = { "DEL", *keys } };
	}
	return commands;
}

void drops_make(
    struct drops *drops, struct arena *arena, const char *const *keys, long long hold_ms)
{
	char scratch[TEXT_INTEGER];
	const char *hold = hold_ms > 0 ? text_from_integer(scratch, hold_ms) : NULL;
	struct redis_reply *replies;
	size_t count;
	const struct redis_command *commands = commands_of(arena, keys, hold, &count);

	replies = arena_alloc(arena, count * sizeof(*replies));
	if (redis_run(drops->redis, arena, count, commands, replies))
		return;
	/* Other processes may still be answered by it: nothing is acknowledged untried. */
	if (redis_insist(drops->redis, arena, count, commands, replies))
		return;
	for (; *keys != NULL; keys++) {
		remember(drops, *keys);
		remember(drops, drops_lease_name(arena, *keys));
	}
}

/* --- what waited --- */

static bool run(struct drops *drops, struct arena *arena, struct redis_command command)
{
	struct redis_reply reply;

	return redis_run(drops->redis, arena, 1, &command, &reply);
}

/* Lock held. */
static bool make_all(struct drops *drops, struct arena *arena)
{
	if (drops->waiting >= WAITING_MOST) {
		if (!run(drops, arena, (struct redis_command){ .words = { "FLUSHDB" } }))
			return false;
		drops->waiting = 0;
	}
	for (; drops->waiting > 0; drops->waiting--) {
		const char *key = drops->keys[drops->waiting - 1];

		if (!run(drops, arena, (struct redis_command){ .words = { "DEL", key } }))
			return false;
	}
	return true;
}

bool drops_settle(struct drops *drops, struct arena *arena)
{
	bool done;

	if (drops->waiting == 0)
		return true;
	pthread_mutex_lock(&drops->lock);
	done = make_all(drops, arena);
	pthread_mutex_unlock(&drops->lock);
	return done;
}
