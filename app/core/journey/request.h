/* request.h - one request on its journey; private to core/. */
#ifndef CORE_JOURNEY_REQUEST_H
#define CORE_JOURNEY_REQUEST_H

#include "base/buffer.h"
#include "base/scoreboard.h"
#include "core/core.h"
#include "core/journey/router.h"
#include "core/journey/trace.h"
#include "core/serve/application.h"

/* What nginx sends along (nginx/fastcgi.conf); NULL when absent or empty.  head.c fills it. */
struct head {
	const char *method, *uri, *content_type, *content_length;
	const char *host, *origin, *if_match, *if_none_match, *idempotency_key, *request_id,
	    *traceparent, *remote_address;
	const char *sec_fetch_site, *cookie, *authorization, *accept, *user_agent;
	const char *https;      /* "on": it came over TLS */
	const char *internal;   /* "1": by a monitor or somebody inside, as the web server knows */
	const char *refused_as; /* "400": the web server could not read it, and wants words */
	const char *twice;      /* a parameter that came twice, by its name; NULL: none */
};

struct response {
	int status;
	const char *media;   /* of the body; NULL: no body */
	struct buffer lines; /* header lines of this answer alone, each ending in CRLF */
	struct buffer body;
	const char *etag;   /* quoted; NULL: none */
	const char *next;   /* of a list: the cursor of its next page; NULL: none */
	struct buffer head; /* the whole head, once the answer is complete */
};

struct session;
struct traced;

/* An error in what was sent, by JSON pointer (RFC 6901). */
struct fault {
	const char *pointer, *in, *detail;
	struct fault *next;
};

struct faults {
	struct fault *first, *last;
	int count;
	int most; /* that are told; 0: the default */
};

/* Rows of a statement, which live as long as the request. */
struct held_rows {
	struct rows *rows;
	struct held_rows *next;
};

/* Where the bytes of the request's body come from: fills up to ROOM, 0 at the end. */
typedef size_t read_body_fn(void *connection, char *bytes, size_t room);

struct request {
	struct application *app;
	struct arena *arena;
	struct head head;
	read_body_fn *read_body;
	void *connection;
	struct score *score; /* of the thread that serves it */
	uint64_t timeout;    /* µs that it may take; 0: no limit */

	enum method method;
	bool head_only;       /* HEAD: a GET without its body */
	char *path, *query;   /* query: NULL without a '?' */
	const char *template; /* the path as its routes write it; NULL: nothing is there */
	const struct route *route;
	const char *allow; /* the methods of the place, once they are to be told */
	const char *path_value[PATH_NAMES_MOST]; /* in the order of the path's {names} */
	long long path_id;

	/* Who is asking; identity.c. */
	long long user_id;    /* 0: nobody has signed in */
	enum access role;     /* the most that they may; ANYONE: nobody */
	const char *username; /* NULL: nobody */
	const char *client;   /* which program, by its token; NULL: a person, or nobody */
	const struct session *session;

	void *input;        /* the struct of route->takes; see core/input/object.h */
	struct list inputs; /* a bulk route's; is_bulk: sent as a list */
	bool is_bulk;
	bool is_partial; /* items with faults are left out */

	struct job_run *job; /* of a job's handler; NULL: this is a request */
	bool enqueued;       /* there may be work for a worker that sleeps */

	struct faults faults;
	enum fate failure; /* of the first statement that failed; DONE: none did */
	char failed_constraint[64];
	struct held_rows *held;          /* freed when the request ends */
	struct held_file *files;         /* closed when it ends */
	struct transaction *transaction; /* NULL: each statement is on its own */
	struct once *once;               /* its Idempotency-Key; NULL: none that counts */
	const struct rows *version;      /* of the row to be changed; condition.c */

	struct limited limited; /* whose quota it counts against */
	struct verdict verdict; /* and how that stands */

	struct cached cached;        /* what the cache had, and the lease to renew it */
	struct audit_note *refusals; /* lines of the audit that wait; audit.c */

	struct drop *drops; /* keys that its change has made wrong; kept.c */
	size_t drops_count;

	struct trace trace;
	struct traced *traced; /* NULL: nothing is told of it; traced.c */
	struct response response;
	int64_t started, db_us, redis_us; /* clock_now, microseconds, microseconds */
};

/*
 * Fills HEAD from "NAME=value" texts, NULL-terminated: pointers into them.  Of a
 * name that is there twice the last counts, and .twice tells; a name that is not ours is
 * passed over.
 */
void head_fill(struct head *, char *const *environment);

/* Whether PARAMETER, "HTTP_…", came twice: the last that did. */
bool head_is_twice(const struct head *, const char *parameter);

/* The header that PARAMETER, "HTTP_…", is made of; in the arena. */
const char *head_name(struct arena *, const char *parameter);

/* Makes ARENA's next request; the caller fills head and the body's source. */
struct request *request_new(struct application *, struct arena *);
void request_end(struct request *);

/* Keeps ROWS until the request ends. */
void request_hold(struct request *, struct rows *);

/* Remembers how a statement ended, unless one has failed before; CONSTRAINT is CONFLICT's. */
void request_note(struct request *, enum fate, const char *constraint);

/* The value of {NAME} in the path, NULL when the route has no such name. */
const char *request_path_value(const struct request *, const char *name);

#endif
