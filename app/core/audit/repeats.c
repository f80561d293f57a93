/*
 * repeats.c - refusals that are alike become one line of the audit; decides, and writes nothing.
 *
 * The table is in sets of a few places, as a processor's cache is.  A place is
 * somebody's for a minute and is never taken away within it: who finds none is
 * counted with all others of the same kind, for which there is always room.  So
 * what a flood of any form can have written is known beforehand.
 */
#include "core/audit/repeats.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"

#define SETS 128
#define WAYS 4

struct place {
	unsigned char key[DIGEST_BYTES];
	int64_t ends;         /* of its minute; 0: nobody's */
	int different;        /* of a network's place: lines of it that were written */
	struct repeated line; /* .times: counted and not yet taken out */
};

struct repeats {
	pthread_mutex_t lock;
	int64_t window_us;
	atomic_llong due; /* the first count that is complete by then; INT64_MAX: there is none */
	struct place places[SETS * WAYS];
	struct place rest[AUDIT_KINDS]; /* of whoever found no place, by kind */
};

struct repeats *repeats_open(int64_t window_us)
{
	struct repeats *repeats = calloc(1, sizeof(*repeats));

	if (repeats == NULL)
		die("out of memory");
	pthread_mutex_init(&repeats->lock, NULL);
	repeats->window_us = window_us;
	atomic_init(&repeats->due, INT64_MAX);
	return repeats;
}

void repeats_close(struct repeats **repeats)
{
	if (*repeats == NULL)
		return;
	pthread_mutex_destroy(&(*repeats)->lock);
	free(*repeats);
	*repeats = NULL;
}

/* --- what is alike --- */

/*
 * A digest, so that nobody can make their lines look like those of somebody else, and
 * texts of any length take the same room.  All bytes of the struct count.
 */
struct likeness {
	struct network network;
	long long kind, actor_id;
	unsigned char actor[DIGEST_BYTES], subject[DIGEST_BYTES], details[DIGEST_BYTES];
};

static void add_text(unsigned char digest[DIGEST_BYTES], const char *text)
{
	if (text != NULL)
		digest_of(text, strlen(text), digest);
}

/* All of LINE is the same, and it comes from the same network. */
static void key_of_line(
    unsigned char *key, const struct audit_line *line, const struct network *network)
{
	struct likeness likeness;

	memset(&likeness, 0, sizeof(likeness));
	likeness.network.id = network->id;
	likeness.network.kind = network->kind;
	likeness.kind = line->kind;
	likeness.actor_id = line->actor_id;
	add_text(likeness.actor, line->actor);
	add_text(likeness.subject, line->subject);
	add_text(likeness.details, line->details);
	digest_of(&likeness, sizeof(likeness), key);
}

/* It comes from the same network, and is of the same kind; AUDIT_KINDS: of whichever. */
static void key_of_network(unsigned char *key, enum audit_kind kind, const struct network *network)
{
	struct likeness likeness;

	memset(&likeness, 0, sizeof(likeness));
	likeness.network.id = network->id;
	likeness.network.kind = network->kind;
	likeness.kind = (long long)kind + 1; /* a line's own has an actor, or other texts: */
	likeness.actor_id = -1;              /* nobody's */
	digest_of(&likeness, sizeof(likeness), key);
}

/* --- the table --- */

/* The place of KEY for this minute, a free one of its set, or NULL: all are others'. */
static struct place *find_place(struct repeats *repeats, const unsigned char *key, int64_t now)
{
	struct place *set = &repeats->places[(key[0] % SETS) * WAYS], *free_one = NULL;

	for (struct place *place = set; place < set + WAYS; place++) {
		bool over = place->ends <= now;

		if (!over && memcmp(place->key, key, DIGEST_BYTES) == 0)
			return place;
		/* A count that is complete stays until somebody takes it out. */
		if (over && place->line.times == 0)
			free_one = place;
	}
	if (free_one != NULL)
		*free_one = (struct place){ .ends = 0 };
	return free_one;
}

static void begin(
    struct repeats *repeats, struct place *place, const unsigned char *key, int64_t now)
{
	memcpy(place->key, key, DIGEST_BYTES);
	place->ends = now + repeats->window_us;
}

static void count(struct repeats *repeats, struct place *place)
{
	place->line.times++;
	if (place->ends < atomic_load(&repeats->due))
		atomic_store(&repeats->due, place->ends);
}

/* True: PLACE's minute begins with this.  False: it was counted there. */
static bool begin_or_count(
    struct repeats *repeats, struct place *place, const unsigned char *key, int64_t now)
{
	if (place->ends > now) {
		count(repeats, place);
		return false;
	}
	begin(repeats, place, key, now);
	return true;
}

