/*
 * csv.h - comma-separated values (RFC 4180), read line by line and written field by field.
 *
 * The reader is fed bytes as they come and hands on one record per line, however
 * long the file is: its memory is one line.  A line that is no record is handed
 * on, too, with what is wrong with it, so that nothing is dropped in silence.
 *
 * One thing is narrower than the RFC: a field has no line break in it.  A quote
 * that is never closed costs its own line that way, and not the rest of the file.
 */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define CSV_FIELDS_MOST 32
#define CSV_LINE_MOST   8192 /* bytes, without the line break */

struct csv_record {
	long long line;    /* from 1 */
	const char *wrong; /* NULL: it is a record; otherwise only the raw line holds */
	size_t count;
	const char *field[CSV_FIELDS_MOST]; /* NUL-terminated, unquoted; "" is an empty field */
	const char *raw; /* the line as it came, without its break, at most CSV_LINE_MOST bytes */
	size_t raw_length;
};

/* Takes a record, which holds until it returns.  False: wants no more. */
typedef bool csv_take_fn(void *context, const struct csv_record *);

struct csv_reader {
	csv_take_fn *take;
	void *context;
	struct csv_record record;
	bool too_long; /* the line that is under way */
	size_t length;
	char line[CSV_LINE_MOST];
	char fields[CSV_LINE_MOST + CSV_FIELDS_MOST];
};

void csv_start(struct csv_reader *, csv_take_fn *, void *context);

/*
 * Goes on with the next bytes.  Empty lines and a byte order mark are passed
 * over.  False: the taker wants no more.
 */
bool csv_feed(struct csv_reader *, const char *bytes, size_t length) MUST_CHECK;

/* The file has ended: its last line may have no break. */
bool csv_finish(struct csv_reader *) MUST_CHECK;

/* Adds a field, quoted where it must be, and a comma before it unless it is the line's FIRST. */
void csv_add(struct buffer *, const char *text, bool first);

#endif
