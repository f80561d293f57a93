/* media.h - what Content-Type says of a body (RFC 9110, section 8.3.1). */
#ifndef CORE_INPUT_MEDIA_H
#define CORE_INPUT_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether CONTENT_TYPE (NULL: none) is MEDIA, of any case, with well-formed
 * parameters of which a charset can only be UTF-8.  Two Content-Types, which a
 * web server joins with a comma, are none.
 */
bool media_is(const char *content_type, const char *media);

/*
 * The value of the parameter NAME of a CONTENT_TYPE that media_is has taken;
 * without its quotes, LENGTH bytes long.  NULL when it has none.
 */
const char *media_parameter(const char *content_type, const char *name, size_t *length);

#endif
