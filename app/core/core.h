/*
 * core.h - everything a feature may call, in the order a request meets it.
 *
 * A handler reads its input, asks the database, and answers.  It frees nothing:
 * memory and rows live until the request ends.  It checks no error of query():
 * the reply functions turn a statement that failed into the right problem.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "core/audit.h"
#include "core/route.h"
#include "store/connection.h"

struct keyring;
struct mailer;
struct object_store;

struct arena *request_arena(struct request *);

/* --- what was asked --- */

const void *input(struct request *); /* the struct of route.takes, validated */
long long path_id(struct request *); /* the {id} of the path */
bool given_any(struct request *);    /* whether any input was given */

/* Of a route with .bulk: a list of such structs, of one item when a single object was sent. */
const struct list *input_list(struct request *);

/*
 * given: the member's value when it was given, SQL's NULL otherwise or when null
 * was given, for coalesce($1, column).  is_given tells these two apart, for
 * CASE WHEN $2 THEN $1 ELSE column END.  The _in forms ask of an object inside
 * the input: a member of kind OBJECT, or an item of a list of them.
 */
#define given(rq, type, member)            given_value(rq, input(rq), offsetof(type, member))
#define is_given(rq, type, member)         given_at(input(rq), offsetof(type, member))
#define given_in(rq, object, type, member) given_value(rq, object, offsetof(type, member))
#define is_given_in(object, type, member)  given_at(object, offsetof(type, member))
struct value given_value(struct request *, const void *object, size_t offset);
bool given_at(const void *object, size_t offset);

/*
 * Lists as SQL takes them: all items of a list of values, or one member of all
 * items of a list of objects, as $1::text[] to be unnested.  A member that was
 * not given is NULL there.
 */
struct value sql_array(struct request *, const struct list *);
#define sql_members(rq, list, type, member) sql_column(rq, list, offsetof(type, member))
struct value sql_column(struct request *, const struct list *, size_t offset);

/* --- who is asking --- */

long long user_id(struct request *);    /* 0: nobody has signed in, on a route for anyone */
enum access role(struct request *);     /* the most that they may */
const char *username(struct request *); /* NULL: nobody */
extern const char *const role_names[];  /* the roles, for .one_of: "viewer", … "admin" */

/*
 * A session of its own for that user begins with this answer, and the one that asked ends.
 * With PASSWORD_HASH only if theirs is that one still, since checking it took a while.
 * False: it is not, or nobody is there.  What failed is said by the next reply function.
 */
bool session_start(struct request *, long long user, const char *password_hash);

/* The session that asked ends, whether or not it is one; returns whose it was, or 0. */
long long session_end(struct request *);

/* All sessions of a user end; or one, by its id as sessions_of has it: no row when it is not
 * theirs. */
void sessions_end_all(struct request *, long long user);
const struct rows *session_end_one(struct request *, long long user, const char *id);

/* What a session knows of its user has changed, or will when this is committed. */
void sessions_changed(struct request *, long long user);

/* The sessions of who asks, newest first: id, current, created_at, seen_at, expires_at, address,
 * agent. */
#define SESSIONS_MOST 100 /* of a user; with one more the oldest ends */
const struct rows *sessions_of(struct request *);

/* Deletes what has ended by itself. */
void sessions_sweep(struct request *);

/*
 * Passwords.  Hashing one takes a while on purpose, so have no transaction open; when
 * too many are at it, the answer is 503.  password_refuse: the answer's status when
 * OWNER must not have what was sent as FIELD, or 0.  password_keep: what is stored of it; NULL
 * after the answer says why not.  password_judge: HASH may be NULL, of somebody who has none or is
 * not there: it takes as long.  password_renewed: what is to be stored instead, now that hashing is
 * to cost more; NULL: it can stay.
 */
enum password_verdict {
	PASSWORD_WRONG,
	PASSWORD_RIGHT,
	PASSWORD_BUSY, /* and the answer says so */
};
struct password_owner;
int password_refuse(struct request *, const char *field, const char *password,
    const struct password_owner *) MUST_CHECK;
const char *password_keep(struct request *, const char *password) MUST_CHECK;
enum password_verdict password_judge(
    struct request *, const char *password, const char *hash) MUST_CHECK;
const char *password_renewed(struct request *, const char *password, const char *hash);

/*
 * Tries to sign in, as NAME or anything else that is guessed at.  attempt_begin counts one,
 * outside of any transaction: 0, or the status of the answer that says how long to wait.
 * attempt_end: it has succeeded, and those before it are forgiven.
 */
int attempt_begin(struct request *, const char *name) MUST_CHECK;
void attempt_end(struct request *, const char *name);
void attempt_undo(struct request *, const char *name); /* it was none: the one begun last */
void attempts_forget(struct request *); /* those that count no more; in a job, now and then */

/* How people come by a password without knowing one: as ostler-app.conf(5) says, in seconds. */
struct link_options {
	const char *site; /* what links begin with */
	double invitation, reset;
	double pause; /* between two to the same person */
};
const struct link_options *link_options(struct request *);

