/*
 * limits.c - what this process knows of everybody's quota: a bounded table.
 *
 * The table is in sets of a few places, as a processor's cache is: whoever comes
 * anew takes the place of the one in the same set who was not seen for longest.
 * A flood of addresses so costs calls to Redis, and never memory.
 */
#include "store/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/script.h"

#define SETS  2048
#define WAYS  4
#define LOCKS 64 /* each for SETS / LOCKS sets */

/* The part of a quota that a process takes at a time, and the most of it. */
#define PART      100
#define PART_MOST 1000

struct place {
	struct limited who;
	int64_t seen_at;    /* clock_now, as all below; 0: nobody is here */
	long long tokens;   /* taken from Redis and not dealt out yet */
	int64_t tokens_end; /* they would have grown back by then */
	long long beyond;   /* how many more Redis had */
	int64_t whole_at;
	int64_t no_before; /* refused until then */
	int64_t tat;       /* of the count without Redis */
};

struct limits {
	struct redis *redis;
	const struct limit_policy *policies;
	struct script take;
	pthread_mutex_t locks[LOCKS];
	struct place places[SETS][WAYS];
};

struct limits *limits_open(struct redis *redis, const struct limit_policy *policies)
{
	struct limits *limits = calloc(1, sizeof(*limits));

	if (limits == NULL)
		die("out of memory");
	limits->redis = redis;
	limits->policies = policies;
	limits->take.text = gcra_script;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&limits->locks[i], NULL);
	return limits;
}

void limits_close(struct limits **limits)
{
	if (*limits == NULL)
		return;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&(*limits)->locks[i]);
	free(*limits);
	*limits = NULL;
}

/* --- the table --- */

/* Fibonacci hashing of the id: neighbours in a network do not share a set. */
static unsigned set_of(const struct limited *who)
{
	uint64_t mixed = who->id ^ (uint64_t)who->kind << 48 ^ (uint64_t)who->policy << 56;

	return (unsigned)(mixed * UINT64_C(11400714819323198485) >> 53) % SETS;
}

/* The place of WHO, who is given the oldest of its set when there is none; locked. */
static struct place *lock_place(struct limits *limits, const struct limited *who, int64_t now)
{
	unsigned set = set_of(who);
	struct place *place = limits->places[set], *oldest = place;

	pthread_mutex_lock(&limits->locks[set % LOCKS]);
	for (int i = 0; i < WAYS; i++, place++) {
		if (place->seen_at != 0 && memcmp(&place->who, who, sizeof(*who)) == 0) {
			place->seen_at = now;
			return place;
		}
		if (place->seen_at < oldest->seen_at)
			oldest = place;
	}
	*oldest = (struct place){ .who = *who, .seen_at = now };
	return oldest;
}

static void unlock_place(struct limits *limits, const struct limited *who)
{
	pthread_mutex_unlock(&limits->locks[set_of(who) % LOCKS]);
}

/* --- judging --- */

static struct verdict refused(const struct place *place, int64_t now)
{
	return (struct verdict){ .whole_in = place->whole_at - now,
		.retry_in = place->no_before - now };
}

static struct verdict admitted(const struct place *place, int64_t now)
{
	int64_t whole_in = place->whole_at - now;

	return (struct verdict){ .admitted = true,
		.remaining = place->beyond + place->tokens,
		.whole_in = whole_in > 0 ? whole_in : 0 };
}

bool limits_judge(
    struct limits *limits, const struct limited *who, int64_t now, struct verdict *verdict)
{
	struct place *place = lock_place(limits, who, now);
	bool known = true;

	if (now < place->no_before) {
		/* Somebody may have learnt that after this request began. */
		*verdict = refused(place, clock_now());
	} else if (place->tokens > 0 && now < place->tokens_end) {
		place->tokens--;
		*verdict = admitted(place, now);
	} else {
		place->tokens = 0;
		known = false;
	}
	unlock_place(limits, who);
	return known;
}

/* Writes a grant down and deals one of it out.  Lock held. */
static struct verdict learn(struct place *place, const struct grant *grant, int64_t window_us)
{
	int64_t now = place->seen_at;

	place->beyond = grant->remaining;
	place->whole_at = now + grant->whole_in;
	if (grant->count == 0) {
		place->no_before = now + grant->retry_in;
		return refused(place, now);
	}
	/* Another thread may have asked at the same moment. */
	place->tokens += grant->count - 1;
	place->tokens_end = now + window_us;
	return admitted(place, now);
}

/* Without Redis.  Nothing else is remembered of it: Redis is asked again next time.  Lock held. */
static struct verdict judge_alone(struct place *place, const struct gcra *rate)
{
	struct grant grant = gcra_take(rate, &place->tat, place->seen_at, 1);

	return (struct verdict){ .admitted = grant.count > 0,
		.remaining = grant.remaining,
		.whole_in = grant.whole_in,
		.retry_in = grant.retry_in };
}

/* --- asking Redis --- */

void limits_words(
    const struct limits *limits, struct arena *arena, const struct limited *who, const char **words)
{
	const struct limit_policy *policy = &limits->policies[who->policy];
	long long part = policy->rate.quota / PART;

	part = part < 1 ? 1 : part > PART_MOST ? PART_MOST : part;
	words[0] = arena_print(arena, "limit:%s:%u:", policy->name, who->kind);
	words[1] = arena_print(
	    arena, "%.6f", (double)policy->rate.window_us / (double)policy->rate.quota);
	words[2] = arena_print(arena, "%lld", policy->rate.window_us);
	words[3] = arena_print(arena, "%lld", part);
}

static struct script_call call_for(
    const struct limits *limits, struct arena *arena, const struct limited *who)
{
	struct script_call call = { .keys = 1 };

	limits_words(limits, arena, who, call.words);
	call.words[0] = arena_print(arena, "%s%llx", call.words[0], (unsigned long long)who->id);
	return call;
}

struct redis_command limits_ask(
    struct limits *limits, struct arena *arena, const struct limited *who)
{
	struct script_call call = call_for(limits, arena, who);

	return script_command(limits->redis, arena, &limits->take, &call);
}

static bool understand(const struct redis_reply *reply, struct grant *grant)
{
	if (reply->kind != REDIS_LIST || reply->length != 4)
		return false;
	*grant = (struct grant){ .count = reply->list[0].integer,
		.remaining = reply->list[1].integer,
		.whole_in = reply->list[2].integer,
		.retry_in = reply->list[3].integer };
	return true;
}

/* The reply of a Redis that had to be told the script. */
static bool asked_again(struct limits *limits, struct arena *arena, const struct limited *who,
    struct redis_reply *reply)
{
	struct script_call call = call_for(limits, arena, who);

	return script_run(limits->redis, arena, &limits->take, &call, reply);
}

struct verdict limits_hear(struct limits *limits, struct arena *arena, const struct limited *who,
    const struct redis_reply *replied)
{
	const struct gcra *rate = &limits->policies[who->policy].rate;
	struct redis_reply again;
	struct verdict verdict;
	struct place *place;
	struct grant grant;
	int64_t now;

	if (replied != NULL && script_is_unknown(replied))
		replied = asked_again(limits, arena, who, &again) ? &again : NULL;
	now = clock_now();
	place = lock_place(limits, who, now);
	if (replied != NULL && understand(replied, &grant))
		verdict = learn(place, &grant, rate->window_us);
	else
		verdict = judge_alone(place, rate);
	unlock_place(limits, who);
	return verdict;
}
