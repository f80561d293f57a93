/* array.h - a SQL array as text, element by element: one value of a statement for many rows. */
#ifndef STORE_ARRAY_H
#define STORE_ARRAY_H

#include "base/buffer.h"
#include "store/value.h"

struct array {
	struct buffer text;
};

void array_start(struct array *, struct arena *);
void array_add_text(struct array *, const char *text); /* of any content; NULL is SQL's NULL */
void array_add_word(struct array *, const char *word); /* without quotes, commas, braces, blanks */
void array_add_integer(struct array *, long long value);
struct value array_end(struct array *); /* lives as long as the arena */

#endif
