/* accept.h - which of two media types a client would rather have: Accept (RFC 9110, 12.5.1). */
#ifndef CORE_INPUT_ACCEPT_H
#define CORE_INPUT_ACCEPT_H

#include <stdbool.h>

/*
 * Whether ACCEPT, the header's value or NULL, wants MEDIA more than USUAL; both as
 * "text/csv".  Of the ranges that match a type the most specific one counts; who
 * wants both as much, or says nothing, gets the usual.
 */
bool accept_prefers(const char *accept, const char *media, const char *usual);

#endif
