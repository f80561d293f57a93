/* json_text.h - text as a JSON string (RFC 8259, section 7). */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stddef.h>

/* The most bytes that one byte of text can become: \u00XX. */
#define JSON_TEXT_GROWTH 6

/*
 * Writes LENGTH bytes of TEXT escaped, without quotes, to OUT, which has room
 * for JSON_TEXT_GROWTH times as many.  Returns the bytes written.
 */
size_t json_text_escape(char *out, const char *text, size_t length);

#endif
