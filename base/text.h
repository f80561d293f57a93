/* text.h - questions about text, answered once. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

/* Code points in LENGTH bytes of UTF-8 (RFC 3629), or -1 when they are not valid UTF-8. */
long text_code_points(const char *text, size_t length);

/* The most bytes that one byte of text can become when it is cleaned. */
#define TEXT_CLEAN_GROWTH 3

/*
 * Writes LENGTH bytes of TEXT to OUT, which has room for TEXT_CLEAN_GROWTH times as many; each
 * byte that is no part of valid UTF-8 becomes U+FFFD.  Returns the bytes written.
 */
size_t text_clean(char *out, const char *text, size_t length);

/*
 * Reads a whole decimal number: digits with an optional '-', nothing before or
 * behind.  False when it is anything else or does not fit.
 */
bool text_to_integer(const char *text, long long *value) MUST_CHECK;

/* Writes VALUE as decimal digits, NUL-terminated, into SCRATCH; returns where they begin in it. */
#define TEXT_INTEGER 24
const char *text_from_integer(char scratch[static TEXT_INTEGER], long long value);

/* Reads "250ms", "10s", "5m", "2h" or "1d" as milliseconds; a unit is required. */
bool text_to_duration(const char *text, long long *milliseconds) MUST_CHECK;

/* Reads "512", "64K", "1M" or "2G" (powers of 1024) as bytes. */
bool text_to_size(const char *text, long long *bytes) MUST_CHECK;

/* The word of the NULL-terminated list most like WORD, or NULL when none is like it. */
const char *text_closest(const char *word, const char *const *list);

/* Where WORD stands in the NULL-terminated list, or -1. */
int text_index(const char *word, const char *const *list);

bool text_starts(const char *text, const char *with);

#endif
