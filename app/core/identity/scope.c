/* scope.c - what a token is for (RFC 6749, 3.3): to read, to write, or both. */
#include "core/identity/scope.h"

#include <string.h>

const char *const scopes[] = { SCOPE_READ, SCOPE_WRITE, SCOPE_BOTH, NULL };

/* The length of the word that TEXT begins with, and where the next one does. */
static size_t next_word(const char **text)
{
	*text += strspn(*text, " ");
	return strcspn(*text, " ");
}

bool scope_has(const char *scope, const char *word)
{
	for (size_t length; (length = next_word(&scope)) > 0; scope += length)
		if (length == strlen(word) && memcmp(scope, word, length) == 0)
			return true;
	return false;
}

static const char *name_of(bool read, bool write)
{
	return read && write ? SCOPE_BOTH : read ? SCOPE_READ : write ? SCOPE_WRITE : NULL;
}

const char *scope_common(const char *one, const char *other)
{
	return name_of(scope_has(one, SCOPE_READ) && scope_has(other, SCOPE_READ),
	    scope_has(one, SCOPE_WRITE) && scope_has(other, SCOPE_WRITE));
}

const char *scope_narrow(const char *held, const char *asked)
{
	bool read = false, write = false;

	if (asked == NULL || *asked == '\0')
		return held;
	for (size_t length; (length = next_word(&asked)) > 0; asked += length) {
		bool is_read = length == strlen(SCOPE_READ) &&
			       memcmp(asked, SCOPE_READ, length) == 0;
		bool is_write = length == strlen(SCOPE_WRITE) &&
				memcmp(asked, SCOPE_WRITE, length) == 0;

		if (!is_read && !is_write)
			return NULL;
		read = read || is_read;
		write = write || is_write;
	}
	if ((read && !scope_has(held, SCOPE_READ)) || (write && !scope_has(held, SCOPE_WRITE)))
		return NULL;
	return name_of(read, write);
}
