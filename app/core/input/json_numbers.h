/*
 * json_numbers.h - the numbers of a JSON text, set aside so that each field reads its own digits.
 *
 * A parser hands a number over as a double, in which 12.10 and 12.1 are one and
 * 0.1 is neither; and it refuses 1e999 although that is good JSON.  So a number
 * that is not a plain integer is replaced, before parsing, by its place in a
 * list of digits: the third becomes 2e0, which a parser reads as the double 2.
 * What was valid JSON stays so, and what was not stays that.
 */
#ifndef CORE_INPUT_JSON_NUMBERS_H
#define CORE_INPUT_JSON_NUMBERS_H

#include <stdbool.h>

#include "base/arena.h"

struct json_numbers {
	const char *text; /* what is left to be parsed: the original when nothing was set aside */
	size_t length;
	const char **digits; /* of each number set aside, as it was written */
	size_t count, room;
};

/* The deepest nesting: deeper than any shape. */
#define JSON_DEPTH_MOST 64

/*
 * Sets the numbers of TEXT aside, which may be no JSON at all and has a NUL
 * behind its LENGTH bytes.  False: it is nested deeper than JSON_DEPTH_MOST.
 */
bool json_numbers_set_aside(
    struct json_numbers *, struct arena *, const char *text, size_t length) MUST_CHECK;

/* The digits that VALUE, a number the parser found in the text, stands for. */
const char *json_numbers_digits(const struct json_numbers *, double value);

#endif
