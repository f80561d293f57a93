/* percent.c - percent-encoding, of paths and of urlencoded forms. */
#include "core/input/percent.h"

#include <string.h>

#include "base/text.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool percent_decode(char *text, bool form)
{
	char *out = text;

	for (char *in = text; *in != '\0'; in++) {
		if (*in == '%') {
			int high = hex_digit(in[1]);
			int low = high < 0 ? -1 : hex_digit(in[2]);

			if (low < 0 || high + low == 0)
				return false;
			*out++ = (char)(high << 4 | low);
			in += 2;
		} else {
			*out++ = form && *in == '+' ? ' ' : *in;
		}
	}
	*out = '\0';
	return text_code_points(text, (size_t)(out - text)) >= 0;
}
