/* settings_walk.h - private to base/settings*.c: one reading of one file. */
#ifndef BASE_SETTINGS_WALK_H
#define BASE_SETTINGS_WALK_H

#include <libconfig.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/settings.h"

/* Which group of the file filled which struct, so that a check can name a line. */
struct filled_group {
	const void *filled;
	const config_setting_t *group;
	const struct filled_group *older;
};

/* A file of this reading: the one given, or an @include. */
struct scanned_file {
	const char *name;
	const struct scanned_file *older;
};

struct complaints {
	struct arena *arena;
	const char *file; /* as the person named it */
	struct buffer text;
	size_t count;
	const struct filled_group *groups;
	const struct scanned_file *scanned;
};

/* Fills FILLED from GROUP by TABLE; what is wrong goes to the complaints. */
void settings_walk(
    struct complaints *, const config_setting_t *group, const struct section *table, void *filled);

/* Stores VALUE, as a person writes it, by SETTING.  Returns NULL, or what is wrong with it. */
const char *settings_store(
    struct arena *, const struct setting *, const char *value, void *filled) MUST_CHECK;
const char *settings_store_integer(
    struct arena *, const struct setting *, long long value, void *filled) MUST_CHECK;
const char *settings_store_words(
    struct arena *, const struct setting *, struct words, void *filled) MUST_CHECK;

/* Complains, once, of each number in FILE that libconfig would silently wrap. */
void settings_scan_numbers(struct complaints *, const char *file);

/*
 * When libconfig has failed: complains of the first @include that cannot be, which
 * libconfig does not tell or not well.  False when there is none.
 */
bool settings_blame_include(struct complaints *);

/*
 * The file that libconfig calls NAME, as the person named the first one: of an
 * @include it keeps the name alone, which counts from the folder of that file.
 */
const char *settings_file(const struct complaints *, const char *name);

/* "file:line: message" */
void settings_complain_at(struct complaints *, const char *file, unsigned line, const char *format,
    ...) PRINTF_LIKE(4, 5);

#endif
