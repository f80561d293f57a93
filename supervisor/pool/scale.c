/*
 * scale.c - how many workers a pool needs, from what was seen of its demand.
 *
 * Up: at most twice as many at each look, so that a burst is met within a few
 * and a wrong number costs little.  Down: never below the highest demand of the
 * whole quiet time, and one at a time.  Between the two lies that time, so a
 * demand that goes up and down faster moves nothing: no flapping.
 */
#include "supervisor/pool/scale.h"

#include <string.h>

#include "base/clock.h"

#define US(milliseconds) ((int64_t)(milliseconds)*1000)

/* A connection is in the queue for a moment even while workers wait for it; for so many looks in a
 * row it is there because none does: kept connections hold them, or what they do cannot be seen. */
#define STUCK_LOOKS 5

/* So many intervals late, and a second at least, looks were missed: the machine or we were asleep.
 */
#define MISSED 10

const char *const scale_why_names[] = { [SCALE_ENOUGH] = "enough",
	[SCALE_LIMITS] = "limits",
	[SCALE_CLIENT] = "client",
	[SCALE_DEMAND] = "demand",
	[SCALE_QUIET] = "quiet",
	[SCALE_IDLE] = "idle",
	[SCALE_AT_MAX] = "max",
	[SCALE_MEMORY] = "memory",
	[SCALE_FAILING] = "failing",
	[SCALE_UNSEEN] = "unseen",
	NULL };

static long long least(long long a, long long b)
{
	return a < b ? a : b;
}

static long long most(long long a, long long b)
{
	return a > b ? a : b;
}

long long scale_within(const struct scale_conf *conf, long long workers)
{
	return most(conf->min, least(conf->max, workers));
}

/* --- what was seen ---------------------------------------------------------------------------- */

/* In workers, of which each can do as much at once as it has threads. */
static long long demand_of(const struct scale_history *history, const struct scale_look *look)
{
	long long busy = look->busy > 0 ? look->busy : 0;
	long long queue = look->queue > 0 ? look->queue : 0;

	if (history->waited >= STUCK_LOOKS)
		busy = most(busy, look->ready * look->threads);
	return (busy + queue + look->threads - 1) / look->threads;
}

static void begin(struct scale_history *history, int64_t now)
{
	memset(history->peak, 0, sizeof(history->peak));
	history->since = now;
	history->piece_since = now;
	history->active_at = now;
	history->waited = 0;
}

/* The oldest part of the quiet time gives way to a new one, as often as time has passed. */
static void turn(struct scale_history *history, int64_t part, int64_t now)
{
	if (now - history->piece_since >= part * SCALE_PIECES) {
		memset(history->peak, 0, sizeof(history->peak));
		history->piece_since = now;
	}
	while (now - history->piece_since >= part) {
		history->piece = (history->piece + 1) % SCALE_PIECES;
		history->peak[history->piece] = 0;
		history->piece_since += part;
	}
}

void scale_see(
    struct scale_history *history, const struct scale_conf *conf, const struct scale_look *look)
{
	int64_t late = most(US(conf->interval) * MISSED, SECOND_US);

	if (history->since == 0 || look->now - history->last > late)
		begin(history, look->now);
	turn(history, US(conf->quiet) / (SCALE_PIECES - 1), look->now);
	history->last = look->now;
	history->waited = look->queue > 0 && look->ready > 0 ? history->waited + 1 : 0;
	history->demand = demand_of(history, look);
	history->peak[history->piece] = most(history->peak[history->piece], history->demand);
	if (look->active || history->demand > 0)
		history->active_at = look->now;
}

void scale_has_shrunk(struct scale_history *history, int64_t now)
{
	history->down_at = now;
}

/* The highest demand of the quiet time. */
static long long peak_of(const struct scale_history *history)
{
	long long peak = 0;

	for (unsigned i = 0; i < SCALE_PIECES; i++)
		peak = most(peak, history->peak[i]);
	return peak;
}

