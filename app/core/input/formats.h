/* formats.h - texts of a fixed form: UUID, e-mail address, URL, amount of money. */
#ifndef CORE_INPUT_FORMATS_H
#define CORE_INPUT_FORMATS_H

#include <stdbool.h>

#include "base/attributes.h"

/* 8-4-4-4-12 hexadecimal digits of either case (RFC 9562, section 4). */
bool uuid_is_valid(const char *text);

/*
 * What a browser's <input type=email> takes (HTML standard, "valid e-mail
 * address"), at most 254 bytes (RFC 5321, section 4.5.3.1).
 */
bool email_is_valid(const char *text);

/*
 * An absolute http or https URL (RFC 3986) of at most 2,048 bytes.  No other
 * scheme: a javascript: URL in an answer would run in somebody's page.
 */
bool url_is_valid(const char *text);

/* Room for any amount as money_print writes it, with its NUL. */
#define MONEY_TEXT 24

/*
 * Reads an amount: an optional '-', digits, and at most two decimals, as "12", "12.5" or
 * "-0.25".  At most 13 digits before the point, so that a client which reads JSON's numbers as
 * doubles (15 digits) gets every cent.  False when it is anything else.
 */
bool money_read(const char *text, long long *cents) MUST_CHECK;

/* Writes it with two decimals and returns TEXT. */
const char *money_print(char text[static MONEY_TEXT], long long cents);

#endif
