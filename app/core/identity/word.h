/*
 * word.h - a word without its looks: what a password is compared by with words that everybody
 * knows.
 *
 * The program that makes the table (app/words) and the one that looks into it share
 * this, so that they cannot differ.
 */
#ifndef CORE_IDENTITY_WORD_H
#define CORE_IDENTITY_WORD_H

#include <stddef.h>
#include <stdint.h>

/* Longer than any password, in bytes, and NUL: 128 code points of at most 4. */
#define WORD_MOST 513

/*
 * Writes TEXT to OUT without case and without the accents of Latin letters ("Coração" is
 * "coracao"); what does not fit is cut.  Returns the bytes written.
 */
size_t word_plain(char out[static WORD_MOST], const char *text, size_t length);

/* 64 bits of it (FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv): for a table, not for secrets.
 */
uint64_t word_hash(const char *word, size_t length);

/*
 * The table: how many words begin before each bucket, then what is left of their
 * hashes.  A bucket is the first 16 bits of a hash and holds the next 32, in order.
 */
#define WORD_BUCKETS      65536
#define WORD_BUCKET(hash) ((hash) >> 48)
#define WORD_REST(hash)   ((uint32_t)((hash) >> 16))

#endif
