/*
 * testimony.h - what was seen of a process that hung: its threads, and where each of them is.
 *
 * A witness (process/witness.h) writes it down a thread at a time, so that what it
 * had seen is there even when it is cut short.  Threads that are at the same thing
 * at the same place are told of once: of a pool of threads all but one usually
 * wait, and the one that does not is told of first.
 */
#ifndef SUPERVISOR_RECORD_TESTIMONY_H
#define SUPERVISOR_RECORD_TESTIMONY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"

/* Texts that are not known are "". */
struct testimony_frame {
	const char *function;
	long long into; /* bytes from its begin */
	const char *module;
	long long offset; /* in the file of the module */
	const char *build_id;
};

struct testimony_thread {
	long long *tid; /* of all that are alike */
	size_t alike;
	const char *name;  /* of the first */
	const char *state; /* a letter: proc(5) */
	const char *call;  /* with its first arguments; "": it runs, or may not be looked at */
	const char *wchan; /* where in the kernel it sleeps */
	const char *note;  /* why there are no frames, or not all */
	struct testimony_frame *frame; /* innermost first */
	size_t frames;
};

struct testimony {
	const char *trouble; /* what kept the witness from seeing more; "": nothing */
	struct testimony_thread *thread;
	size_t threads;
	const char **said; /* lines of trace_command */
	size_t lines;
};

/* --- for the witness: each in one piece, with nothing in it that could be taken for another --- */

void testimony_write_thread(FILE *, const struct testimony_thread *); /* with its frames */
void testimony_write_trouble(FILE *, const char *text);

/* --- for who reads --- */

/*
 * What LENGTH bytes of a witness, and as many of a command as SAID says, tell.  A last
 * line that was cut off is left out.  All is in the arena.
 */
struct testimony_source {
	const char *text, *said;
	size_t length, said_length;
};
const struct testimony *testimony_read(struct arena *, const struct testimony_source *);

/* A testimony, of whom it is, and why he was looked at. */
struct trace {
	const char *pool;
	long long slot, pid, generation;
	const char *reason;  /* a word: process/inquest.h */
	const char *request; /* that was in hand, and for how long; "": none is known */
	double seconds;      /* that the look took */
	bool cut;            /* it was not finished when its time was up */
	const struct testimony *testimony;
};

#define TESTIMONY_LINE 200

/* Hears it as lines for people, each printable and shorter than TESTIMONY_LINE. */
struct testimony_hearer {
	void (*hear)(void *owner, const char *line);
	void *owner;
};
void testimony_tell(const struct testimony *, const struct testimony_hearer *);

#endif
