/*
 * common.c - words that everybody knows, and so does whoever guesses passwords.
 *
 * The table is made while the program is built (app/words) and is a part of its
 * read-only data: nothing is opened or read at run time, and all processes share
 * the pages that are looked at.  A third of a million words take 1.5 MB; of each 48
 * bits are compared, so that one good password in a billion is refused for nothing.
 */
#include "core/identity/common.h"

#include "core/identity/word.h"

/* The assembler takes the file as it is; as numbers in C it would be 4 MB of source. */
__asm__(".section .rodata\n"
	".balign 4\n"
	"common_words:\n"
	".incbin \"" COMMON_WORDS "\"\n"
	".previous\n");

extern const uint32_t common_words[] __attribute__((visibility("hidden")));

bool common_has(const char *word, size_t length)
{
	uint64_t hash = word_hash(word, length);
	const uint32_t *rest = common_words + WORD_BUCKETS + 1;
	uint32_t end = common_words[WORD_BUCKET(hash) + 1];

	for (uint32_t i = common_words[WORD_BUCKET(hash)]; i < end; i++)
		if (rest[i] == WORD_REST(hash))
			return true;
	return false;
}

size_t common_count(void)
{
	return common_words[WORD_BUCKETS];
}
