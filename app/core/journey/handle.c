/*
 * handle.c - the handle stage: the feature's own code, and the transaction around it.
 *
 * A route whose statements belong together says so in its table.  What its handler
 * asks then happens when it answers with success, and not at all otherwise, so that
 * no handler begins, commits or rolls back.  A deadlock, or a connection that broke
 * before COMMIT, has changed nothing: the handler is called once more, as if for the
 * first time.  Only a COMMIT whose answer never came leaves the outcome open.
 */
#include "core/answer/etag.h"
#include "core/answer/kept.h"
#include "core/answer/problem.h"
#include "core/audit/audit.h"
#include "core/journey/condition.h"
#include "core/journey/journey.h"
#include "core/journey/once.h"
#include "core/journey/transact.h"

/* How often a handler is called whose statements were undone by no fault of its own. */
#define TRIES 2

/* Takes back what an attempt has answered, up to the LINES that the stages before it wrote. */
static void forget_answer(struct request *rq, size_t lines)
{
	struct response *response = &rq->response;

	response->status = 0;
	response->media = response->etag = response->next = NULL;
	response->body.length = 0;
	response->lines.length = lines;
}

static int answer_changed(struct request *rq)
{
	return reply_problem(rq, 412,
	    rq->head.if_match != NULL
		? "What was to be changed has another ETag by now: read it again."
		: "There is something here already.");
}

/* What the handler has answered, once nothing of it was or will be done. */
static int undo(struct request *rq, int status)
{
	transact_roll_back(rq);
	return status;
}

/* Commits what the handler did.  Its answer stays, unless that fails. */
static int settle(struct request *rq, int status, size_t lines)
{
	if (once_is_asked(rq))
		once_store(rq, lines);
	transact_commit(rq);
	if (rq->failure == DONE)
		return status;
	forget_answer(rq, lines);
	return problem_of_failure(rq);
}

static int attempt(struct request *rq, work_fn *work, void *context)
{
	size_t lines = rq->response.lines.length;
	int status;

	transact_begin(rq);
	if (once_is_asked(rq)) {
		status = once_claim(rq);
		if (status != 0)
			return undo(rq, status);
	}
	if (condition_is_set(rq))
		condition_ask(rq);
	status = work(rq, context);
	/* A handler may have answered before it asked for what then failed. */
	if (rq->failure != DONE && status < 400) {
		forget_answer(rq, lines);
		status = problem_of_failure(rq);
	}
	if (status >= 400)
		return undo(rq, status);
	if (condition_is_set(rq) && !condition_holds(rq)) {
		forget_answer(rq, lines);
		return undo(rq, rq->failure != DONE ? problem_of_failure(rq) : answer_changed(rq));
	}
	return settle(rq, status, lines);
}

/* Works within a transaction, again when that came to nothing by itself. */
int together(struct request *rq, work_fn *work, void *context)
{
	size_t lines = rq->response.lines.length;
	struct audit_note *refusals = rq->refusals;
	int status = attempt(rq, work, context);

	for (int tries = 1; rq->failure == RETRY && tries < TRIES; tries++) {
		forget_answer(rq, lines);
		audit_forget(rq, refusals);
		rq->failure = DONE;
		rq->drops = NULL;
		rq->drops_count = 0;
		status = attempt(rq, work, context);
	}
	return status;
}

static int call_handler(struct request *rq, void *unused)
{
	(void)unused;
	return rq->route->handler(rq);
}

/* Made before the answer is kept, so that it costs nothing when that comes from the cache. */
static void digest_answer(struct request *rq)
{
	struct response *response = &rq->response;

	if (rq->route->digested && response->status == 200)
		response->etag = etag_of(rq->arena, response->body.data, response->body.length);
}

int stage_handle(struct request *rq)
{
	bool whole = rq->route->transaction || condition_is_set(rq) || once_is_asked(rq);
	int status = whole ? together(rq, call_handler, NULL) : rq->route->handler(rq);

	digest_answer(rq);
	/* Behind the commit: a reader must not keep what was there before it. */
	kept_settle(rq);
	return status;
}
