/*
 * cors.h - which other sites' pages may read what is answered here (Fetch standard,
 * CORS protocol).
 *
 * Said of every answer, errors too: a page that may not read an error is told by its
 * browser of a network failure. Nothing at all is said unless origins are configured.
 */
#ifndef CORE_ANSWER_CORS_H
#define CORE_ANSWER_CORS_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct request;

struct cors {
	const char *const *origins; /* "https://app.example"; "*": any */
	size_t count;
	bool credentials;    /* a page of theirs may send cookies */
	long long max_age_s; /* how long a browser need not ask again */
};

/* Whether a page of ORIGIN may read answers. */
bool cors_allows(const struct cors *, const char *origin);

/* Whether TEXT is an origin as browsers write it: scheme, host in lower case, port if unusual. */
bool cors_is_origin(const char *text);

/* Adds the answer's Access-Control-* and Vary to HEAD; to OPTIONS, what a page may ask. */
void cors_add(const struct request *, struct buffer *head);

#endif
