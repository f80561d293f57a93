/* csv.c - comma-separated values (RFC 4180), read line by line and written field by field. */
#include "base/csv.h"

#include <string.h>

/* What a spreadsheet puts before UTF-8. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

void csv_start(struct csv_reader *reader, csv_take_fn *take, void *context)
{
	reader->take = take;
	reader->context = context;
	reader->record.line = 0;
	reader->too_long = false;
	reader->length = 0;
}

/* --- one line --- */

/*
 * Unquotes the field at *AT into TO, a NUL behind it; *AT goes to the comma or
 * the end behind it.  Returns the place behind the NUL, or NULL: the quotes are wrong.
 */
static char *take_quoted(const char **at, const char *end, char *to)
{
	const char *from = *at + 1;

	for (;;) {
		const char *quote = memchr(from, '"', (size_t)(end - from));

		if (quote == NULL)
			return NULL;
		memcpy(to, from, (size_t)(quote - from));
		to += quote - from;
		from = quote + 1;
		if (from == end || *from != '"')
			break;
		*to++ = '"'; /* two of them are one */
		from++;
	}
	if (from != end && *from != ',')
		return NULL;
	*to++ = '\0';
	*at = from;
	return to;
}

static char *take_plain(const char **at, const char *end, char *to)
{
	const char *comma = memchr(*at, ',', (size_t)(end - *at));
	size_t length = (size_t)((comma != NULL ? comma : end) - *at);

	if (memchr(*at, '"', length) != NULL)
		return NULL;
	memcpy(to, *at, length);
	to[length] = '\0';
	*at += length;
	return to + length + 1;
}

/* Cuts the line into the record's fields; returns what is wrong with it. */
static const char *split(struct csv_reader *reader)
{
	struct csv_record *record = &reader->record;
	const char *at = record->raw, *end = at + record->raw_length;
	char *to = reader->fields;

	record->count = 0;
	if (memchr(at, '\0', record->raw_length) != NULL)
		return "has a NUL";
	for (;; at++) { /* over the comma */
		if (record->count == CSV_FIELDS_MOST)
			return "has too many fields";
		record->field[record->count++] = to;
		to = at < end && *at == '"' ? take_quoted(&at, end, to) : take_plain(&at, end, to);
		if (to == NULL)
			return "has a quote that is not closed or stands inside a field";
		if (at == end)
			return NULL;
	}
}

/* Hands on the line that has come to its end. */
static bool end_line(struct csv_reader *reader)
{
	struct csv_record *record = &reader->record;

	record->line++;
	record->raw = reader->line;
	record->raw_length = reader->length;
	if (!reader->too_long && record->raw_length > 0 &&
	    record->raw[record->raw_length - 1] == '\r')
		record->raw_length--;
	if (record->line == 1 && record->raw_length >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(record->raw, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
		record->raw += strlen(BYTE_ORDER_MARK);
		record->raw_length -= strlen(BYTE_ORDER_MARK);
	}
	record->wrong = reader->too_long ? "is too long" : NULL;
	reader->length = 0;
	reader->too_long = false;
	if (record->wrong == NULL && record->raw_length == 0)
		return true;
	if (record->wrong == NULL)
		record->wrong = split(reader);
	return reader->take(reader->context, record);
}

/* --- the file --- */

static void add_to_line(struct csv_reader *reader, const char *bytes, size_t length)
{
	size_t room = sizeof(reader->line) - reader->length;

	if (length > room) {
		reader->too_long = true;
		length = room;
	}
	memcpy(reader->line + reader->length, bytes, length);
	reader->length += length;
}

bool csv_feed(struct csv_reader *reader, const char *bytes, size_t length)
{
	const char *end = bytes + length, *newline;

	while ((newline = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		add_to_line(reader, bytes, (size_t)(newline - bytes));
		if (!end_line(reader))
			return false;
		bytes = newline + 1;
	}
	add_to_line(reader, bytes, (size_t)(end - bytes));
	return true;
}

bool csv_finish(struct csv_reader *reader)
{
	return reader->length == 0 || end_line(reader);
}

/* --- writing --- */

void csv_add(struct buffer *out, const char *text, bool first)
{
	if (!first)
		buffer_add_char(out, ',');
	if (strpbrk(text, ",\"\r\n") == NULL) {
		buffer_add_text(out, text);
		return;
	}
	buffer_add_char(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buffer_add_char(out, '"');
		buffer_add_char(out, *text);
	}
	buffer_add_char(out, '"');
}
