/* etag.c - entity tags and the lists of them that clients send. */
#include "core/answer/etag.h"

#include <string.h>

#include "base/crypto.h"
#include "base/text.h"

#define BLANKS " \t"

/* Bytes of the digest that make the tag: 96 bits, of which nobody will meet two alike. */
#define TAG_BYTES 12

const char *etag_of(struct arena *arena, const void *bytes, size_t length)
{
	unsigned char digest[DIGEST_BYTES];

	digest_of(bytes, length, digest);
	return arena_print(arena, "\"%s\"", base64url_write(arena, digest, TAG_BYTES));
}

/* Behind the tag at TEXT; NULL: there is none. */
static const char *skip_tag(const char *text)
{
	if (text_starts(text, "W/"))
		text += 2;
	if (*text != '"')
		return NULL;
	/* etagc: visible but the quote, and what is beyond ASCII. */
	for (text++; *text != '"'; text++)
		if ((unsigned char)*text <= ' ' || *text == '\x7f')
			return NULL;
	return text + 1;
}

bool etag_list_is_valid(const char *list)
{
	size_t tags = 0;

	list += strspn(list, BLANKS);
	if (*list == '*')
		return list[1 + strspn(list + 1, BLANKS)] == '\0';
	for (;;) {
		/* Empty elements are to be passed over (RFC 9110, 5.6.1.2). */
		list += strspn(list, "," BLANKS);
		if (*list == '\0')
			return tags > 0;
		list = skip_tag(list);
		if (list == NULL)
			return false;
		tags++;
		list += strspn(list, BLANKS);
		if (*list != ',' && *list != '\0')
			return false;
	}
}

bool etag_is_listed(const char *list, const char *etag)
{
	size_t length = strlen(etag);

	while (*list != '\0') {
		list += strspn(list, "," BLANKS);
		if (*list == '*')
			return true;
		if (text_starts(list, "W/"))
			list += 2;
		if (strncmp(list, etag, length) == 0 && strchr("," BLANKS, list[length]) != NULL)
			return true;
		list += strcspn(list, ",");
	}
	return false;
}
