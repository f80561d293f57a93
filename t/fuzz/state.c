/*
 * state.c - fuzzes what an ostlerd takes over from the one before: wild bytes are refused, or are
 * what could have been written.
 *
 * The first byte of the input says whose part it is; the head before the rest is right.  What was
 * read without a complaint is written and read once more, and must then be the same.
 */
#include "supervisor/upgrade/state.h"

#include <string.h>

#include "supervisor/conf/conf.h"
#include "supervisor/record/ledger.h"
#include "t/fuzz/world.h"

#define HEAD 32 /* bytes; the third word of it is the length of all */

struct sample {
	int small;
	unsigned positive;
	long long large;
	bool flag;
	char word[16];
};

static const struct state_field fields[] = {
	{ STATE_FIELD(struct sample, small), .least = -5, .most = 5 },
	{ STATE_FIELD(struct sample, positive) },
	{ STATE_FIELD(struct sample, large) },
	{ STATE_FIELD(struct sample, flag) },
	{ STATE_FIELD(struct sample, word) },
	{ 0 },
};

static void pass_sample(struct state *state, struct arena *arena)
{
	struct sample sample = { .small = 1, .word = "word" };
	char bytes[8] = "bytes";
	size_t length = 5;
	const char *text;

	state_part(state, "sample");
	state_fields(state, fields, &sample);
	text = state_text(state, arena, "text", "text");
	state_bytes(state, "bytes", bytes, &length, sizeof(bytes));
	state_end(state);
	HOLDS(length <= sizeof(bytes) && strlen(sample.word) < sizeof(sample.word));
	HOLDS(state_wrong(state) != NULL || (sample.small >= -5 && sample.small <= 5));
	HOLDS(text == NULL || strlen(text) < 5000);
}

static void pass_ledgers(struct state *state)
{
	struct ledgers *ledgers = ledgers_open(1);

	ledgers_pass(state, ledgers);
	ledgers_close(&ledgers);
	state_end(state);
}

/* What was taken over can be handed on, and is then taken again. */
static void hand_on(const struct conf *conf)
{
	struct state *state = state_new(), *again;
	const struct conf *same;
	const char *bytes;
	size_t length;

	conf_hand_over(state, conf);
	state_end(state);
	HOLDS(state_wrong(state) == NULL);
	bytes = state_bytes_of(state, &length);
	again = state_of(bytes, length);
	same = conf_take_over(again);
	state_end(again);
	HOLDS(state_wrong(again) == NULL);
	HOLDS(same->pools.count == conf->pools.count && conf_needs_restart(conf, same) == NULL);
	conf_free(&same);
	state_free(&again);
	state_free(&state);
}

static void take_conf(struct state *state)
{
	const struct conf *conf = conf_take_over(state);

	state_end(state);
	if (state_wrong(state) == NULL)
		hand_on(conf);
	conf_free(&conf);
}

/* The input behind a head that is right. */
static struct state *wrap(struct arena *arena, const uint8_t *bytes, size_t size)
{
	struct state *empty = state_new();
	char *whole = arena_alloc(arena, HEAD + size);
	uint64_t length = HEAD + size;
	size_t head;

	memcpy(whole, state_bytes_of(empty, &head), HEAD);
	HOLDS(head == HEAD);
	memcpy(whole + 16, &length, sizeof(length));
	memcpy(whole + HEAD, bytes, size);
	state_free(&empty);
	return state_of(whole, HEAD + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	struct state *state;

	if (size == 0)
		return 0;
	state = wrap(arena, bytes + 1, size - 1);
	switch (bytes[0] % 3) {
	case 0:
		pass_sample(state, arena);
		break;
	case 1:
		pass_ledgers(state);
		break;
	default:
		take_conf(state);
	}
	state_free(&state);
	return 0;
}
