/* quota.c - whose quota a request counts against, and what the answer says of it. */
#include "core/journey/quota.h"

#include "base/clock.h"
#include "core/answer/problem.h"
#include "core/identity/session.h"
#include "core/journey/counts.h"
#include "core/journey/network.h"

struct quotas {
	struct limit_policy policies[QUOTAS];
	const char *lines[QUOTAS]; /* RateLimit-Policy, which never changes */
};

static const char *const names[QUOTAS] = { [QUOTA_READ] = "read",
	[QUOTA_WRITE] = "write",
	[QUOTA_EXPENSIVE] = "expensive",
	[QUOTA_PROBE] = "probe" };

struct quotas *quotas_new(struct arena *arena, const long long quota[QUOTAS], long long window_ms)
{
	struct quotas *quotas = arena_alloc(arena, sizeof(*quotas));

	for (int i = QUOTA_READ; i < QUOTAS; i++) {
		quotas->policies[i] = (struct limit_policy){ .name = names[i],
			.rate = { .quota = quota[i], .window_us = window_ms * 1000 } };
		quotas->lines[i] = arena_print(arena,
		    "RateLimit-Policy: \"%s\";q=%lld;w=%lld\r\nRateLimit: \"%s\";r=", names[i],
		    quota[i], (window_ms + 999) / 1000, names[i]);
	}
	return quotas;
}

const struct limit_policy *quotas_policies(const struct quotas *quotas)
{
	return quotas->policies;
}

/* --- whose --- */

static enum quota quota_of(const struct route *route)
{
	if (route->quota != QUOTA_BY_METHOD)
		return route->quota;
	return route->method == GET ? QUOTA_READ : QUOTA_WRITE;
}

void quota_find_address(struct request *rq)
{
	struct network network = network_of(rq->head.remote_address);

	rq->limited = (struct limited){
		.id = network.id, .kind = network.kind, .policy = quota_of(rq->route)
	};
}

void quota_find_user(struct request *rq)
{
	rq->limited = (struct limited){
		.policy = quota_of(rq->route), .kind = QUOTA_OF_USER, .id = (uint64_t)rq->user_id
	};
}

/* A part of a hash is as good as random. */
void quota_find_session(struct request *rq, const struct session *session)
{
	rq->limited = (struct limited){ .policy = quota_of(rq->route), .kind = QUOTA_OF_SESSION };
	memcpy(&rq->limited.id, session->hash, sizeof(rq->limited.id));
}

/* --- what the answer says --- */

/* Whole seconds, rounded up: who waits so long has waited long enough. */
static long long seconds(int64_t us)
{
	return (us + SECOND_US - 1) / SECOND_US;
}

void quota_tell(struct request *rq)
{
	struct buffer *lines = &rq->response.lines;

	buffer_add_text(lines, rq->app->quotas->lines[rq->limited.policy]);
	buffer_add_integer(lines, rq->verdict.remaining);
	buffer_add(lines, ";t=", 3);
	buffer_add_integer(lines, seconds(rq->verdict.whole_in));
	buffer_add(lines, "\r\n", 2);
}

int quota_refuse(struct request *rq)
{
	long long wait = seconds(rq->verdict.retry_in);

	wait = wait > 0 ? wait : 1;
	counts_add(rq, COUNT_LIMITED);
	reply_header(rq, "Retry-After", arena_print(rq->arena, "%lld", wait));
	return reply_problem(
	    rq, 429, "Too many requests: come again in %lld second%s.", wait, wait == 1 ? "" : "s");
}