/*
 * The second factor of a user whose password was right: 0 when there is none or CODE, of
 * their app or on paper, is right; else the status of the answer, 401 with the code
 * totp_required when CODE is NULL.  A code that was right is used up.
 */
int second_factor_demand(struct request *, long long user, const char *code) MUST_CHECK;

/* How an authenticator app calls this installation. */
const char *totp_issuer(struct request *);

/* --- files --- */

/*
 * A struct upload is gone when the request ends.  upload_keep gives it the name
 * PATH for good, where nothing may be yet; false after logging why it could not.
 * upload_read reads on in it, as an object_source_fn for object_put().
 */
bool upload_keep(const struct upload *, const char *path) MUST_CHECK;
long upload_read(void *upload, char *bytes, size_t room);

/* --- asking the database --- */

/*
 * query(rq, "SELECT … $1", value, …): the SQL must be a literal, which the
 * compiler checks; it is prepared once per connection.  Never NULL.  Once a
 * statement of a request has failed, later ones are not sent.
 */
#define query(rq, sql, ...) query_run(rq, STATEMENT(sql, __VA_ARGS__))
struct rows *query_run(struct request *, const struct statement *);

/*
 * The same for a change whose rows nobody reads, on a route with .transaction: it
 * goes out with the next statement, or with the commit, and costs no round trip.
 */
#define query_later(rq, sql, ...) query_later_run(rq, STATEMENT(sql, __VA_ARGS__))
void query_later_run(struct request *, const struct statement *);

/*
 * For a handler that first does something slow and then changes things that belong
 * together: WORK runs as the handler of a route with .transaction would, so that no
 * connection waits meanwhile.  Returns what it answers.
 */
typedef int work_fn(struct request *, void *context);
int together(struct request *rq, work_fn *work, void *context);

/*
 * Many rows within a transaction: copy_begin(rq, "COPY … FROM STDIN"), copy_send any
 * number of times, copy_end; nothing else is asked in between.  Rows are made by
 * copy_add().  False: it failed, which the next reply_… or job_… says; a handler
 * looks to stop early.
 */
#define copy_begin(rq, sql) copy_begin_run(rq, "" sql "")
bool copy_begin_run(struct request *, const char *sql);
bool copy_send(struct request *, const struct buffer *rows);
bool copy_end(struct request *);

/* Adds a field of a row: behind a tab unless it is the FIRST; copy_end_row ends the row. */
void copy_add(struct buffer *, const char *text, bool first);
void copy_end_row(struct buffer *);

/*
 * A line of a file as a struct: the VALUES, in the order of the shape's fields,
 * checked and stored INTO it.  NULL, or all that is wrong with it, in the arena, as
 * the struct is: "region must be one of Norte, Sul; total is missing".
 */
const char *line_bind(
    struct arena *, const struct shape *, const char *const *values, size_t count, void *into);

/* --- files that stay --- */

/* Where they are kept (store/object.h); NULL when the configuration names no place. */
struct object_store *request_objects(struct request *);

/* An empty file for the time of this request or job, without a name; -1 after logging why. */
int request_scratch_file(struct request *);

/* --- tokens --- */

/* The keys that sign them (core/identity/keyring.h); NULL when the configuration names none. */
struct keyring *request_keys(struct request *);

/* What a token says, beside who made it and how long it is valid. */
struct token_grant {
	const char *client, *user_id, *username, *role, *scope;
};

/* A signed access token, in the arena; NULL: there is no key to sign with. */
const char *token_make(struct request *, const struct token_grant *);
long long token_lifetime(struct request *);   /* of those, in seconds */
long long refresh_lifetime(struct request *); /* of refresh tokens that follow from each other */

/* The value of Authorization, whatever its scheme; NULL: there is none. */
const char *request_authorization(struct request *);

/* --- letters --- */

/*
 * How they leave (store/mail.h), in a job; NULL when the configuration names no way.  A
 * feature writes a row into outbox and enqueues "mail.send" with its id.
 */
struct mailer *request_mailer(struct request *);

/* --- the cache --- */

/*
 * What a route keeps and drops stands in its table.  A key that only its handler
 * knows is dropped by cache_drop: when the handler has returned and its work is
 * committed, before the answer leaves.  KEY lives as long as the request.
 */
void cache_drop(struct request *, const char *key);

/* --- work for later --- */

/*
 * enqueue(rq, &kind, &arguments) returns the new job's id; inside a transaction
 * it is there when that is, and gone when that is rolled back.  NULL when it, or
 * a statement before it, failed: reply_task and the others say so.  Arguments that
 * do not fit their shape are a mistake of ours.  enqueue_when has wishes.
 */
struct enqueue_wishes {
	const char *run_at; /* not before: RFC 3339 */
	long long delay_ms; /* not before so long from now, or from run_at */
	long long priority; /* among jobs of its kind the lowest is first; 0: 100 */
};
const char *enqueue(struct request *, const struct job_kind *, const void *arguments);
const char *enqueue_when(struct request *, const struct job_kind *, const void *arguments,
    const struct enqueue_wishes *);

