/* word.c - a word without its looks: what a password is compared by with words that everybody
 * knows.
 */
#include "core/identity/word.h"

/* U+00C0 to U+00FF as the letter that is meant; '-' is none.  In UTF-8 they are 0xC3 and a byte. */
static const char letters[] = "aaaaaaaceeeeiiiidnooooo-ouuuuyts"
			      "aaaaaaaceeeeiiiidnooooo-ouuuuyty";

size_t word_plain(char out[static WORD_MOST], const char *text, size_t length)
{
	size_t written = 0;

	for (size_t i = 0; i < length && written + 1 < WORD_MOST; i++) {
		unsigned char byte = (unsigned char)text[i];
		unsigned char next = i + 1 < length ? (unsigned char)text[i + 1] : 0;

		if (byte == 0xC3 && next >= 0x80 && next <= 0xBF && letters[next - 0x80] != '-') {
			out[written++] = letters[next - 0x80];
			i++;
		} else {
			out[written++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
		}
	}
	out[written] = '\0';
	return written;
}

uint64_t word_hash(const char *word, size_t length)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)word[i]) * UINT64_C(1099511628211);
	return hash;
}
