/*
 * quota.h - how often somebody may ask: whose quota it is, and what the answer says of it.
 *
 * Every route counts against a quota, by its method or as its table says; who asks
 * is told on each answer how it stands, by the fields of
 * draft-ietf-httpapi-ratelimit-headers-09 (RateLimit-Policy: "read";q=60000;w=60 and
 * RateLimit: "read";r=59999;t=1), and of a 429 (RFC 6585, section 4) when to come
 * again (Retry-After, RFC 9110, section 10.2.3).
 */
#ifndef CORE_JOURNEY_QUOTA_H
#define CORE_JOURNEY_QUOTA_H

#include "core/journey/request.h"

/* Makes the policies of ostler-app.conf(5): QUOTA[QUOTA_READ] requests, … per window. */
struct quotas *quotas_new(struct arena *, const long long quota[QUOTAS], long long window_ms);
const struct limit_policy *quotas_policies(const struct quotas *);

/* Whose quota it can be: the kinds of struct limited, beside those of a struct network. */
enum { QUOTA_OF_USER = 100, QUOTA_OF_SESSION };

struct session;

/*
 * Who this request counts against, in rq->limited; its route must be known.  Whoever has
 * signed in counts as themselves, wherever they come from, and all others by their address.
 * A session stands for its user before it is known whose it is: in this process alone, for
 * what it was lent of that user's quota.
 */
void quota_find_address(struct request *);
void quota_find_user(struct request *);
void quota_find_session(struct request *, const struct session *);

/* Writes into the answer how rq->verdict says that the quota stands. */
void quota_tell(struct request *);

/* 429, and when to come again. */
int quota_refuse(struct request *);

#endif
