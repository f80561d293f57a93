/*
 * kept_key.h - under which key of the cache an answer is kept.
 *
 * A route writes its keys with {names}, as it writes its path: {user} is who asks,
 * any other name is that input, in the one form that binding gives it.  "007" and
 * "7" are one id, so they are one key, and the change of one drops the other.
 */
#ifndef CORE_ANSWER_KEPT_KEY_H
#define CORE_ANSWER_KEPT_KEY_H

#include "core/journey/request.h"

/* Stands in a key for who asks, once at most. */
#define KEPT_USER "{user}"

/* TEMPLATE filled in from the request, whose path and query are bound. */
const char *kept_key(struct request *, const char *template);

/*
 * Whether the answer to this request is the one that the route's key names: every
 * input that was given stands in it.  A list is kept by its default page that way.
 */
bool kept_key_names_all(const struct request *);

/* Ends the program when a route's keys have names that it does not take, or hide one. */
void kept_key_check(const struct route *);

#endif
