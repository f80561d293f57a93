/* accept.c - which of two media types a client would rather have: Accept (RFC 9110, 12.5.1). */
#include "core/input/accept.h"

#include <string.h>
#include <strings.h>

#define BLANK " \t"

/* How specific the range is where it matches MEDIA: 3 its own, 2 its type's, 1 any; 0: not at all.
 */
static int match(const char *range, size_t length, const char *media)
{
	size_t type = strcspn(media, "/") + 1;

	if (length == strlen(media) && strncasecmp(range, media, length) == 0)
		return 3;
	if (length == type + 1 && range[type] == '*' && strncasecmp(range, media, type) == 0)
		return 2;
	return length == 3 && memcmp(range, "*/*", 3) == 0 ? 1 : 0;
}

/* The weight among PARAMETERS, in thousandths: "q=0.85" is 850; without one it is 1. */
static int weight_of(const char *parameters, size_t length)
{
	const char *end = parameters + length;
	int weight = 0, digit = 1000;

	while ((parameters = memchr(parameters, ';', (size_t)(end - parameters))) != NULL) {
		parameters++;
		parameters += strspn(parameters, BLANK);
		if (end - parameters < 3 || strncasecmp(parameters, "q=", 2) != 0)
			continue;
		for (parameters += 2;
		     parameters < end && strchr("0123456789.", *parameters) != NULL; parameters++) {
			if (*parameters == '.')
				continue;
			weight += (*parameters - '0') * digit;
			digit /= 10;
		}
		return weight;
	}
	return 1000;
}

static int wish_for(const char *accept, const char *media)
{
	int best = 0, weight = 0;

	while (*accept != '\0') {
		size_t whole, range;
		int matched;

		accept += strspn(accept, BLANK);
		whole = strcspn(accept, ",");
		range = strcspn(accept, ",;" BLANK);
		matched = match(accept, range, media);
		if (matched > best) {
			best = matched;
			weight = weight_of(accept, whole);
		}
		accept += whole + (accept[whole] == ',');
	}
	return weight;
}

bool accept_prefers(const char *accept, const char *media, const char *usual)
{
	return accept != NULL && wish_for(accept, media) > wish_for(accept, usual);
}
