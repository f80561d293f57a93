/*
 * limits.h - how often somebody may ask for what, over all processes.
 *
 * The count stands in Redis, so that it holds for all workers and hosts.  A
 * process takes a hundredth of a quota at a time and deals it out by itself: a
 * small quota is exact, a large one costs Redis a call per hundreds of requests,
 * and each process may let through up to a hundredth more.  Who was refused is
 * refused here until asking again makes sense.  Without Redis each process counts
 * by itself.
 *
 * The table here is bounded; whoever is pushed out of it is asked about in Redis.
 */
#ifndef STORE_LIMITS_H
#define STORE_LIMITS_H

#include "store/gcra.h"
#include "store/redis.h"

struct limits;

struct limit_policy {
	const char *name;
	struct gcra rate;
};

/* Who asks, under which policy: all bytes of it count, so begin with { 0 }. */
struct limited {
	uint64_t id;     /* a user's, or an address */
	uint32_t kind;   /* of the id: the caller's own numbers */
	uint32_t policy; /* its index */
};

struct verdict {
	bool admitted;
	long long remaining; /* requests that may follow at once, as far as this process knows */
	int64_t whole_in;    /* µs until the quota is whole again */
	int64_t retry_in;    /* not admitted: µs until it is worth trying */
};

/* POLICIES stay the caller's and must outlive the limits. */
struct limits *limits_open(struct redis *, const struct limit_policy *policies);
void limits_close(struct limits **);

/* Judges a request by what this process knows, at NOW (clock_now).  False: Redis is to be asked. */
bool limits_judge(
    struct limits *, const struct limited *, int64_t now, struct verdict *) MUST_CHECK;

/* The question for Redis, for a round trip that may carry others' too. */
struct redis_command limits_ask(struct limits *, struct arena *, const struct limited *);

/*
 * The four WORDS of that question for a script that finds out whose quota it is: the key but
 * for the id, which is to follow in hexadecimal, and what gcra_script takes.  The id of WHO
 * does not count.
 */
void limits_words(
    const struct limits *, struct arena *, const struct limited *who, const char **words);

/* Judges by what Redis REPLIED to that; NULL: it is not to be had. */
struct verdict limits_hear(
    struct limits *, struct arena *, const struct limited *, const struct redis_reply *replied);

#endif
