/*
 * head.c - what the web server tells of a request, picked out of its FastCGI parameters.
 *
 * Request headers are parameters among others here (HTTP_…), and whoever can reach
 * the socket can send any: only the names in this table are looked at, and each
 * value is checked where it is used.
 */
#include "core/journey/request.h"

#include <string.h>

#include "base/attributes.h"
#include "base/text.h"

#define PARAMETER(called, member)                                         \
	{                                                                 \
		called, sizeof(called) - 1, offsetof(struct head, member) \
	}

static const struct parameter {
	const char *name;
	size_t length, offset;
} parameters[] = {
	PARAMETER("REQUEST_METHOD", method), PARAMETER("REQUEST_URI", uri),
	PARAMETER("CONTENT_TYPE", content_type),
	PARAMETER("HTTP_CONTENT_TYPE", content_type), /* with the header lines */
	PARAMETER("CONTENT_LENGTH", content_length), PARAMETER("HTTP_HOST", host),
	PARAMETER("HTTP_ORIGIN", origin), PARAMETER("HTTP_SEC_FETCH_SITE", sec_fetch_site),
	PARAMETER("HTTP_COOKIE", cookie), PARAMETER("HTTP_AUTHORIZATION", authorization),
	PARAMETER("HTTP_ACCEPT", accept), PARAMETER("HTTP_IDEMPOTENCY_KEY", idempotency_key),
	PARAMETER("HTTP_IF_MATCH", if_match), PARAMETER("HTTP_IF_NONE_MATCH", if_none_match),
	PARAMETER("HTTP_X_REQUEST_ID", request_id), PARAMETER("HTTP_TRACEPARENT", traceparent),
	PARAMETER("HTTP_USER_AGENT", user_agent), /* with the header lines */
	PARAMETER("REMOTE_ADDR", remote_address), PARAMETER("HTTPS", https),
	PARAMETER("REDIRECT_STATUS", refused_as), /* no header line can be called so, */
	PARAMETER("INTERNAL", internal),          /* nor so */
};

/*
 * One pass over what nginx sent: cheaper than asking libfcgi for each by name.  Which of
 * two a proxy in between has looked at, nobody can know: that there are two is remembered.
 */
void head_fill(struct head *head, char *const *environment)
{
	uint32_t seen = 0; /* a bit for each of the parameters */

	*head = (struct head){ 0 };
	for (; *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		size_t length;

		if (equals == NULL)
			continue;
		length = (size_t)(equals - *environment);
		for (size_t i = 0; i < COUNT(parameters); i++) {
			const struct parameter *p = &parameters[i];

			if (p->length != length || memcmp(p->name, *environment, length) != 0)
				continue;
			if (seen & 1u << i)
				head->twice = p->name;
			seen |= 1u << i;
			if (equals[1] != '\0')
				*(const char **)((char *)head + p->offset) = equals + 1;
			break;
		}
	}
}

bool head_is_twice(const struct head *head, const char *parameter)
{
	return head->twice != NULL && strcmp(head->twice, parameter) == 0;
}

/* "HTTP_CONTENT_TYPE" is Content-Type (RFC 3875, 4.1.18). */
const char *head_name(struct arena *arena, const char *parameter)
{
	static const char prefix[] = "HTTP_";
	size_t skipped = text_starts(parameter, prefix) ? sizeof(prefix) - 1 : 0;
	char *name = arena_copy(arena, parameter + skipped, strlen(parameter + skipped));

	for (char *c = name; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
		else if (c > name && c[-1] != '-')
			*c += 'a' - 'A';
	return name;
}
