/* common.h - words that everybody knows, and so does whoever guesses passwords. */
#ifndef CORE_IDENTITY_COMMON_H
#define CORE_IDENTITY_COMMON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether WORD, as word_plain() writes it, is one of them. */
bool common_has(const char *word, size_t length);

/* How many there are. */
size_t common_count(void);

#endif
