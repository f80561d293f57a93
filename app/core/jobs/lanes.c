/* lanes.c - the kinds that a worker runs: what it knows of each, and what it asks of the queue. */
#include "core/jobs/lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/jobs/kinds.h"
#include "core/jobs/pace.h"

/*
 * What came into a lane before its mark (a job that is due again, one of a
 * higher priority) is found when the marks are put aside.  That look reads over
 * whatever is dead, so it is made the more seldom the longer it takes.
 */
#define MARKS_US    SECOND_US
#define MARKS_TIMES 20

/*
 * A lane that had nothing is not asked again for so long while others have work:
 * with many kinds, most of a claim's time would go into those.
 */
#define EMPTY_US (20 * SECOND_US / 1000)

static int by_priority(const void *a, const void *b)
{
	const struct lane *x = a, *y = b;
	long long p = kind_priority(x->kind), q = kind_priority(y->kind);

	return p < q ? -1 : p > q ? 1 : strcmp(x->kind->name, y->kind->name);
}

struct lanes lanes_of(const struct feature *const *features, struct arena *arena)
{
	struct lanes lanes = { .arena = arena };

	EACH_KIND(kind, features)
	lanes.count++;
	lanes.of = arena_alloc(arena, (lanes.count + 1) * sizeof(*lanes.of));
	lanes.count = 0;
	EACH_KIND(kind, features)
	lanes.of[lanes.count++] =
	    (struct lane){ .kind = *kind, .limited = kind_is_limited(*kind), .batch = 1 };
	qsort(lanes.of, lanes.count, sizeof(*lanes.of), by_priority);
	return lanes;
}

struct lane *lanes_find(const struct lanes *lanes, const char *kind)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (strcmp(lanes->of[i].kind->name, kind) == 0)
			return &lanes->of[i];
	return NULL;
}

static struct queue_lane ask_of(struct lane *lane, long long most)
{
	lane->batch = pace_batch(lane->mean_us, lane->batch, most);
	return (struct queue_lane){ .kind = lane->kind->name,
		.most = lane->batch,
		.priority = lane->marked ? lane->priority : QUEUE_NO_MARK_PRIORITY,
		.run_at = lane->marked ? lane->run_at : QUEUE_NO_MARK_RUN_AT,
		.id = lane->marked ? lane->id : QUEUE_NO_MARK_ID };
}

/* How many lanes from FROM on have its priority. */
static size_t equals(const struct lanes *lanes, size_t from)
{
	size_t count = 1;

	while (from + count < lanes->count &&
	       kind_priority(lanes->of[from + count].kind) == kind_priority(lanes->of[from].kind))
		count++;
	return count;
}

/* Asks a lane, but for one that had nothing just now. */
static size_t ask(struct lanes *lanes, struct lane *lane, struct queue_lane *asked, long long most)
{
	if (clock_now() < lane->empty_until) {
		lanes->asked_all = false;
		return 0;
	}
	*asked = ask_of(lane, most);
	return 1;
}

/*
 * Of equals, those that had nothing when they were last asked come first: behind
 * one that has jobs nobody would look at them again.
 */
void lanes_ask(struct lanes *lanes, struct arena *arena, struct queue_claim *claim, long long most)
{
	struct queue_lane *asked = arena_alloc(arena, (lanes->count + 1) * sizeof(*asked));
	size_t same;

	claim->lanes = asked;
	claim->count = 0;
	lanes->asked_all = true;
	lanes->turn++;
	if (clock_now() >= lanes->marks_until)
		for (size_t i = 0; i < lanes->count; i++)
			lanes->of[i].marked = false;
	for (size_t from = 0; from < lanes->count; from += same) {
		same = equals(lanes, from);
		for (size_t i = 0; i < 2 * same; i++) {
			struct lane *lane = &lanes->of[from + (lanes->turn + i) % same];

			if (!lane->limited && (lane->empty_until != 0) == (i < same))
				claim->count += ask(lanes, lane, &asked[claim->count], most);
		}
	}
}

void lanes_name(const struct lanes *lanes, struct arena *arena, struct queue_claim *claim)
{
	struct queue_lane *asked = arena_alloc(arena, (lanes->count + 1) * sizeof(*asked));

	claim->lanes = asked;
	claim->count = 0;
	for (size_t i = 0; i < lanes->count; i++)
		if (!lanes->of[i].limited)
			asked[claim->count++] =
			    (struct queue_lane){ .kind = lanes->of[i].kind->name };
}

/* A lane that gave less than it was asked for, though it was searched to its end, has no more. */
static void mark(
    struct lane *lane, const struct queue_lane *asked, const struct rows *rows, bool searched)
{
	struct queue_job last = { .id = NULL };
	long long got = 0;

	for (int row = 0; row < rows->count; row++) {
		struct queue_job job = queue_claimed(rows, row);

		if (strcmp(job.kind, asked->kind) != 0)
			continue;
		last = job;
		got++;
	}
	if (got < asked->most && searched)
		lane->marked = false;
	if (got > 0)
		lane->empty_until = 0;
	else if (searched)
		lane->empty_until = clock_now() + EMPTY_US;
	if (got < asked->most)
		return;
	lane->marked = true;
	snprintf(lane->priority, sizeof(lane->priority), "%s", last.priority);
	snprintf(lane->run_at, sizeof(lane->run_at), "%s", last.run_at);
	snprintf(lane->id, sizeof(lane->id), "%s", last.id);
}

/* The last of the claim's lanes that gave something; NULL: none did. */
static const char *last_kind(const struct queue_claim *claim, const struct rows *rows)
{
	for (size_t i = claim->count; i-- > 0;)
		for (int row = 0; row < rows->count; row++)
			if (strcmp(queue_claimed(rows, row).kind, claim->lanes[i].kind) == 0)
				return claim->lanes[i].kind;
	return NULL;
}

void lanes_mark(
    struct lanes *lanes, const struct queue_claim *claim, const struct rows *rows, int64_t took_us)
{
	/* One lane after the other until there were enough: those before the last were searched. */
	const char *last = rows->count < claim->most ? NULL : last_kind(claim, rows);
	bool searched = true;
	int64_t now = clock_now();

	if (now >= lanes->marks_until)
		lanes->marks_until = now + (took_us * MARKS_TIMES > MARKS_US ? took_us * MARKS_TIMES
									     : MARKS_US);
	for (size_t i = 0; i < claim->count; i++) {
		struct lane *lane = lanes_find(lanes, claim->lanes[i].kind);

		if (last != NULL && strcmp(claim->lanes[i].kind, last) == 0)
			searched = false;
		if (lane != NULL)
			mark(lane, &claim->lanes[i], rows, searched);
	}
}

void lanes_refresh(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->count; i++)
		if (lanes->of[i].empty_until != 0)
			lanes->of[i].empty_until = 1; /* long ago */
}

void lane_ran(struct lane *lane, int64_t us)
{
	lane->mean_us = pace_mean(lane->mean_us, us);
}

bool lane_is_slow(const struct lane *lane)
{
	return pace_batch(lane->mean_us, 2, 2) == 1;
}
