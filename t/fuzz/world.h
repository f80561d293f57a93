/*
 * world.h - an application with one feature and nothing around it, and what must hold of its
 * answers.
 *
 * The feature has a field of every kind and answers with the struct that it was
 * given, so that whatever passed validation is written too.  There is no
 * database and no Redis: whoever needs one answers 503.
 *
 * A target hands over what a client could have sent.  Beyond what the sanitizers
 * see, each answer is looked at: its head is one that nothing was smuggled into,
 * its body is the JSON that it says, it is never our fault (a 500), and the line
 * in the log is one line of JSON.  Anything else aborts, which libFuzzer reports.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "core/journey/request.h"

/* Aborts, saying what does not hold; nothing that a release would leave out, as assert(3). */
#define HOLDS(condition)                                    \
	do {                                                \
		if (!(condition))                           \
			world_broken(#condition, __func__); \
	} while (0)
void world_broken(const char *condition, const char *where) NO_RETURN;

/* An arena that is empty each time. */
struct arena *world_arena(void);

/* BYTES as text, up to the first NUL, in the arena. */
char *world_text(struct arena *, const void *bytes, size_t length);

/* A request from its head to its answer, which is looked at.  HEAD's texts lie in the arena. */
void world_ask(struct arena *, struct head, const void *body, size_t length);

/* libFuzzer's: called with each input; 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
