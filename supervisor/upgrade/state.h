/*
 * state.h - what one ostlerd knows, as bytes for the next one.
 *
 * Who has something to hand over describes it once, by calls that work in both
 * directions: they write their value into a state that is being written, and
 * fill it in from one that is being read.  So the two can never differ.
 *
 * In the bytes everything has its name and kind, and is asked for in the order in
 * which it was written: whatever is missing, cut off, too large or of another
 * kind is found out where it is, and named.  The first thing wrong is kept and
 * all calls behind it give nothing, so that only the end need be checked, and
 * what would be done with a value in between.
 *
 * A descriptor is handed over as itself: it stays open over execve(2), and is
 * closed on exec again as soon as it has been read.
 */
#ifndef SUPERVISOR_UPGRADE_STATE_H
#define SUPERVISOR_UPGRADE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * The version of what is written.  A field that was not there from the first has
 * the version that brought it in its `since`: what an older ostlerd could not say
 * is left as it is.  Any other change makes STATE_OLDEST the new version, and with
 * it an upgrade from before impossible: it is refused, and all must be restarted.
 */
#define STATE_VERSION 1
#define STATE_OLDEST  1

#define STATE_MOST (64 << 20) /* bytes; more cannot be right */

struct state;

/* One that is being written. */
struct state *state_new(void) MUST_CHECK;

/* One that is being read, from a sealed memory file, or from bytes which must outlive it. */
struct state *state_open(int fd) MUST_CHECK;
struct state *state_of(const void *bytes, size_t length) MUST_CHECK;
void state_free(struct state **);

bool state_is_read(const struct state *);

/* The first thing that is wrong, as a sentence; NULL: nothing is. */
const char *state_wrong(const struct state *);
void state_fail(struct state *, const char *format, ...) PRINTF_LIKE(2, 3);

/* The version of the ostlerd that wrote it. */
unsigned state_version(const struct state *);

/* A number by which a state is known: whoever can tell it has read the state. */
uint64_t state_token(const struct state *);

/* Nothing follows; of one that is read, something that does is wrong. */
void state_end(struct state *);

/* The bytes written so far. */
const char *state_bytes_of(const struct state *, size_t *length);

/* A memory file with what was written, sealed, closed on exec; -1 with errno set. */
int state_seal(const struct state *) MUST_CHECK;

/* Whether the descriptors in it are to stay open over execve(2).  False with errno set. */
bool state_keep_descriptors(const struct state *, bool) MUST_CHECK;

/* --- in both directions: each returns what was given, or what was read --- */

/* Begins a part, for people who look at what is wrong. */
void state_part(struct state *, const char *name);

/* A number from LEAST to MOST, which is LEAST when there is none. */
long long state_number(
    struct state *, const char *name, long long value, long long least, long long most);

/* How many follow, from 0 to MOST. */
size_t state_count(struct state *, const char *name, size_t count, size_t most);

bool state_flag(struct state *, const char *name, bool);

/* COUNT numbers. */
void state_numbers(struct state *, const char *name, uint64_t *number, size_t count);

/* A text without NUL, or NULL; what is read is in the ARENA. */
const char *state_text(struct state *, struct arena *, const char *name, const char *text);

/* Bytes of any kind, ROOM at most, at BYTES. */
void state_bytes(struct state *, const char *name, void *bytes, size_t *length, size_t room);

/* A descriptor, or -1: none. */
int state_descriptor(struct state *, const char *name, int fd);

/* --- the members of a struct, by a table --- */

enum state_form { STATE_SIGNED = 1, STATE_UNSIGNED, STATE_BOOLEAN, STATE_CHARACTERS };

struct state_field {
	const char *name;
	enum state_form form;
	size_t offset, size;
	long long least, most; /* of a number; 0 and 0: whatever its member holds */
	unsigned since;        /* STATE_VERSION; 0: always */
};

/* Name, place and form of a member: a number, a bool or an array of characters. */
/* clang-format off */
#define STATE_FIELD(type, member)							\
	.name = #member, .offset = offsetof(type, member),				\
	.size = sizeof(((type *)0)->member),						\
	.form = _Generic(((type *)0)->member, bool: STATE_BOOLEAN,			\
	    char *: STATE_CHARACTERS, int: STATE_SIGNED, long: STATE_SIGNED,		\
	    long long: STATE_SIGNED, default: STATE_UNSIGNED)
/* clang-format on */

/* All FIELDS, which end with one without a name, of the struct at OBJECT. */
void state_fields(struct state *, const struct state_field *fields, void *object);

#endif
