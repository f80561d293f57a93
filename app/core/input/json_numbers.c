/* json_numbers.c - the numbers of a JSON text, set aside so that each field reads its own digits.
 */
#include "core/input/json_numbers.h"

#include <string.h>

#include "base/buffer.h"
#include "base/log.h"

#define DIGITS "0123456789"

/* So many digits always fit 64 bits: a parser keeps them. */
#define PLAIN_DIGITS 18

/* The length of the number that TEXT begins with (RFC 8259, section 6), 0 when it is none. */
static size_t number_length(const char *text)
{
	size_t length = text[0] == '-', digits = strspn(text + length, DIGITS);

	if (digits == 0 || (digits > 1 && text[length] == '0'))
		return 0;
	length += digits;
	if (text[length] == '.') {
		digits = strspn(text + length + 1, DIGITS);
		if (digits == 0)
			return 0;
		length += 1 + digits;
	}
	if (text[length] == 'e' || text[length] == 'E') {
		size_t sign = text[length + 1] == '+' || text[length + 1] == '-';

		digits = strspn(text + length + 1 + sign, DIGITS);
		if (digits == 0)
			return 0;
		length += 1 + sign + digits;
	}
	return length;
}

static bool is_plain(const char *text, size_t length)
{
	size_t sign = text[0] == '-';

	return length - sign <= PLAIN_DIGITS && strspn(text + sign, DIGITS) == length - sign;
}

/* A walk over the text: what was read, and how much of it is in the copy. */
struct scan {
	struct json_numbers *numbers;
	struct buffer copy; /* data NULL: nothing was set aside yet */
	const char *text;
	size_t length, at, copied;
};

static void remember(struct scan *scan, size_t length)
{
	struct json_numbers *numbers = scan->numbers;

	if (numbers->count == numbers->room) {
		size_t old = numbers->room * sizeof(*numbers->digits);

		numbers->room = numbers->room * 2 + 16;
		numbers->digits = arena_grow(scan->copy.arena, numbers->digits, old,
		    numbers->room * sizeof(*numbers->digits));
	}
	numbers->digits[numbers->count++] = arena_copy(
	    scan->copy.arena, scan->text + scan->at, length);
}

static void set_aside(struct scan *scan, size_t length)
{
	if (scan->copy.data == NULL)
		buffer_start(&scan->copy, scan->copy.arena, scan->length + 64);
	buffer_add(&scan->copy, scan->text + scan->copied, scan->at - scan->copied);
	buffer_add_integer(&scan->copy, (long long)scan->numbers->count);
	buffer_add(&scan->copy, "e0", 2);
	remember(scan, length);
	scan->copied = scan->at + length;
}

/* Goes over whatever looks like a number, to the byte behind it. */
static void scan_number(struct scan *scan)
{
	const char *text = scan->text + scan->at;
	size_t looks = strspn(text, DIGITS "+-.eE"), is = number_length(text);

	/* What only begins like a number stays as it is: the parser says what is wrong. */
	if (looks == is && !is_plain(text, is))
		set_aside(scan, is);
	scan->at += looks;
}

/* Goes over a string, to the byte behind its closing quote. */
static void scan_string(struct scan *scan)
{
	for (scan->at++; scan->at < scan->length; scan->at++) {
		if (scan->text[scan->at] == '\\')
			scan->at++;
		else if (scan->text[scan->at] == '"')
			break;
	}
	scan->at++;
}

/* Goes over the whole text.  False: it is nested too deeply. */
static bool scan_all(struct scan *scan)
{
	int depth = 0;

	while (scan->at < scan->length) {
		char c = scan->text[scan->at];

		if (c == '"') {
			scan_string(scan);
			continue;
		}
		if (c == '-' || (c >= '0' && c <= '9')) {
			scan_number(scan);
			continue;
		}
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (depth > JSON_DEPTH_MOST)
			return false;
		scan->at++;
	}
	return true;
}

bool json_numbers_set_aside(
    struct json_numbers *numbers, struct arena *arena, const char *text, size_t length)
{
	struct scan scan = {
		.numbers = numbers, .copy.arena = arena, .text = text, .length = length
	};

	*numbers = (struct json_numbers){ .text = text, .length = length };
	if (!scan_all(&scan))
		return false;
	if (numbers->count == 0)
		return true;
	buffer_add(&scan.copy, text + scan.copied, length - scan.copied);
	numbers->text = scan.copy.data;
	numbers->length = scan.copy.length;
	return true;
}

const char *json_numbers_digits(const struct json_numbers *numbers, double value)
{
	if (value < 0 || value >= (double)numbers->count)
		bug("the parser found a number that was not set aside");
	return numbers->digits[(size_t)value];
}
