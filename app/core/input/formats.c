/*
 * formats.c - texts of a fixed form: UUID, e-mail address, URL, amount of money.
 *
 * Each is one pass over the text without a regular expression: these are the
 * kinds of almost every table, and a pattern costs ten times as much.
 */
#include "core/input/formats.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define EMAIL_MOST 254
#define URL_MOST   2048
#define LABEL_MOST 63 /* of a domain name (RFC 1035, section 2.3.4) */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

bool uuid_is_valid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != '-')
			return false;
	return text[sizeof(form) - 1] == '\0';
}

/* A label of a domain: letters, digits and inner hyphens.  Returns its length, 0: it is none. */
static size_t label_length(const char *text)
{
	size_t length = strspn(text, LETTERS DIGITS "-");

	if (length == 0 || length > LABEL_MOST || text[0] == '-' || text[length - 1] == '-')
		return 0;
	return length;
}

bool email_is_valid(const char *text)
{
	size_t local = strspn(text, LETTERS DIGITS ".!#$%&'*+/=?^_`{|}~-"), length;

	if (local == 0 || text[local] != '@' || strlen(text) > EMAIL_MOST)
		return false;
	text += local;
	/* Labels with a dot between them: here text stands at '@' or '.'. */
	do {
		length = label_length(++text);
		text += length;
	} while (length > 0 && *text == '.');
	return length > 0 && *text == '\0';
}

/* Whether TEXT, from here to its end, is made of what a URI may hold (RFC 3986, section 2). */
static bool has_uri_letters(const char *text)
{
	for (;;) {
		text += strspn(text, LETTERS DIGITS "-._~:/?#[]@!$&'()*+,;=");
		if (*text != '%')
			return *text == '\0';
		if (!isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
			return false;
		text += 3;
	}
}

/* host or host:port; a name, or an address in brackets.  No user before an '@': it deceives. */
static bool authority_is_valid(const char *text, size_t length)
{
	size_t host = text[0] == '[' ? strspn(text + 1, "0123456789abcdefABCDEF:.") + 2
				     : strspn(text, LETTERS DIGITS "-._~");

	if (host == 0 || host > length || (text[0] == '[' && (host < 4 || text[host - 1] != ']')))
		return false;
	if (host == length)
		return true;
	return text[host] == ':' && length - host <= sizeof("65535") &&
	       strspn(text + host + 1, DIGITS) == length - host - 1;
}

bool url_is_valid(const char *text)
{
	const char *authority = text_starts(text, "https://")  ? text + 8
				: text_starts(text, "http://") ? text + 7
							       : NULL;

	return authority != NULL && strlen(text) <= URL_MOST && has_uri_letters(authority) &&
	       authority_is_valid(authority, strcspn(authority, "/?#"));
}

/* --- money --- */

#define MONEY_DIGITS 13 /* before the point */

bool money_read(const char *text, long long *cents)
{
	bool negative = *text == '-';
	size_t whole, decimals = 0;
	long long value = 0;

	text += negative;
	whole = strspn(text, DIGITS);
	if (whole == 0 || whole > MONEY_DIGITS || (whole > 1 && text[0] == '0'))
		return false;
	if (text[whole] == '.') {
		decimals = strspn(text + whole + 1, DIGITS);
		if (decimals == 0 || decimals > 2)
			return false;
	}
	if (text[whole + (decimals > 0) + decimals] != '\0')
		return false;
	for (size_t i = 0; i < whole; i++)
		value = value * 10 + text[i] - '0';
	for (size_t i = 1; i <= 2; i++)
		value = value * 10 + (i <= decimals ? text[whole + i] - '0' : 0);
	*cents = negative ? -value : value;
	return true;
}

const char *money_print(char text[static MONEY_TEXT], long long cents)
{
	long long size = cents < 0 ? -cents : cents;

	snprintf(text, MONEY_TEXT, "%s%lld.%02lld", cents < 0 ? "-" : "", size / 100, size % 100);
	return text;
}
