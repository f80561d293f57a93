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

#define PARAMETER(called, member)                                         \
	{                                                                 \
		called, sizeof(called) - 1, offsetof(struct head, member) \
	}

static const struct parameter {
	const char *name;
	size_t length, offset;
} parameters[] = {
	PARAMETER("REQUEST_METHOD", method),
	PARAMETER("REQUEST_URI", uri),
	PARAMETER("CONTENT_TYPE", content_type),
	PARAMETER("CONTENT_LENGTH", content_length),
	PARAMETER("HTTP_HOST", host),
	PARAMETER("HTTP_ORIGIN", origin),
	PARAMETER("HTTP_SEC_FETCH_SITE", sec_fetch_site),
	PARAMETER("HTTP_COOKIE", cookie),
	PARAMETER("HTTP_AUTHORIZATION", authorization),
	PARAMETER("HTTP_ACCEPT", accept),
	PARAMETER("HTTP_IDEMPOTENCY_KEY", idempotency_key),
	PARAMETER("HTTP_IF_MATCH", if_match),
	PARAMETER("HTTP_IF_NONE_MATCH", if_none_match),
	PARAMETER("HTTP_X_REQUEST_ID", request_id),
	PARAMETER("HTTP_TRACEPARENT", traceparent),
	PARAMETER("REMOTE_ADDR", remote_address),
};

/* One pass over what nginx sent: cheaper than asking libfcgi for each by name. */
void head_fill(struct head *head, char *const *environment)
{
	*head = (struct head){ 0 };
	for (; *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		size_t length;

		if (equals == NULL || equals[1] == '\0')
			continue;
		length = (size_t)(equals - *environment);
		for (size_t i = 0; i < COUNT(parameters); i++) {
			const struct parameter *p = &parameters[i];

			if (p->length != length || memcmp(p->name, *environment, length) != 0)
				continue;
			*(const char **)((char *)head + p->offset) = equals + 1;
			break;
		}
	}
}
