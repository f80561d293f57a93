/* recent.c - the lines that workers have printed lately, for `ostlerctl logs`. */
#include "supervisor/output/recent.h"

#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/output/lines.h"
#include "supervisor/upgrade/state.h"

#define BYTES (256 * 1024)
#define LINES 4096 /* that many at most, however short they are */

/* A line is its struct and its text, never wrapped round the end of the bytes. */
static struct {
	_Alignas(max_align_t) char bytes[BYTES];
	size_t place[LINES]; /* of the line of this number, modulo LINES */
	unsigned long long oldest, newest;
	size_t end; /* of the newest */
} recent = { .oldest = 1 };

static struct recent_line *at(unsigned long long number)
{
	return (struct recent_line *)(void *)(recent.bytes + recent.place[number % LINES]);
}

static size_t size_of(size_t length)
{
	size_t size = sizeof(struct recent_line) + length;

	return (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
}

/* Drops the oldest lines as long as they lie between FROM and TO. */
static void clear(size_t from, size_t to)
{
	while (recent.oldest <= recent.newest) {
		size_t place = recent.place[recent.oldest % LINES];

		if (place < from || place >= to)
			return;
		recent.oldest++;
	}
}

void recent_add(const struct recent_line *line, const char *text)
{
	size_t size = size_of(line->length), from = recent.end;

	if (size > BYTES)
		bug("a line of %zu bytes is no bounded line", line->length);
	if (from + size > BYTES) {
		clear(from, BYTES);
		from = 0;
	}
	clear(from, from + size);
	if (recent.newest - recent.oldest + 1 == LINES)
		recent.oldest++;
	recent.newest++;
	recent.place[recent.newest % LINES] = from;
	recent.end = from + size;
	*at(recent.newest) = *line;
	at(recent.newest)->number = recent.newest;
	memcpy(at(recent.newest) + 1, text, line->length);
}

unsigned long long recent_newest(void)
{
	return recent.newest;
}

const struct recent_line *recent_from(unsigned long long number, const char **text)
{
	const struct recent_line *line;

	if (number < recent.oldest)
		number = recent.oldest;
	if (number > recent.newest)
		return NULL;
	line = at(number);
	*text = (const char *)(line + 1);
	return line;
}

static const struct state_field fields[] = {
	{ STATE_FIELD(struct recent_line, wall) },
	{ STATE_FIELD(struct recent_line, pool) },
	{ STATE_FIELD(struct recent_line, slot) },
	{ STATE_FIELD(struct recent_line, pid) },
	{ STATE_FIELD(struct recent_line, goes_on) },
	{ 0 },
};

static void write_line(struct state *state, unsigned long long number)
{
	struct recent_line *line = at(number);

	state_fields(state, fields, line);
	state_bytes(state, "text", line + 1, &line->length, line->length);
}

static void read_line(struct state *state)
{
	struct recent_line line = { .number = 0 };
	char text[LINES_LONGEST];

	state_fields(state, fields, &line);
	state_bytes(state, "text", text, &line.length, sizeof(text));
	if (state_wrong(state) == NULL)
		recent_add(&line, text);
}

void recent_pass(struct state *state)
{
	unsigned long long count, newest;

	state_part(state, "lines");
	count = state_count(state, "lines", recent.newest + 1 - recent.oldest, LINES);
	newest = (unsigned long long)state_number(
	    state, "newest", (long long)recent.newest, (long long)count, LLONG_MAX);
	for (unsigned long long n = recent.oldest; !state_is_read(state) && n <= recent.newest; n++)
		write_line(state, n);
	if (!state_is_read(state))
		return;
	recent.newest = newest - count; /* they keep their numbers, by which followers know them */
	recent.oldest = recent.newest + 1;
	for (unsigned long long i = 0; i < count && state_wrong(state) == NULL; i++)
		read_line(state);
}
