/* cors.c - which other sites' pages may read what is answered here. */
#include "core/answer/cors.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "core/journey/request.h"

/* What a page may send, beyond what any form could. */
#define TAKEN_HEADERS                                                             \
	"Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, " \
	"X-Request-Id, traceparent"

/* What a page may read, beyond Content-Type and Cache-Control. nginx/cors.conf has the same list.
 */
#define EXPOSED_HEADERS                                                                           \
	"Cache-Status, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, " \
	"Retry-After, X-Request-Id, traceparent"

bool cors_allows(const struct cors *cors, const char *origin)
{
	for (size_t i = 0; i < cors->count; i++)
		if (strcmp(cors->origins[i], origin) == 0 || strcmp(cors->origins[i], "*") == 0)
			return true;
	return false;
}

bool cors_is_origin(const char *text)
{
	static const char *const schemes[] = { "http://", "https://" };
	static const char of_host[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_[]:";

	for (size_t i = 0; i < COUNT(schemes); i++) {
		const char *host = text + strlen(schemes[i]);

		if (text_starts(text, schemes[i]) && *host != '\0' && *host != ':')
			return host[strspn(host, of_host)] == '\0';
	}
	return false;
}

static void add(struct buffer *head, const char *name, const char *value)
{
	buffer_add_text(head, "Access-Control-");
	buffer_add_text(head, name);
	buffer_add(head, ": ", 2);
	buffer_add_text(head, value);
	buffer_add(head, "\r\n", 2);
}

void cors_add(const struct request *rq, struct buffer *head)
{
	const struct cors *cors = &rq->app->cors;
	const char *origin = rq->head.origin;

	if (cors->count == 0)
		return;
	/* Also of an answer to no origin at all: a cache must not hand it to one. */
	buffer_add_text(head, "Vary: Origin\r\n");
	if (origin == NULL || !cors_allows(cors, origin))
		return;
	add(head, "Allow-Origin", strcmp(cors->origins[0], "*") == 0 ? "*" : origin);
	if (cors->credentials)
		add(head, "Allow-Credentials", "true");
	if (rq->allow == NULL) {
		add(head, "Expose-Headers", EXPOSED_HEADERS);
		return;
	}
	/* Nobody but a preflight asks what may be done here with an Origin of another site. */
	add(head, "Allow-Methods", rq->allow);
	add(head, "Allow-Headers", TAKEN_HEADERS);
	buffer_print(head, "Access-Control-Max-Age: %lld\r\n", cors->max_age_s);
}
