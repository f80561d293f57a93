/*
 * json.c - JSON written straight into a buffer, commas in place.
 *
 * The writer keeps no state of its own: whether a comma is due it reads off the last
 * byte that was written.  An opening bracket or a colon can be nothing else, since a
 * text ends with its quote and a number with a digit.
 */
#include "core/answer/json.h"

#include "base/json_text.h"

void json_comma(struct buffer *out)
{
	char last = out->length > 0 ? out->data[out->length - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		buffer_add_char(out, ',');
}

void json_open(struct buffer *out, char bracket)
{
	json_comma(out);
	buffer_add_char(out, bracket);
}

void json_close(struct buffer *out, char bracket)
{
	buffer_add_char(out, bracket);
}

void json_key(struct buffer *out, const char *key)
{
	json_comma(out);
	buffer_add_char(out, '"');
	buffer_add_text(out, key);
	buffer_add(out, "\":", 2);
}

void json_bytes(struct buffer *out, const char *text, size_t length)
{
	size_t room = length * JSON_TEXT_GROWTH + 2;

	json_comma(out);
	if (out->room - out->length < room)
		buffer_make_room(out, room);
	out->data[out->length++] = '"';
	out->length += json_text_escape(out->data + out->length, text, length);
	out->data[out->length++] = '"';
}

void json_text(struct buffer *out, const char *text)
{
	if (text != NULL)
		json_bytes(out, text, strlen(text));
	else
		json_nothing(out);
}

void json_raw(struct buffer *out, const char *json, size_t length)
{
	json_comma(out);
	buffer_add(out, json, length);
}

void json_number(struct buffer *out, long long value)
{
	json_comma(out);
	buffer_add_integer(out, value);
}

void json_boolean(struct buffer *out, bool value)
{
	json_raw(out, value ? "true" : "false", value ? 4 : 5);
}

void json_nothing(struct buffer *out)
{
	json_raw(out, "null", 4);
}

void json_ms(struct buffer *out, long long microseconds)
{
	json_comma(out);
	buffer_print(out, "%lld.%03lld", microseconds / 1000, microseconds % 1000);
}

void json_key_text(struct buffer *out, const char *key, const char *text)
{
	json_key(out, key);
	json_text(out, text);
}

void json_key_open(struct buffer *out, const char *key, char bracket)
{
	json_key(out, key);
	json_open(out, bracket);
}
