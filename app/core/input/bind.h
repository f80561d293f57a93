/*
 * bind.h - values checked against a field and stored in the input's struct.
 *
 * Each returns NULL and stores, or returns what is wrong, in words that follow
 * the field's name: "must be 1 to 200".
 */
#ifndef CORE_INPUT_BIND_H
#define CORE_INPUT_BIND_H

#include "base/arena.h"
#include "core/shape.h"

/* TEXT as it stands in a path, query or form: valid UTF-8 without NUL. */
const char *bind_from_text(struct arena *, const struct field *, const char *text, void *input);

const char *bind_text(
    struct arena *, const struct field *, const char *text, size_t length, void *input);
const char *bind_integer(struct arena *, const struct field *, long long value, void *input);
const char *bind_number(struct arena *, const struct field *, double value, void *input);
const char *bind_boolean(const struct field *, bool value, void *input);

/* What a field of this kind must be, in words. */
const char *bind_expectation(const struct field *);

#endif
