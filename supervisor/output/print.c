/* print.c - the form in which workers' lines are written. */
#include "supervisor/output/print.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/output/lines.h"
#include "supervisor/output/recent.h"
#include "supervisor/output/sink.h"

const char *const print_form_names[] = { [PRINT_AUTO] = "auto",
	[PRINT_PLAIN] = "plain",
	[PRINT_TEXT] = "text",
	[PRINT_JSON] = "json",
	NULL };

#define HEAD_ROOM 512
#define LINE_ROOM (HEAD_ROOM + LINES_LONGEST * JSON_TEXT_GROWTH) /* U+FFFD grows less */

enum print_form print_form_of(int wished, bool has_file)
{
	if (wished != PRINT_AUTO)
		return (enum print_form)wished;
	if (has_file)
		return PRINT_PLAIN;
	return log_is_json() ? PRINT_JSON : PRINT_TEXT;
}

static size_t add_clean(char *out, const char *text, size_t length)
{
	char clean[LINES_LONGEST * TEXT_CLEAN_GROWTH];

	return json_text_escape(out, clean, text_clean(clean, text, length));
}

static size_t make_text(char *out, const struct recent_line *line, const char *text)
{
	char time[CLOCK_TEXT];
	size_t length = (size_t)snprintf(out, HEAD_ROOM, "%s %s %zu (%d) | ",
	    clock_rfc3339(time, line->wall), line->pool, line->slot, (int)line->pid);

	length += add_clean(out + length, text, line->length);
	if (line->goes_on)
		out[length++] = '\\';
	return length;
}

/* The same names as in our own messages, so that one reader can read both. */
static size_t make_json(char *out, const struct recent_line *line, const char *text)
{
	char time[CLOCK_TEXT];
	size_t length = (size_t)snprintf(out, HEAD_ROOM,
	    "{\"time\":\"%s\",\"level\":\"info\",\"pool\":\"%s\",\"slot\":%zu,\"pid\":%d,%s"
	    "\"message\":\"",
	    clock_rfc3339(time, line->wall), line->pool, line->slot, (int)line->pid,
	    line->goes_on ? "\"goes_on\":true," : "");

	length += add_clean(out + length, text, line->length);
	memcpy(out + length, "\"}", 2);
	return length + 2;
}

bool print_line(
    struct sink *sink, enum print_form form, const struct recent_line *line, const char *text)
{
	char out[LINE_ROOM];
	size_t length;

	if (form == PRINT_JSON) {
		length = make_json(out, line, text);
	} else if (form == PRINT_TEXT) {
		length = make_text(out, line, text);
	} else {
		length = line->length;
		memcpy(out, text, length);
	}
	out[length++] = '\n';
	return sink_line(sink, out, length);
}

void print_loss(struct sink *sink, enum print_form form, unsigned long long count)
{
	struct recent_line line = { .wall = clock_wall(), .pool = "ostlerd" };
	char text[96];

	line.length = (size_t)snprintf(text, sizeof(text),
	    "ostlerd: %llu lines are missing here, they could not be written", count);
	print_line(sink, form, &line, text);
}
