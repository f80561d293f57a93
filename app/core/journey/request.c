/*
 * request.c - a request begins, asks the database, ends.
 *
 * Nothing that a request allocates is freed by itself: the arena is emptied when the
 * answer has left.  What is no memory, such as libpq's results, is held in lists
 * here and let go at the same moment, so that no handler can forget it or use it
 * too long.
 */
#include "core/journey/request.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/input/uploads.h"
#include "core/journey/transact.h"

struct request *request_new(struct application *app, struct arena *arena)
{
	struct request *rq = arena_alloc(arena, sizeof(*rq));

	rq->app = app;
	rq->arena = arena;
	rq->failure = DONE;
	buffer_start(&rq->response.head, arena, 1024);
	buffer_start(&rq->response.lines, arena, 256);
	/* Last, so that it can grow where it stands. */
	buffer_start(&rq->response.body, arena, 1024);
	return rq;
}

void request_end(struct request *rq)
{
	for (struct held_rows *held = rq->held; held != NULL; held = held->next)
		rows_free(held->rows);
	rq->held = NULL;
	uploads_close(rq);
}

const char *request_path_value(const struct request *rq, const char *name)
{
	const char *brace = rq->route->path;
	size_t length = strlen(name);

	for (size_t i = 0; (brace = strchr(brace, '{')) != NULL; i++) {
		brace++;
		if (strncmp(brace, name, length) == 0 && brace[length] == '}')
			return rq->path_value[i];
	}
	return NULL;
}

void request_hold(struct request *rq, struct rows *rows)
{
	struct held_rows *held = arena_alloc(rq->arena, sizeof(*held));

	*held = (struct held_rows){ rows, rq->held };
	rq->held = held;
}

void request_note(struct request *rq, enum fate fate, const char *constraint)
{
	if (rq->failure != DONE || fate == DONE)
		return;
	rq->failure = fate;
	snprintf(rq->failed_constraint, sizeof(rq->failed_constraint), "%s", constraint);
}

/* An earlier statement failed: this one may depend on what it did not do. */
static struct rows *not_asked(struct request *rq)
{
	struct rows *rows = arena_alloc(rq->arena, sizeof(*rows));

	rows->fate = rq->failure;
	return rows;
}

struct rows *query_run(struct request *rq, const struct statement *statement)
{
	int64_t asked;
	struct rows *rows;

	if (rq->failure != DONE)
		return not_asked(rq);
	asked = clock_now();
	rows = rq->transaction != NULL ? transact_ask(rq, statement)
				       : db_run(rq->app->db, rq->arena, statement);
	rq->db_us += clock_now() - asked;
	request_hold(rq, rows);
	request_note(rq, rows->fate, rows->constraint);
	return rows;
}

void query_later_run(struct request *rq, const struct statement *statement)
{
	if (rq->transaction == NULL)
		bug("%s asks a statement for later without a transaction", rq->route->path);
	if (rq->failure == DONE)
		transact_add(rq, statement);
}

struct object_store *request_objects(struct request *rq)
{
	return rq->app->objects;
}

const struct link_options *link_options(struct request *rq)
{
	return &rq->app->links;
}

struct mailer *request_mailer(struct request *rq)
{
	return rq->app->mailer;
}

int request_scratch_file(struct request *rq)
{
	return uploads_open(rq);
}

struct arena *request_arena(struct request *rq)
{
	return rq->arena;
}

long long user_id(struct request *rq)
{
	return rq->user_id;
}

const char *request_authorization(struct request *rq)
{
	return rq->head.authorization;
}

const char *totp_issuer(struct request *rq)
{
	return rq->app->totp_issuer;
}

struct keyring *request_keys(struct request *rq)
{
	return rq->app->keys;
}

enum access role(struct request *rq)
{
	return rq->role;
}

const char *username(struct request *rq)
{
	return rq->username;
}

long long path_id(struct request *rq)
{
	return rq->path_id;
}
