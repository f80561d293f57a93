/*
 * route.h - how a feature describes itself.
 *
 * A feature is one const table.  From it, and from nothing else, come the
 * router, the check of who may, the validation of what arrives, the JSON of
 * what leaves and the OpenAPI document.  A feature that needs an `if` to route,
 * validate or document itself is a feature whose table lacks a column.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/event.h"
#include "core/job.h"
#include "core/shape.h"

enum method { GET = 1, POST, PUT, PATCH, DELETE };
#define METHODS (DELETE + 1)

/*
 * Who may: each of these may what those before it may.  A viewer is SIGNED_IN and
 * no more, a user is a USER; SIGNED_IN is for reading, and for one's own account.
 */
enum access { ANYONE, SIGNED_IN, USER, MANAGER, ADMIN };

/*
 * What a request counts against: how many of a kind one may send in a window is a
 * setting (limit_read, … in ostler-app.conf(5)).  By its method unless the route says.
 */
enum quota { QUOTA_BY_METHOD, QUOTA_READ, QUOTA_WRITE, QUOTA_EXPENSIVE, QUOTA_PROBE };
#define QUOTAS (QUOTA_PROBE + 1)

struct request;

/* Answers by one of core.h's reply functions and returns what that returned. */
typedef int handler_fn(struct request *);

/*
 * How an answer of 200 is kept in the cache: under KEY, in which {user} is who asks
 * and any other {name} an input; for so many SECONDS, and a 404 for MISSING_SECONDS.
 * It is kept when every input that was given stands in the key.  A route that can
 * bring about what was missing must drop its key.
 */
struct cached_as {
	const char *key; /* NULL: it is not kept */
	int seconds, missing_seconds;
};

struct route {
	const char *path; /* "/api/tasks/{id}"; a {name} takes one segment */
	const char *summary;
	enum method method;
	enum access access;
	const struct shape *takes;    /* NULL: nothing but the path */
	const struct shape *gives;    /* NULL: no content */
	const struct shape *or_gives; /* or one of this shape instead: reply_row_as() */
	bool list;                    /* gives {"items":[…],"next":…} of that shape */
	const char *raw;              /* takes a body of this type whole, as its one UPLOAD */
	bool oauth;                   /* its errors are those of RFC 6749, 5.2 */
	bool form;                    /* takes application/x-www-form-urlencoded, not JSON */
	long long bulk;               /* takes one JSON object, or a list of at most so many */
	bool partial;        /* of .bulk: with ?partial=true the items without faults are enough */
	long long body_most; /* bytes of a body; 0: body_limit of ostler-app.conf(5) */
	int status;          /* of success; 0: 200, or 204 when it gives nothing */
	int also;            /* another status under which it gives the same; 0: none */
	const char *versioned; /* VERSION_OF(table): what If-Match is compared with; of PUT, PATCH,
				  DELETE */
	bool needs_match;      /* it must be sent: 428 without */
	bool transaction;      /* its statements happen together: when it succeeds, or not */
	bool guarded;          /* every refusal of it is a line of the audit */
	bool secret;           /* sent or answered are secrets: no Idempotency-Key keeps them */
	bool in_person;        /* takes a session: whoever has a token of somebody is not they */
	bool personal; /* the same URL is another row for everybody: no version tells whose, and no
			  browser keeps it for whoever signs in next */
	bool digested; /* its ETag is a digest of the answer: of a GET whose rows have no version */
	bool csv;      /* gives text/csv, too, to whoever would rather have it: csv_asked() */
	const char *media;        /* what it gives when that is no shape: "application/json" */
	enum quota quota;         /* what it counts against */
	struct cached_as cached;  /* of a GET */
	const char *const *drops; /* DROPS(keys): what a change makes wrong in the cache */
	handler_fn *handler;
};

struct feature {
	const char *name;
	const char *doc;
	const struct route *routes;            /* ends with END_OF_ROUTES */
	const struct job_kind *const *jobs;    /* JOBS(…); NULL: none */
	const struct cron *crons;              /* CRONS(…); NULL: none */
	const struct event_kind *const *hears; /* EVENTS(…); NULL: none */
};

#define END_OF_ROUTES        \
	{                    \
		.path = NULL \
	}
#define ROUTES(...)                        \
	(const struct route[])             \
	{                                  \
		__VA_ARGS__, END_OF_ROUTES \
	}

/* Keys as in cached_as: dropped behind the change, before it is acknowledged. */
#define DROPS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

/*
 * The version of the row that the path's first {name} is the id of, or who asks when it has
 * none, locked until the change is done.  Its table has a column "version bigint" that every change
 * raises.
 */
#define VERSION_OF(table) "SELECT version FROM " table " WHERE id = $1 FOR UPDATE"

/* The columns every route has; what it takes and gives follows by name. */
#define ROUTE(verb, where, says, who, function) \
	.method = verb, .path = where, .summary = says, .access = who, .handler = function

/* For each route of a feature. */
#define EACH_ROUTE(route, feature) \
	for (const struct route *route = (feature)->routes; route->path != NULL; route++)

/* For each kind of job of a feature. */
#define EACH_JOB(kind, feature)                                                                   \
	for (const struct job_kind *const *kind = (feature)->jobs; kind != NULL && *kind != NULL; \
	     kind++)

/* For each kind of event that a feature hears. */
#define EACH_EVENT(kind, feature)                                     \
	for (const struct event_kind *const *kind = (feature)->hears; \
	     kind != NULL && *kind != NULL; kind++)

const char *method_name(enum method);
enum method method_from_name(const char *name); /* 0: not one of ours */
const char *access_name(enum access);
int route_success(const struct route *);

/* Whether the route's path says what the field of this name holds. */
bool route_path_says(const struct route *, const char *name);

/* Whether it takes anything that stands in a body: not GET or DELETE, and not all in the path. */
bool route_takes_body(const struct route *);

/* Whether a file is among what it takes, or all of it. */
bool route_takes_files(const struct route *);

/* The media type of the body that it takes. */
const char *route_takes_media(const struct route *);

/* Whether it makes something new, and its answer may be kept: a POST that answers 201 or 202. */
bool route_creates(const struct route *);

#endif
