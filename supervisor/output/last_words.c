/* last_words.c - the last lines that a process has printed, printable. */
#include "supervisor/output/last_words.h"

#include <limits.h>
#include <string.h>

#include "supervisor/upgrade/state.h"

void last_words_add(struct last_words *words, const char *text, size_t length)
{
	char *room = words->line[words->count++ % LAST_WORDS_LINES];
	size_t kept = 0;

	for (size_t i = 0; i < length && kept < LAST_WORDS_ROOM - 1; i++)
		if ((unsigned char)text[i] >= ' ' && text[i] != 0x7f)
			room[kept++] = text[i];
	room[kept] = '\0';
}

const char *last_words_get(const struct last_words *words, size_t index)
{
	size_t count = words->count < LAST_WORDS_LINES ? words->count : LAST_WORDS_LINES;

	return index < count ? words->line[(words->count - count + index) % LAST_WORDS_LINES]
			     : NULL;
}

void last_words_pass(struct state *state, struct last_words *words)
{
	words->count = (size_t)state_number(
	    state, "printed", (long long)words->count, 0, LLONG_MAX);
	for (size_t i = 0; i < LAST_WORDS_LINES; i++) {
		size_t length = strlen(words->line[i]);

		state_bytes(state, "last", words->line[i], &length, LAST_WORDS_ROOM - 1);
	}
}
