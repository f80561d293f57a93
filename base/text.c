/*
 * text.c - questions about text, answered once.
 *
 * The library's own strtoll and the like take blanks, signs, other bases and
 * the beginning of a word; what a person or a client wrote is taken whole here
 * or not at all.
 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Bytes of the code point at P (END bounds it), or 0 when it is not valid.
 * RFC 3629, section 4: no overlong forms, no surrogates, nothing over U+10FFFF;
 * all of which show in the second byte.
 */
static size_t code_point_bytes(const unsigned char *p, const unsigned char *end)
{
	unsigned char least = 0x80, most = 0xBF;
	size_t bytes;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xC2 || p[0] > 0xF4)
		return 0;
	bytes = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
	if ((size_t)(end - p) < bytes)
		return 0;
	if (p[0] == 0xE0)
		least = 0xA0;
	else if (p[0] == 0xED)
		most = 0x9F;
	else if (p[0] == 0xF0)
		least = 0x90;
	else if (p[0] == 0xF4)
		most = 0x8F;
	if (p[1] < least || p[1] > most)
		return 0;
	for (size_t i = 2; i < bytes; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return bytes;
}

/* Most text is ASCII: eight bytes at a time until a byte has its highest bit set. */
static size_t ascii_bytes(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *start = p;
	uint64_t word;

	for (; end - p >= 8; p += 8) {
		memcpy(&word, p, sizeof(word));
		if ((word & 0x8080808080808080u) != 0)
			break;
	}
	return (size_t)(p - start);
}

long text_code_points(const char *text, size_t length)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + length;
	long count = (long)ascii_bytes(p, end);

	for (p += count; p < end; count++) {
		size_t bytes = code_point_bytes(p, end);

		if (bytes == 0)
			return -1;
		p += bytes;
	}
	return count;
}

size_t text_clean(char *out, const char *text, size_t length)
{
	static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = p + length;
	size_t written = 0;

	while (p < end) {
		size_t bytes = code_point_bytes(p, end);

		if (bytes > 0)
			memcpy(out + written, p, bytes);
		else
			memcpy(out + written, replacement, strlen(replacement));
		written += bytes > 0 ? bytes : strlen(replacement);
		p += bytes > 0 ? bytes : 1;
	}
	return written;
}

bool text_to_integer(const char *text, long long *value)
{
	const char *digits = text + (text[0] == '-');
	char *end;

	/* strtoll would take blanks and a plus sign. */
	if (!isdigit((unsigned char)digits[0]))
		return false;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* Reads a number that is not negative and leaves *UNIT behind it. */
static bool number_with_unit(const char *text, long long *number, const char **unit)
{
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	*unit = end;
	return errno == 0;
}

static bool multiply(long long *number, long long by)
{
	return !__builtin_mul_overflow(*number, by, number);
}

bool text_to_duration(const char *text, long long *milliseconds)
{
	static const struct {
		const char *name;
		long long milliseconds;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
		{ "d", 86400000 } };
	const char *unit;

	if (!number_with_unit(text, milliseconds, &unit))
		return false;
	for (size_t i = 0; i < COUNT(units); i++)
		if (strcmp(unit, units[i].name) == 0)
			return multiply(milliseconds, units[i].milliseconds);
	return false;
}

bool text_to_size(const char *text, long long *bytes)
{
	const char *unit;

	if (!number_with_unit(text, bytes, &unit))
		return false;
	if (*unit == '\0')
		return true;
	if (unit[1] != '\0')
		return false;
	switch (*unit) {
	case 'K':
		return multiply(bytes, 1LL << 10);
	case 'M':
		return multiply(bytes, 1LL << 20);
	case 'G':
		return multiply(bytes, 1LL << 30);
	default:
		return false;
	}
}

#define LONGEST_WORD 64

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance: how many letters must be added, dropped or changed. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LONGEST_WORD + 1];
	size_t length = strlen(b);

	if (strlen(a) > LONGEST_WORD || length > LONGEST_WORD)
		return SIZE_MAX;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t above = row[j];
			bool same = tolower((unsigned char)a[i - 1]) ==
				    tolower((unsigned char)b[j - 1]);

			row[j] = least(above + 1, row[j - 1] + 1, diagonal + !same);
			diagonal = above;
		}
	}
	return row[length];
}

const char *text_closest(const char *word, const char *const *list)
{
	const char *closest = NULL;
	/* Further away than this it is another word, not a slip. */
	size_t best = strlen(word) / 3 + 2;

	for (; *list != NULL; list++) {
		size_t far = distance(word, *list);

		if (far < best) {
			best = far;
			closest = *list;
		}
	}
	return closest;
}

int text_index(const char *word, const char *const *list)
{
	for (int i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return i;
	return -1;
}

const char *text_from_integer(char scratch[static TEXT_INTEGER], long long value)
{
	/* -LLONG_MIN does not fit: the magnitude is taken unsigned. */
	unsigned long long rest = value < 0 ? -(unsigned long long)value
					    : (unsigned long long)value;
	char *p = scratch + TEXT_INTEGER - 1;

	*p = '\0';
	do
		*--p = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		*--p = '-';
	return p;
}

bool text_starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}
