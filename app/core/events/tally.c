/*
 * tally.c - what a consumer counts.
 *
 * Counters on the scoreboard only grow; how they grow is the rate.  What goes up and
 * down (unread messages, the age of the last batch) is there as a gauge, which
 * begins with "=" (ostler-worker(7)), and in the database, where it outlives us.
 */
#include "core/events/tally.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/array.h"

#define PERIOD_US SECOND_US

enum counter { READ, APPLIED, DUPLICATES, DEAD, BATCHES, AGE, UNREAD, LATEST_AGE, COUNTERS };

static const char *const names[] = {
	[READ] = "events_read",
	[APPLIED] = "events_applied",
	[DUPLICATES] = "event_duplicates",
	[DEAD] = "event_dead_letters",
	[BATCHES] = "event_batches",
	[AGE] = "event_age_ms", /* of all that were applied, added up */
	[UNREAD] = "=events_unread",
	[LATEST_AGE] = "=event_latest_age_ms",
};

static const int ends[TALLY_BUCKETS] = { 1, 2, 3, 5, 7, 10, 14, 20, 28, 40, 60, 80, 110, 160, 250,
	500, 1000, 5000, 60000, 2147483647 };

void tally_init(
    struct tally *tally, struct scoreboard *board, const struct consume_options *options)
{
	*tally = (struct tally){ .score = &board->slot[0], .options = options };
	for (int i = 0; i < COUNTERS; i++)
		if (scoreboard_counter(board, names[i]) != i)
			bug("no room for the counter %s", names[i]);
}

static void count(struct tally *tally, enum counter counter, long long more)
{
	score_add(&tally->score->counter[counter], (uint64_t)more);
}

static void set(struct tally *tally, enum counter gauge, long long value)
{
	atomic_store_explicit(&tally->score->counter[gauge], (uint64_t)value, memory_order_release);
}

static size_t bucket_of(long long ms)
{
	size_t i = 0;

	while (ms > ends[i])
		i++;
	return i;
}

void tally_add(struct tally *tally, const struct batch *batch, long long fresh)
{
	long long now = clock_wall() / 1000, all = 0, latest = 0;

	for (size_t i = 0; i < batch->count; i++) {
		long long ms = now - batch->received[i].received_ms;

		if (ms < 0 || ms > ends[TALLY_BUCKETS - 1])
			ms = ms < 0 ? 0 : ends[TALLY_BUCKETS - 1];
		all += ms;
		latest = ms;
		tally->took[bucket_of(ms)]++;
	}
	tally->unwritten = tally->unwritten || batch->count > 0;
	count(tally, READ, (long long)batch->read.count);
	count(tally, APPLIED, fresh);
	count(tally, DUPLICATES, (long long)(batch->count + batch->repeated) - fresh);
	count(tally, DEAD, (long long)batch->dead_count);
	count(tally, BATCHES, 1);
	count(tally, AGE, all);
	if (batch->count > 0)
		set(tally, LATEST_AGE, latest);
}

/* --- writing it down --- */

static void write_unread(struct tally *tally, struct sink *sink, struct broker_reader *reader)
{
	struct broker_lag lag[BROKER_PARTITIONS_MOST];
	size_t partitions = broker_lags(reader, lag);
	struct arena *arena = arena_new(0);
	struct array numbers, unread;
	long long sum = 0;
	uint64_t told = 0;

	array_start(&numbers, arena);
	array_start(&unread, arena);
	for (size_t i = 0; i < partitions; i++) {
		array_add_integer(&numbers, lag[i].partition);
		array_add_integer(&unread, lag[i].unread);
		sum += lag[i].unread;
		told = (told + (uint64_t)lag[i].unread) * 257 + (uint64_t)lag[i].partition + 1;
	}
	set(tally, UNREAD, sum);
	/* What was said last time, of the same partitions, need not be said again. */
	if (told != tally->told)
		sink_note(sink,
		    STATEMENT("UPDATE event_offset AS kept SET unread = now_unread.unread, at = "
			      "now()"
			      " FROM unnest($2::integer[], $3::bigint[])"
			      " AS now_unread (partition, unread)"
			      " WHERE stream = $1 AND kept.partition = now_unread.partition",
			tally->options->kind->name, array_end(&numbers), array_end(&unread)));
	tally->told = told;
	arena_free(&arena);
}

static void write_took(struct tally *tally, struct sink *sink)
{
	struct arena *arena = arena_new(0);
	struct array ms, events;

	array_start(&ms, arena);
	array_start(&events, arena);
	for (size_t i = 0; i < TALLY_BUCKETS; i++) {
		if (tally->took[i] == 0)
			continue;
		array_add_integer(&ms, ends[i]);
		array_add_integer(&events, (long long)tally->took[i]);
		tally->took[i] = 0;
	}
	sink_note(
	    sink, STATEMENT("INSERT INTO event_latency AS had (minute, le_ms, shard, events)"
			    " SELECT date_trunc('minute', now()), le_ms, $1::smallint, events"
			    " FROM unnest($2::integer[], $3::bigint[]) AS took (le_ms, events)"
			    " ON CONFLICT (minute, le_ms, shard)"
			    " DO UPDATE SET events = had.events + excluded.events",
		      tally->options->shard, array_end(&ms), array_end(&events)));
	tally->unwritten = false;
	arena_free(&arena);
}

void tally_write(struct tally *tally, struct sink *sink, struct broker_reader *reader)
{
	if (clock_now() < tally->due)
		return;
	tally->due = clock_now() + PERIOD_US;
	write_unread(tally, sink, reader);
	if (tally->unwritten)
		write_took(tally, sink);
}
