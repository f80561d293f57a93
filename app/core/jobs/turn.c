/*
 * turn.c - what the runner says to the queue, one round trip each.
 *
 * The main question goes to all kinds without limits.  Beside it there are side
 * questions: for jobs that are to be claimed by themselves, and one for each
 * limited kind.  They are asked when the main one brought nothing, and now and
 * then when it always does.
 */
#include "core/jobs/turn.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* Main questions between two side questions, at most. */
#define MAIN_MOST 16

static int64_t deadline_of(const struct runner *r)
{
	return clock_now() + r->options->lease_ms * 1000 / 3;
}

/* --- the connection --- */

/* Whatever happened, the next turn begins with a new session, and looks for what was lost. */
static bool fail(struct runner *r, enum fate fate, long long token)
{
	if (fate != UNAVAILABLE && token != 0)
		r->lost = token;
	connection_close(&r->connection);
	return false;
}

static bool recover(struct runner *r)
{
	struct pipeline p = { 0 };
	enum fate fate;

	if (r->lost == 0)
		return true;
	queue_add_recover(&p, r->claim, r->lost);
	fate = connection_pipeline(r->connection, &p, deadline_of(r));
	pipeline_free(&p);
	if (fate != DONE)
		return fail(r, fate, 0);
	r->lost = 0;
	return true;
}

bool turn_connect(struct runner *r)
{
	const struct connection_options options = { .conninfo = r->options->conninfo,
		.application = r->options->application,
		.statement_timeout_ms = r->options->lease_ms / 4 };

	if (r->connection != NULL)
		return true;
	r->connection = connection_open(&options, deadline_of(r));
	if (r->connection == NULL)
		return false;
	if (connection_script(r->connection, QUEUE_SESSION, deadline_of(r)) != DONE)
		return fail(r, LOST, 0);
	return recover(r);
}

/* --- settling --- */

static size_t add_outcomes(struct runner *r, struct pipeline *p)
{
	if (r->unsettled > 0)
		queue_add_outcomes(p, r->claim, r->outcomes, r->unsettled, r->held);
	return p->count;
}

static void have_settled(struct runner *r, const struct pipeline *p, size_t statements)
{
	long long ours = queue_settled(p, statements);

	if (ours < (long long)r->unsettled)
		log_info("%lld jobs were not ours any more when they had ended",
		    (long long)r->unsettled - ours);
	r->unsettled = 0;
	hand_settle(r->hand);
}

/*
 * One outcome that the database does not take must not hold up the others, nor
 * come again for ever: by themselves those that are well are taken, and the one
 * that is not becomes a dead letter without what was wrong with it.
 */
static bool settle_singly(struct runner *r)
{
	size_t count = r->unsettled;

	for (size_t i = 0; i < count; i++) {
		struct queue_outcome one = r->outcomes[i];
		struct pipeline p = { 0 };
		enum fate fate;

		queue_add_outcomes(&p, r->claim, &one, 1, r->held);
		fate = connection_pipeline(r->connection, &p, deadline_of(r));
		pipeline_free(&p);
		if (fate == INVALID || fate == BROKEN || fate == CONFLICT) {
			one.verdict = QUEUE_DISCARDED;
			one.result = NULL;
			one.error = "the database does not take its result, or its error";
			queue_add_outcomes(&p, r->claim, &one, 1, r->held);
			fate = connection_pipeline(r->connection, &p, deadline_of(r));
			pipeline_free(&p);
		}
		if (fate != DONE)
			return fail(r, fate, 0);
	}
	r->unsettled = 0;
	hand_settle(r->hand);
	return true;
}

/* Sends P, whose first STATEMENTS settle.  False: it failed; TOKEN is of a claim in it. */
static bool travel(struct runner *r, struct pipeline *p, size_t statements, long long token)
{
	enum fate fate = connection_pipeline(r->connection, p, deadline_of(r));

	if (fate == DONE) {
		have_settled(r, p, statements);
		return true;
	}
	pipeline_free(p);
	if (r->unsettled > 0 && (fate == INVALID || fate == BROKEN || fate == CONFLICT)) {
		(void)settle_singly(r);
		return false;
	}
	return fail(r, fate, token);
}

bool turn_settle(struct runner *r)
{
	struct pipeline p = { 0 };
	size_t statements;

	if (r->unsettled == 0)
		return true;
	if (!turn_connect(r))
		return false;
	statements = add_outcomes(r, &p);
	if (!travel(r, &p, statements, 0))
		return r->unsettled == 0;
	pipeline_free(&p);
	return true;
}

bool turn_begin(struct runner *r, struct queue_job *job)
{
	struct pipeline p = { 0 };
	size_t statements;
	bool ours;

	if (!turn_connect(r))
		return false;
	statements = add_outcomes(r, &p);
	queue_add_begin(&p, r->claim, job->id, r->held);
	if (!travel(r, &p, statements, 0))
		return false;
	ours = p.rows[statements].count == 1;
	pipeline_free(&p);
	job->attempt++;
	job->begun = true;
	return ours;
}

void turn_release(struct runner *r, const struct queue_job *jobs, size_t count)
{
	const char **ids = arena_alloc(r->claim, count * sizeof(*ids));
	struct pipeline p = { 0 };
	size_t statements;

	for (size_t i = 0; i < count; i++)
		ids[i] = jobs[i].id;
	/* Should it fail, their lease ends by itself. */
	if (!turn_connect(r))
		return;
	statements = add_outcomes(r, &p);
	queue_add_release(&p, r->claim, ids, count, r->held);
	if (travel(r, &p, statements, 0))
		pipeline_free(&p);
}

