/* last_words.h - the last lines that a process has printed, printable, for who tells of its end. */
#ifndef SUPERVISOR_OUTPUT_LAST_WORDS_H
#define SUPERVISOR_OUTPUT_LAST_WORDS_H

#include <stddef.h>

#define LAST_WORDS_LINES 5
#define LAST_WORDS_ROOM  200

struct state;

/* Zero at first. */
struct last_words {
	size_t count; /* of all that there ever were */
	char line[LAST_WORDS_LINES][LAST_WORDS_ROOM];
};

void last_words_add(struct last_words *, const char *text, size_t length);

/* Oldest first; NULL behind the last. */
const char *last_words_get(const struct last_words *, size_t index);

/* Hands them over, or takes them from a master before us: upgrade/state.h. */
void last_words_pass(struct state *, struct last_words *);

#endif