/* Cut, where it is too long, between two code points. */
static void keep_text(char kept[static REPEAT_TEXT], const char *text)
{
	size_t length = text != NULL ? strnlen(text, REPEAT_TEXT - 1) : 0;

	while (length > 0 && text_code_points(text, length) < 0)
		length--;
	if (length > 0)
		memcpy(kept, text, length);
	kept[length] = '\0';
}

static void keep_texts(struct repeated *kept, const struct audit_line *line, const char *address)
{
	kept->actor_id = line->actor_id;
	keep_text(kept->actor, line->actor);
	keep_text(kept->subject, line->subject);
	snprintf(kept->address, sizeof(kept->address), "%s", address != NULL ? address : "");
}

/* Counted with all others of its kind; what they have in common is only that. */
static bool admit_to_rest(struct repeats *repeats, enum audit_kind kind, int64_t now)
{
	static const unsigned char none[DIGEST_BYTES];
	struct place *rest = &repeats->rest[kind];

	if (rest->ends <= now && rest->line.times > 0) { /* nobody took it out: it goes on */
		rest->line.times++;
		return false;
	}
	rest->line.kind = kind;
	return begin_or_count(repeats, rest, none, now);
}

/* Of a network that has written its share: by kind and address. */
static bool admit_to_network(
    struct repeats *repeats, const struct audit_line *line, const char *address, int64_t now)
{
	struct network network = network_of(address);
	unsigned char key[DIGEST_BYTES];
	struct place *place;

	key_of_network(key, line->kind, &network);
	place = find_place(repeats, key, now);
	if (place == NULL)
		return admit_to_rest(repeats, line->kind, now);
	place->line.kind = line->kind;
	keep_texts(&place->line, &(struct audit_line){ .kind = line->kind }, address);
	return begin_or_count(repeats, place, key, now);
}

static bool admit(
    struct repeats *repeats, const struct audit_line *line, const char *address, int64_t now)
{
	struct network network = network_of(address);
	unsigned char key[DIGEST_BYTES], whole[DIGEST_BYTES];
	struct place *place, *of_network;

	key_of_line(key, line, &network);
	key_of_network(whole, AUDIT_KINDS, &network);
	place = find_place(repeats, key, now);
	if (place != NULL && place->ends > now) {
		count(repeats, place);
		return false;
	}
	of_network = find_place(repeats, whole, now);
	if (of_network == NULL)
		return admit_to_rest(repeats, line->kind, now);
	if (of_network->ends <= now)
		begin(repeats, of_network, whole, now);
	/* Where both are of one set, the last free place has just been given away. */
	place = find_place(repeats, key, now);
	if (place == NULL || of_network->different >= REPEATS_OF_ONE)
		return admit_to_network(repeats, line, address, now);
	of_network->different++;
	place->line.kind = line->kind;
	keep_texts(&place->line, line, address);
	return begin_or_count(repeats, place, key, now);
}

bool repeats_admit(
    struct repeats *repeats, const struct audit_line *line, const char *address, int64_t now)
{
	bool admitted;

	pthread_mutex_lock(&repeats->lock);
	admitted = admit(repeats, line, address, now);
	pthread_mutex_unlock(&repeats->lock);
	return admitted;
}

/* --- what was counted --- */

bool repeats_are_due(const struct repeats *repeats, int64_t now)
{
	return atomic_load(&repeats->due) <= now;
}

static bool take_from(struct place *place, int64_t now, bool all, struct repeated *taken)
{
	if (place->line.times == 0 || (!all && place->ends > now))
		return false;
	*taken = place->line;
	place->line.times = 0;
	return true;
}

/* When the first of the counts that are left will be complete. */
static long long next_due(const struct repeats *repeats)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < SETS * WAYS; i++)
		if (repeats->places[i].line.times > 0 && repeats->places[i].ends < due)
			due = repeats->places[i].ends;
	for (size_t i = 0; i < AUDIT_KINDS; i++)
		if (repeats->rest[i].line.times > 0 && repeats->rest[i].ends < due)
			due = repeats->rest[i].ends;
	return due;
}

bool repeats_take(struct repeats *repeats, int64_t now, bool all, struct repeated *taken)
{
	bool found = false;

	pthread_mutex_lock(&repeats->lock);
	for (size_t i = 0; i < SETS * WAYS && !found; i++)
		found = take_from(&repeats->places[i], now, all, taken);
	for (size_t i = 0; i < AUDIT_KINDS && !found; i++)
		found = take_from(&repeats->rest[i], now, all, taken);
	if (!found)
		atomic_store(&repeats->due, next_due(repeats));
	pthread_mutex_unlock(&repeats->lock);
	return found;
}