/* --- claiming --- */

static struct queue_job copy_job(struct arena *arena, const struct rows *rows, int row)
{
	struct queue_job job = queue_claimed(rows, row);

	job.id = arena_copy(arena, job.id, strlen(job.id));
	job.args = arena_copy(arena, job.args, strlen(job.args));
	job.priority = job.run_at = NULL; /* of use to lanes_mark alone */
	if (job.traceparent != NULL)
		job.traceparent = arena_copy(arena, job.traceparent, strlen(job.traceparent));
	return job;
}

/*
 * The jobs in the order in which they are run: that of the lanes, but the quick
 * ones first, so that none of them waits for a slow one.
 */
static struct queue_job *order_jobs(struct runner *r, const struct rows *rows)
{
	struct queue_job *jobs = arena_alloc(r->next, (size_t)rows->count * sizeof(*jobs));
	size_t *lane = arena_alloc(r->next, (size_t)rows->count * sizeof(*lane));
	size_t count = 0;

	for (int row = 0; row < rows->count; row++)
		lane[row] = (size_t)(lanes_find(r->lanes, queue_claimed(rows, row).kind) -
				     r->lanes->of);
	for (int slow = 0; slow < 2; slow++)
		for (size_t i = 0; i < r->lanes->count; i++) {
			if (lane_is_slow(&r->lanes->of[i]) != (slow != 0))
				continue;
			for (int row = 0; row < rows->count; row++)
				if (lane[row] == i) {
					jobs[count] = copy_job(r->next, rows, row);
					jobs[count++].kind = r->lanes->of[i].kind->name;
				}
		}
	return jobs;
}

/* What the claim brought is in hand from here on; what was there before is settled. */
static int take_in_hand(struct runner *r, const struct rows *rows, long long token)
{
	struct arena *before = r->claim;
	struct queue_job *jobs = order_jobs(r, rows);

	r->held = token;
	hand_hold(r->hand, jobs, (size_t)rows->count, token);
	r->claim = r->next;
	r->next = before;
	arena_reset(r->next);
	return rows->count;
}

static struct queue_claim claim_of(struct runner *r)
{
	return (struct queue_claim){ .most = r->options->batch_most,
		.token = ++r->token,
		.lease_ms = r->options->lease_ms,
		.worker = r->options->worker };
}

static int ask_main(struct runner *r)
{
	struct queue_claim claim = claim_of(r);
	struct pipeline p = { 0 };
	size_t statements = add_outcomes(r, &p);
	int64_t asked = clock_now();
	int got;

	lanes_ask(r->lanes, r->claim, &claim, r->options->batch_most);
	queue_add_claim(&p, r->claim, &claim);
	if (!travel(r, &p, statements, claim.token))
		return -1;
	lanes_mark(r->lanes, &claim, &p.rows[statements], clock_now() - asked);
	got = take_in_hand(r, &p.rows[statements], claim.token);
	pipeline_free(&p);
	return got;
}

/* The side questions: the first is for jobs by themselves, the others are the limited lanes'. */
static size_t side_questions(const struct runner *r)
{
	size_t count = 1;

	for (size_t i = 0; i < r->lanes->count; i++)
		count += r->lanes->of[i].limited;
	return count;
}

static const struct lane *limited_lane(const struct runner *r, size_t which)
{
	for (size_t i = 0; i < r->lanes->count; i++)
		if (r->lanes->of[i].limited && which-- == 0)
			return &r->lanes->of[i];
	bug("there is no limited lane %zu", which);
}

static void add_limited(struct runner *r, struct pipeline *p, const struct queue_claim *usual)
{
	const struct job_kind *kind = limited_lane(r, r->side - 1)->kind;
	const struct queue_lane lane = { .kind = kind->name };
	const struct queue_limits limits = { kind->running_most, kind->per_second };

	struct queue_claim claim = *usual;

	/* One by one: each counts where the limits are. */
	claim.lanes = &lane;
	claim.count = 1;
	claim.most = 1;
	queue_add_claim_limited(p, r->claim, &claim, &limits);
}

static int ask_side(struct runner *r)
{
	struct queue_claim claim = claim_of(r);
	struct pipeline p = { 0 };
	size_t statements = add_outcomes(r, &p);
	int got;

	r->side = (r->side + 1) % side_questions(r);
	r->asked = 0;
	if (r->side == 0) {
		lanes_name(r->lanes, r->claim, &claim);
		queue_add_claim_alone(&p, r->claim, &claim);
	} else {
		add_limited(r, &p, &claim);
	}
	if (!travel(r, &p, statements, claim.token))
		return -1;
	got = take_in_hand(r, &p.rows[p.count - 1], claim.token);
	pipeline_free(&p);
	return got;
}

/* The main question; of the lanes that were left out too, before it says that there is nothing. */
static int ask_lanes(struct runner *r)
{
	int got = ask_main(r);

	r->asked++;
	if (got == 0 && !r->lanes->asked_all) {
		lanes_refresh(r->lanes);
		got = ask_main(r);
	}
	if (got == 0)
		lanes_refresh(r->lanes);
	return got;
}

int turn_ask(struct runner *r)
{
	int got = 0;

	if (r->asked >= MAIN_MOST)
		got = ask_side(r);
	if (got == 0)
		got = ask_lanes(r);
	for (size_t i = 0; i < side_questions(r) && got == 0; i++)
		got = ask_side(r);
	return got;
}