/* COUNT structs, one behind the other, as so many jobs; a kind with a unique key takes one by one.
 */
bool enqueue_many(struct request *, const struct job_kind *, const void *arguments, size_t count);

/*
 * The same for another feature's kind, by its name and with JSON.  NULL also when
 * there is no such kind, or the JSON is not what it takes; *WRONG then says why.
 */
const char *enqueue_named(struct request *, const char *kind, const char *json, const char **wrong);

/* There is work for workers that sleep: for who changed the queue in another way. */
void enqueue_wake(struct request *);

/* --- events --- */

/*
 * Hands all of LIST, structs of the kind's shape, over to the broker, in their order; for a
 * request's handler.  True: they are on its disk, or on ours where they wait for it, and will be
 * applied.  False: they are not, or only some; reply_not_taken() says so.
 */
bool publish(struct request *, const struct event_kind *, const struct list *) MUST_CHECK;
int reply_not_taken(struct request *); /* 503 with Retry-After */

/*
 * How many of the events called KIND were taken and are not applied yet, asked of the broker
 * itself: who should apply them may be gone.  -1: nobody can tell just now.
 */
long long events_waiting(struct request *, const char *kind);

/* So many days of events are kept; and what is before this time (ms since 1970) is gone. */
long long event_days(const struct request *);
long long event_oldest_ms(const struct request *);

/* --- in a job's handler --- */

/*
 * "return job_done(rq)".  It is a failure instead if a statement has failed, so
 * that no handler looks.  What failed is tried again, later each time, until it
 * is a dead letter; what is refused becomes one at once.
 */
enum job_end job_done(struct request *);
enum job_end job_done_with(struct request *, const char *json, size_t length); /* a result */
enum job_end job_failed(struct request *, const char *why, ...) PRINTF_LIKE(2, 3);
enum job_end job_refused(struct request *, const char *why, ...) PRINTF_LIKE(2, 3);

/*
 * Whether it should end soon: it was cancelled, its time is over, or its process
 * ends.  Whoever looks now and then returns job_stopped(rq).
 */
bool job_cancelled(struct request *);
enum job_end job_stopped(struct request *);
void job_progress(struct request *, int percent); /* costs nothing: said about once a second */
long long job_attempt(struct request *);          /* from 1 */
const char *job_id(struct request *);

/* --- answering: each returns the status --- */

/* When to ask again, as part of whatever is answered. */
void reply_retry_after(struct request *, int seconds);
void reply_challenge(struct request *, const char *challenge); /* WWW-Authenticate */
void reply_location(struct request *, const char *path);       /* where it is to be found */

/* 202 with the job's id, Location and Retry-After: how it goes is told at /api/task/{id}. */
int reply_task(struct request *, const char *job);
extern const struct shape queued_task; /* what it gives, for the route's table */

/*
 * The first row, 404 without one.  How objects and lists come out of columns is
 * told in core/answer/serialize.h.
 */
int reply_row(struct request *, const struct rows *);
int reply_row_as(
    struct request *, const struct shape *, const struct rows *); /* of route.or_gives */
int reply_created(struct request *, const struct rows *);  /* 201, Location by the row's id */
int reply_accepted(struct request *, const struct rows *); /* the first row, with 202 */

/*
 * 202 with how many of the items were taken, and with ?partial=true what is wrong with the others.
 * They are what a route gives that is .partial.
 */
int reply_taken(struct request *, size_t accepted);
extern const struct shape taken_shape, partly_taken_shape;

/*
 * A page of a list: at most LIMIT items, from LIMIT + 1 rows asked for.  When
 * there are more, "next" and Link carry a cursor made of the last item's
 * created_at and id.
 */
int reply_list(struct request *, const struct rows *, long long limit);
int reply_done(struct request *, const struct rows *); /* 204, 404 without a row */
int reply_see_other(struct request *, const struct rows *, const char *path); /* 303 */
int reply_struct(struct request *, const void *); /* a struct of route.gives, from no table */
int reply_struct_as(struct request *, int status, const void *); /* the same, under route.also */
/*
 * On a route with .csv: whether the client would rather have that than JSON, and
 * all rows as such, a line each, the first with the columns' names.  A browser
 * saves it as NAME.csv.
 */
bool csv_asked(const struct request *);
int reply_csv(struct request *, const struct rows *, const char *name);
int reply_json(struct request *, int status, const char *json, size_t length);
int reply_missing(struct request *); /* 404 */
/* 422: the input NAME is wrong in a way that no shape can tell, by itself or beside another. */
int reply_fault(struct request *, const char *name, const char *detail);
int reply_problem(struct request *, int status, const char *detail, ...) PRINTF_LIKE(3, 4);
/* The same with a CODE that programs can rely on, such as "totp_required". */
int reply_refusal(struct request *, int status, const char *code, const char *detail, ...)
    PRINTF_LIKE(4, 5);

#endif
