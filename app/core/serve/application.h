/* application.h - what all requests of a process share; constant once it serves. */
#ifndef CORE_SERVE_APPLICATION_H
#define CORE_SERVE_APPLICATION_H

#include <stdatomic.h>

#include "base/crypto.h"
#include "core/answer/cors.h"
#include "core/core.h"
#include "store/cache.h"
#include "store/db.h"
#include "store/limits.h"
#include "store/redis.h"
#include "store/script.h"
#include "store/span.h"

struct keyring;
struct mailer;
struct outlets;
struct slots;
struct patterns;
struct repeats;
struct router;

/* How tokens are made and taken. */
struct token_terms {
	const char *issuer, *audience;
	long long lifetime;         /* of an access token, in seconds */
	long long refresh_lifetime; /* of all refresh tokens that follow from each other */
};

/* How long a session lasts; seconds. */
struct session_options {
	double idle; /* without a request */
	double life; /* in all */
};

/* How many passwords may be hashed at once, and how long one waits for that. */
struct hashing {
	struct slots *slots; /* NULL: there is no bound */
	long long wait_ms;
};

/* How long a sign-in that failed makes the next one wait; seconds. */
struct attempt_options {
	double first, most; /* it doubles from the one to the other */
	double remembered;  /* so long after the last one */
};

struct application {
	const struct tracer *tracer;           /* NULL: no trace is sampled */
	const struct feature *const *features; /* NULL-terminated */
	const struct router *router;
	const struct patterns *patterns; /* of all shapes */
	const char *openapi;             /* the document, as JSON */
	size_t openapi_length;
	const char *instance_id, *instance_name;
	int request_log;   /* the descriptor that takes a line per request */
	size_t body_limit; /* bytes */
	struct password_cost passwords;
	struct session_options sessions;
	struct hashing hashing;
	struct attempt_options attempts;
	struct link_options links;
	struct cors cors;             /* which other sites' pages may read answers */
	long long retry_after_s;      /* a database that was gone is asked again by then */
	const char *uploads;          /* the folder of temporary files */
	double idempotency_seconds;   /* how long an answer under a key is kept */
	struct object_store *objects; /* NULL: there is none */
	struct mailer *mailer;        /* of a worker; NULL: letters wait */
	struct outlets *outlets;      /* of events; NULL: no broker is configured */
	long long event_days;         /* that events are kept */
	struct keyring *keys;         /* NULL: there are none, and so no tokens */
	struct token_terms tokens;
	const char *totp_issuer; /* what an authenticator app shows */
	struct db *db;
	struct redis *redis;
	struct cache *cache;
	struct quotas *quotas;
	struct limits *limits;      /* of those quotas */
	struct script whose;        /* whose.c */
	struct repeats *repeats;    /* refusals that are counted; NULL: each is a line */
	long long cache_hold_ms;    /* a change that is in doubt is decided by then */
	atomic_llong jobs_woken_at; /* clock_now: when workers were last told of work */
};

#endif