/* --- what follows ----------------------------------------------------------------------------- */

/* For a demand of so many; without any, a pool that may be empty needs nobody in reserve. */
static long long wanted_for(const struct scale_conf *conf, long long demand)
{
	if (demand == 0 && conf->min == 0)
		return 0;
	return most(conf->min, demand + conf->spare);
}

/* How many more fit in ROOM bytes, when each takes as much as one does now. */
static long long fitting(long long room, long long each)
{
	if (room <= 0)
		return 0;
	return each > 0 ? room / each : 1;
}

/* How many more there is memory for.  Where that cannot be measured no limit could be kept. */
static long long memory_left(const struct scale_conf *conf, const struct scale_look *look)
{
	long long each = look->measured > 0 ? look->memory / look->measured : 0;
	long long more = conf->max;

	if (conf->memory > 0 && look->measured == 0 && look->ready > 0)
		return 0;
	if (conf->memory > 0)
		more = least(more, fitting(conf->memory - each * look->workers, each));
	if (conf->free_memory > 0)
		more = least(more, fitting(look->available - conf->free_memory, each));
	return more;
}

static struct scale_advice advise(long long workers, long long wanted, enum scale_why why)
{
	return (struct scale_advice){ workers, wanted, why };
}

/* Those who have been sent away and have not gone yet count, too: never more than max at once. */
static struct scale_advice rise(
    const struct scale_conf *conf, const struct scale_look *look, long long wanted)
{
	long long ceiling = conf->max - look->leaving;
	long long next = least(wanted, most(2 * look->workers, 1));
	long long more = memory_left(conf, look);

	if (look->failing)
		return advise(look->workers, wanted, SCALE_FAILING);
	if (look->ready == 0) /* whether it can run at all is not known yet */
		return advise(look->workers, wanted, SCALE_ENOUGH);
	if (look->workers >= ceiling)
		return advise(look->workers, wanted, SCALE_AT_MAX);
	if (more == 0)
		return advise(look->workers, wanted, SCALE_MEMORY);
	return advise(least(next, least(ceiling, look->workers + more)), wanted, SCALE_DEMAND);
}

/* The last one: the next client would have to wait until another has started. */
static struct scale_advice send_last(const struct scale_history *history,
    const struct scale_conf *conf, const struct scale_look *look)
{
	if (look->now - history->active_at < US(conf->idle))
		return advise(1, 0, SCALE_ENOUGH);
	return look->unseen ? advise(1, 0, SCALE_UNSEEN) : advise(0, 0, SCALE_IDLE);
}

static struct scale_advice fall(const struct scale_history *history, const struct scale_conf *conf,
    const struct scale_look *look, long long wanted)
{
	long long enough = wanted_for(conf, peak_of(history));

	if (look->now - history->since < US(conf->quiet) || look->workers <= enough ||
	    look->now - history->down_at < US(conf->down_interval))
		return advise(look->workers, wanted, SCALE_ENOUGH);
	if (look->workers == 1)
		return send_last(history, conf, look);
	if (look->unseen)
		return advise(look->workers, wanted, SCALE_UNSEEN);
	return advise(look->workers - 1, wanted, SCALE_QUIET);
}

struct scale_advice scale_decide(const struct scale_history *history, const struct scale_conf *conf,
    const struct scale_look *look)
{
	long long wanted = wanted_for(conf, history->demand);

	if (look->workers == 0 && conf->min == 0)
		return history->demand > 0 ? advise(1, wanted, SCALE_CLIENT)
					   : advise(0, wanted, SCALE_ENOUGH);
	if (look->workers != scale_within(conf, look->workers))
		return advise(scale_within(conf, look->workers), wanted, SCALE_LIMITS);
	if (wanted > look->workers)
		return rise(conf, look, wanted);
	return fall(history, conf, look, wanted);
}
