/* basic.c - a name and a secret in Authorization: Basic (RFC 7617). */
#include "features/tokens/basic.h"

#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "core/input/percent.h"

#define SCHEME "Basic "

/* RFC 6749, 2.3.1: both are written as a form has them before they are joined by a colon. */
bool basic_read(struct arena *arena, const char *header, struct credentials *credentials)
{
	char *plain, *colon;

	if (strncasecmp(header, SCHEME, strlen(SCHEME)) != 0)
		return false;
	plain = base64_text(arena, header + strlen(SCHEME));
	colon = plain != NULL ? strchr(plain, ':') : NULL;
	if (colon == NULL)
		return false;
	*colon = '\0';
	credentials->id = plain;
	credentials->secret = colon + 1;
	return percent_decode(plain, true) && percent_decode(colon + 1, true);
}
