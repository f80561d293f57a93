/*
 * settings.h - a configuration file, read by a table.
 *
 * A program describes its settings once: name, kind, place in a struct, range,
 * default and a sentence of help.  Reading, checking, defaults, hints for
 * misspelled names and the lists in the manual pages all come from that table.
 *
 * The file is in libconfig's language.  It is parsed in a forked child, because
 * libconfig 1.5 ends the whole process on an @include of a directory; the child
 * fills a shared arena that the parent reads.  All errors are reported in one
 * run, each with file and line; a syntax error or a name given twice comes
 * first and alone, since libconfig stops there.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/attributes.h"

enum setting_kind {
	SETTING_TEXT = 1, /* const char *; min and max are its length in bytes */
	SETTING_INTEGER,  /* long long */
	SETTING_BOOLEAN,  /* bool */
	SETTING_DURATION, /* long long milliseconds, written "10s"; min and max in ms */
	SETTING_SIZE,     /* long long bytes, written "64K" */
	SETTING_CHOICE,   /* int: the index in one_of */
	SETTING_WORDS,    /* struct words, written [ "a", "b" ]; min and max count them */
	SETTING_GROUPS,   /* struct groups of .of, written { name = { … }; … } */
	SETTING_GROUP, /* the struct of .of in place, written { … }; its presets count if it is */
};

struct words {
	const char *const *word; /* NULL-terminated */
	size_t count;
};

/* Named groups: an array of structs that each begin with a struct named. */
struct named {
	const char *name;
	const char *where; /* "ostler.conf:12", for messages */
};
struct groups {
	void *item;
	size_t count;
};

struct section;

/*
 * Two lines of a table may have one name and different kinds: a person writes
 * either form, and the place of the other stays 0.
 */
struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
	bool required;
	long long min, max;        /* 0, 0: free */
	const char *preset;        /* the default, as a person would write it; NULL: zero */
	const char *const *one_of; /* SETTING_CHOICE */
	const struct section *of;  /* SETTING_GROUPS, SETTING_GROUP */
	bool reloads;              /* a change needs no new process */
	const char *doc;
};

struct complaints;

/* A table of settings and the struct that they fill. */
struct section {
	size_t size;
	const struct setting *settings; /* ends with .name = NULL */
	/* What no single setting can tell (names that must exist, a cycle); may be NULL. */
	void (*check)(const void *filled, struct complaints *);
};

/*
 * SETTING(type, member): name, place and, where C can tell, the kind; the rest follows as
 * designated initializers.  SETTING_AS names the kind: a duration and an integer look alike.
 */
/* clang-format off */
#define SETTING(type, member)								\
	.name = #member, .offset = offsetof(type, member),				\
	.kind = _Generic(((type *)0)->member,						\
	    const char *: SETTING_TEXT, long long: SETTING_INTEGER, bool: SETTING_BOOLEAN,	\
	    struct words: SETTING_WORDS, struct groups: SETTING_GROUPS)
/* clang-format on */
#define SETTING_AS(type, member, as) .name = #member, .offset = offsetof(type, member), .kind = as

/*
 * Reads FILE by TABLE.  Returns the filled struct, which is constant and stays
 * until settings_free; or NULL after writing every complaint to ERRORS, a line each.
 */
const void *settings_read(const char *file, const struct section *table, FILE *errors) MUST_CHECK;

/*
 * The same for who cannot wait.  settings_begin starts the reading; NULL after a
 * complaint when it cannot.  The descriptor can be read, or is at its end, when
 * settings_finish will not block; that frees the reading.
 */
struct settings_reading;
struct settings_reading *settings_begin(
    const char *file, const struct section *table, FILE *errors) MUST_CHECK;
int settings_fd(const struct settings_reading *);
const void *settings_finish(struct settings_reading **, FILE *errors) MUST_CHECK;
void settings_free(const void **filled);

/*
 * For who has the values from elsewhere than a file: a struct with the defaults and
 * nothing else in it, and the arena for what is put there, which settings_free frees.
 */
void *settings_new(const struct section *table, struct arena **) MUST_CHECK;

/* The defaults of the table, for a group that is there. */
void settings_preset(struct arena *, const struct section *table, void *filled);

/* Room in the arena for COUNT groups of the setting, in their order, with the defaults. */
void settings_make_groups(struct arena *, const struct setting *, struct groups *, size_t count);

/*
 * For a section's check: "file:line: message", where the line is that of the
 * setting NAME in the group at FILLED (or of the group itself).
 */
void settings_complain(struct complaints *, const void *filled, const char *name,
    const char *format, ...) PRINTF_LIKE(4, 5);

#endif
