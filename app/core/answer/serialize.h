/* serialize.h - rows of an answer as JSON, by their shape, without a tree. */
#ifndef CORE_ANSWER_SERIALIZE_H
#define CORE_ANSWER_SERIALIZE_H

#include "base/buffer.h"
#include "core/shape.h"
#include "store/connection.h"

/* Which column of the rows holds which field of the shape, and what is written before its value. */
struct columns {
	int count;
	struct column {
		int number;
		enum kind kind;
		const char *key; /* ,"name": */
		size_t key_length;
	} of_field[SHAPE_FIELDS_MOST];
};

/* Matches by name; a field without a column is a mistake of ours and ends the program. */
void serialize_match(struct columns *, struct arena *, const struct shape *, const struct rows *);

/* Adds the row as an object of its shape. */
void serialize_row(struct buffer *, const struct columns *, const struct rows *, int row);

#endif
