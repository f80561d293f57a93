/*
 * json.h - JSON written straight into a buffer, commas in place.
 *
 * No tree is built: for a list of 50 rows a tree costs some ten times as much.
 */
#ifndef CORE_ANSWER_JSON_H
#define CORE_ANSWER_JSON_H

#include <stdbool.h>

#include "base/buffer.h"

/* A writer is its buffer: a comma is due unless the last byte opened something. */
void json_comma(struct buffer *);                  /* where one is due before the next value */
void json_open(struct buffer *, char bracket);     /* '{' or '[' */
void json_close(struct buffer *, char bracket);    /* '}' or ']' */
void json_key(struct buffer *, const char *key);   /* letters only: not escaped */
void json_text(struct buffer *, const char *text); /* NULL is written as null */
void json_bytes(struct buffer *, const char *text, size_t length);
void json_number(struct buffer *, long long value);
void json_boolean(struct buffer *, bool value);
void json_nothing(struct buffer *);
void json_ms(struct buffer *, long long microseconds); /* as 1.234 */
void json_key_text(struct buffer *, const char *key, const char *text);
void json_key_open(struct buffer *, const char *key, char bracket);
void json_raw(struct buffer *, const char *json, size_t length);

#endif
