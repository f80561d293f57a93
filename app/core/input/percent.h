/* percent.h - percent-encoding, of paths and of urlencoded forms. */
#ifndef CORE_INPUT_PERCENT_H
#define CORE_INPUT_PERCENT_H

#include <stdbool.h>

#include "base/attributes.h"

/*
 * Decodes %XX in place (RFC 3986, section 2.1), and '+' as a blank when FORM
 * (the URL standard's application/x-www-form-urlencoded).  False: a broken
 * escape, a NUL, or what comes out is no UTF-8.
 */
bool percent_decode(char *text, bool form) MUST_CHECK;

#endif
