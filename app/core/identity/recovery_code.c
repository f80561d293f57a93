/* recovery_code.c - codes on paper, for whoever has lost the authenticator: each good once. */
#include "core/identity/recovery_code.h"

#include <ctype.h>
#include <string.h>

/* 32 letters, 5 bits each, without those that look like others (0 1 l o). */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";

#define LETTERS 16
#define GROUP   4

const char *recovery_code_make(struct arena *arena)
{
	unsigned char random[LETTERS];
	char *code = arena_alloc(arena, LETTERS + LETTERS / GROUP);
	char *out = code;

	_Static_assert(sizeof(alphabet) - 1 == 32, "each letter is as likely as any other");
	random_fill(random, sizeof(random));
	for (size_t i = 0; i < LETTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		*out++ = alphabet[random[i] % 32];
	}
	bytes_forget(random, sizeof(random));
	return code;
}

bool recovery_code_digest(const char *typed, unsigned char digest[static DIGEST_BYTES])
{
	char letters[LETTERS];
	size_t count = 0;

	for (; *typed != '\0'; typed++) {
		int letter = tolower((unsigned char)*typed);

		if (letter == '-' || letter == ' ')
			continue;
		if (count == LETTERS || strchr(alphabet, letter) == NULL)
			return false;
		letters[count++] = (char)letter;
	}
	if (count != LETTERS)
		return false;
	digest_of(letters, LETTERS, digest);
	bytes_forget(letters, sizeof(letters));
	return true;
}
