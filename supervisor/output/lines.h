/* lines.h - bytes as they come, cut into lines of bounded length. */
#ifndef SUPERVISOR_OUTPUT_LINES_H
#define SUPERVISOR_OUTPUT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_LONGEST 4096 /* bytes; a longer line comes in pieces */

struct lines {
	/* Hears each line without its newline, or a piece of one that GOES_ON. */
	void (*hear)(void *owner, const char *text, size_t length, bool goes_on);
	void *owner;
	size_t length; /* of what has come since the last newline */
	char text[LINES_LONGEST];
};

void lines_take(struct lines *, const char *bytes, size_t length);

/* Nothing more will come: what has no newline is a line, too. */
void lines_end(struct lines *);

#endif
