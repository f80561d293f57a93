/*
 * json_text.c - text as a JSON string.
 *
 * Most text needs no escape at all, so eight bytes are tested at once and copied
 * when none of them does; only the others are looked at one by one.
 */
#include "base/json_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 0: the byte stands for itself; 'u': as \u00XX; else the letter behind the backslash. */
static char escape_of(unsigned char byte)
{
	switch (byte) {
	case '"':
	case '\\':
		return (char)byte;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		/* DEL needs none by the RFC, but logs are read on terminals. */
		return byte < 0x20 || byte == 0x7F ? 'u' : 0;
	}
}

/*
 * Whether any of eight bytes may need an escape: below 0x20, '"', '\' or 0x7F.
 * The usual test for a zero byte in a word (x - 1 & ~x & 0x80), made on the
 * word xor each byte looked for.  It may say yes too often, never too seldom.
 */
static bool eight_have_escape(const char *text)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
	uint64_t word, control, quote, backslash, delete;

	memcpy(&word, text, sizeof(word));
	quote = word ^ ones * '"';
	backslash = word ^ ones * '\\';
	delete = word ^ ones * 127;
	control = (word - ones * 0x20) & ~word;
	quote = (quote - ones) & ~quote;
	backslash = (backslash - ones) & ~backslash;
	delete = (delete - ones) & ~delete;
	return ((control | quote | backslash | delete) & highs) != 0;
}

static size_t escape_byte(char *out, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	char escape = escape_of(byte);

	if (escape == 0) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = escape;
	if (escape != 'u')
		return 2;
	memcpy(out + 2, "00", 2);
	out[4] = hex[byte >> 4];
	out[5] = hex[byte & 15];
	return 6;
}

size_t json_text_escape(char *out, const char *text, size_t length)
{
	char *start = out;
	size_t i = 0;

	while (i < length) {
		if (length - i >= 8 && !eight_have_escape(text + i)) {
			memcpy(out, text + i, 8);
			out += 8;
			i += 8;
			continue;
		}
		out += escape_byte(out, (unsigned char)text[i++]);
	}
	return (size_t)(out - start);
}
