/*
 * serialize.h - rows of an answer as JSON, by their shape, without a tree.
 *
 * A field takes the column of its name.  An OBJECT or a list may be such a
 * column too, of type json: it is written as it stands.  Otherwise the fields
 * of an object are the columns "object.field"; and those of a list of objects
 * come from all rows, one item each, as a join gives them:
 *
 *     SELECT mes, sum(total) OVER () AS total, region AS "regions.region", …
 *
 * An object whose first column is NULL is null; such a row adds no item.
 */
#ifndef CORE_ANSWER_SERIALIZE_H
#define CORE_ANSWER_SERIALIZE_H

#include "base/buffer.h"
#include "core/shape.h"
#include "store/connection.h"

/* Which column of the rows holds which field of the shape, and what is written before its value. */
struct columns {
	int count;
	bool spans_rows; /* a list of it comes from all rows: they are one object */
	struct column {
		int number;      /* of an object without a column of its own: its first one */
		enum kind kind;  /* OBJECT: written as it stands unless FIELDS says otherwise */
		bool many;       /* FIELDS are those of a list's items */
		const char *key; /* ,"name": */
		size_t key_length;
		struct columns *fields; /* of an object, when they are columns; else NULL */
	} of_field[SHAPE_FIELDS_MOST];
};

/* Matches by name; a field without a column is a mistake of ours and ends the program. */
void serialize_match(struct columns *, struct arena *, const struct shape *, const struct rows *);

/* Adds the row as an object of its shape; its lists, if any span rows, hold all of them. */
void serialize_row(struct buffer *, const struct columns *, const struct rows *, int row);

#endif
