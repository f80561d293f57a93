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
#include "core/route.h"
#include "store/connection.h"

struct arena *request_arena(struct request *);

/* --- what was asked --- */

const void *input(struct request *); /* the struct of route.takes, validated */
long long user_id(struct request *); /* who is asking */
long long path_id(struct request *); /* the {id} of the path */
bool given_any(struct request *);    /* whether any input was given */

/* The member's value when it was given, SQL's NULL otherwise: for coalesce($1, column). */
#define given(rq, type, member) given_value(rq, offsetof(type, member))
struct value given_value(struct request *, size_t offset);

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

/* --- the cache --- */

/*
 * What a route keeps and drops stands in its table.  A key that only its handler
 * knows is dropped by cache_drop: when the handler has returned and its work is
 * committed, before the answer leaves.  KEY lives as long as the request.
 */
void cache_drop(struct request *, const char *key);

/* --- answering: each returns the status --- */

int reply_row(struct request *, const struct rows *);     /* the first row, 404 without one */
int reply_created(struct request *, const struct rows *); /* 201, Location by the row's id */

/*
 * A page of a list: at most LIMIT items, from LIMIT + 1 rows asked for.  When
 * there are more, "next" and Link carry a cursor made of the last item's
 * created_at and id.
 */
int reply_list(struct request *, const struct rows *, long long limit);
int reply_done(struct request *, const struct rows *); /* 204, 404 without a row */
int reply_see_other(struct request *, const struct rows *, const char *path); /* 303 */
int reply_struct(struct request *, const void *); /* a struct of route.gives, from no table */
int reply_json(struct request *, int status, const char *json, size_t length);
int reply_missing(struct request *); /* 404 */
int reply_problem(struct request *, int status, const char *detail, ...) PRINTF_LIKE(3, 4);

#endif
