/*
 * bind.h - one value checked against a field and stored.
 *
 * Each takes INTO, the struct that holds the field's member, and returns NULL
 * when it has stored the value; else what is wrong, in words that follow the
 * field's name: "must be 1 to 200".  Lists and objects are made of such values
 * by object.h.
 */
#ifndef CORE_INPUT_BIND_H
#define CORE_INPUT_BIND_H

#include "base/arena.h"
#include "core/input/patterns.h"

/* What every binding needs at hand. */
struct binder {
	struct arena *arena;             /* of the values */
	const struct patterns *patterns; /* NULL: no pattern is looked at */
};

/* TEXT as it stands in a path, query or form: valid UTF-8 without NUL. */
const char *bind_from_text(
    const struct binder *, const struct field *, const char *text, void *into);

/* JSON's string; TEXT is NUL-terminated behind its LENGTH bytes. */
const char *bind_text(
    const struct binder *, const struct field *, const char *text, size_t length, void *into);

/* JSON's numbers: whole ones that fit, and all others as their digits stand in the body. */
const char *bind_integer(const struct binder *, const struct field *, long long value, void *into);
const char *bind_digits(
    const struct binder *, const struct field *, const char *digits, void *into);

const char *bind_boolean(const struct field *, bool value, void *into);

/* What a value of this kind must be, in words. */
const char *bind_expectation(const struct field *);

/* Bytes of a member that holds one value of this field. */
size_t bind_size(const struct field *);

#endif
