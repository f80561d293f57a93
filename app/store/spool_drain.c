/*
 * spool_drain.c - draining a spool into the broker, in its order.
 *
 * As long as anything waits, everything new is appended, so under a steady load the
 * end would move away for ever.  Near the end the drainer therefore keeps all others
 * from appending while it publishes the rest: who waited for that finds the spool
 * empty, and publishes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/spool_files.h"

/* As many bytes are published at once, or one record if that is longer. */
#define BATCH_BYTES (256 << 10)
#define NAP_US      20000

/* --- one batch --- */

struct portion {
	struct broker_message *messages;
	size_t count, bytes;
	bool unreadable; /* just now: that is not damage */
};

/* Adds the messages of RECORD. */
static void add_record(struct portion *portion, struct arena *arena, const char *record)
{
	struct record_head head;

	memcpy(&head, record, sizeof(head));
	portion->messages = arena_grow(arena, portion->messages,
	    portion->count * sizeof(*portion->messages),
	    (portion->count + head.count) * sizeof(*portion->messages));
	portion->count += spooled_read(record, portion->messages + portion->count);
}

/* The length of the record at the beginning of BYTES, were it whole. */
static size_t length_of(const char *bytes, ssize_t length, uint64_t position)
{
	struct record_head head;

	if (length < (ssize_t)sizeof(head))
		return 0;
	memcpy(&head, bytes, sizeof(head));
	return head.position == position ? sizeof(head) + head.length : 0;
}

/* Whole records from where the spool is drained to, up to END: one at least, if there is one. */
static struct portion read_portion(const struct spool *spool, struct arena *arena, uint64_t end)
{
	uint64_t position = spool->state->drained;
	struct portion portion = { 0 };
	size_t room = BATCH_BYTES, whole;
	char *bytes = arena_alloc(arena, room);
	ssize_t length = segment_read(spool, position, end, bytes, room);

	whole = length_of(bytes, length, position);
	if (whole > room && whole <= end - position) {
		room = whole;
		bytes = arena_alloc(arena, room);
		length = segment_read(spool, position, end, bytes, room);
	}
	portion.unreadable = length < 0;
	while (length > 0 && (whole = spooled_check(bytes + portion.bytes,
				  (size_t)length - portion.bytes, position + portion.bytes)) > 0) {
		add_record(&portion, arena, bytes + portion.bytes);
		portion.bytes += whole;
	}
	return portion;
}

/* Segments that are behind us are of no use any more. */
static void drop_drained(struct spool *spool)
{
	uint64_t drained = spool->state->drained, start;

	while ((start = segment_from(spool, 0)) != SPOOL_NONE) {
		uint64_t next = segment_from(spool, start + 1);

		if (next == SPOOL_NONE || next > drained)
			break;
		segment_drop(spool, start);
	}
}

/*
 * The disk has not kept what it said: nothing is found where something was written.
 * What stands in the next segment can still be saved.
 */
static void skip_damage(struct spool *spool, uint64_t end)
{
	uint64_t drained = spool->state->drained, next = segment_from(spool, drained + 1);

	if (next == SPOOL_NONE || next > end)
		next = end;
	log_error("spool: %llu bytes at %llx are damaged, and lost",
	    (unsigned long long)(next - drained), (unsigned long long)drained);
	spool->state->drained = next;
}

/* Publishes one portion up to END.  False: the broker takes none. */
static bool drain_portion(struct spool *spool, struct arena *arena, uint64_t end)
{
	struct portion portion;

	arena_reset(arena);
	portion = read_portion(spool, arena, end);
	if (portion.unreadable)
		return false;
	if (portion.count == 0) {
		skip_damage(spool, end);
		return true;
	}
	if (!broker_publish(spool->broker, arena, portion.messages, portion.count))
		return false;
	spool->state->drained += portion.bytes;
	drop_drained(spool);
	return true;
}

/* --- all of it --- */

/* Called when the broker answers and little is left.  False: the broker takes no more. */
static bool drain_rest(struct spool *spool, struct arena *arena)
{
	bool well = true;

	spool_lock(spool);
	while (well && !spool_is_empty(spool))
		well = drain_portion(spool, arena, spool->state->written);
	if (well && spool->state->segment != SPOOL_NONE) {
		segment_drop(spool, spool->state->segment);
		spool->state->segment = SPOOL_NONE;
	}
	spool_unlock(spool);
	return well;
}

static void drain(struct spool *spool, struct arena *arena)
{
	long long bytes = spool_waiting(spool);
	int64_t began = clock_now();

	log_info("spool: draining %lld bytes", bytes);
	/* The first portion tries whether the broker is there, with nobody's way blocked. */
	do {
		if (!drain_portion(spool, arena, spool->state->written))
			return;
	} while (spool_waiting(spool) > BATCH_BYTES && !spool->ends);
	if (spool_waiting(spool) <= BATCH_BYTES && drain_rest(spool, arena))
		log_info("spool: drained in %lld ms", (long long)((clock_now() - began) / 1000));
}

/* Until the order to end, or for so long. */
static void nap(const struct spool *spool, long long ms)
{
	int64_t until = clock_now() + ms * 1000;

	do
		(void)usleep(NAP_US);
	while (!spool->ends && clock_now() < until);
}

static void *be_drainer(void *opened)
{
	struct spool *spool = opened;
	struct arena *arena = arena_new(2 * BATCH_BYTES);

	while (!spool->ends) {
		bool ours = !spool_is_empty(spool) &&
			    flock(spool->drain_fd, LOCK_EX | LOCK_NB) == 0;

		if (ours) {
			if (!spool_is_empty(spool))
				drain(spool, arena);
			(void)flock(spool->drain_fd, LOCK_UN);
		}
		if (!spool->ends)
			nap(spool, spool->options.retry_ms);
	}
	arena_free(&arena);
	return NULL;
}

void spool_drain_into(struct spool *spool, struct broker *broker)
{
	sigset_t all, before;
	int error;

	spool->broker = broker;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&spool->drainer, NULL, be_drainer, spool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		die("pthread_create: %s", strerror(error));
}

void spool_stop_draining(struct spool *spool)
{
	if (spool->broker == NULL)
		return;
	spool->ends = true;
	pthread_join(spool->drainer, NULL);
	spool->broker = NULL;
}
