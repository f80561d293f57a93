/*
 * log.c - one line per event on standard error, as JSON or as text.
 *
 * No lock: each line is put together on its caller's stack and leaves in one
 * write(2), which O_APPEND and pipes (up to PIPE_BUF) keep whole.  So a line has a
 * size that it cannot exceed, and what does not fit is cut so that JSON stays JSON:
 * a name and its value go in together or not at all.
 *
 * What is configured stands in globals, because everything logs, down to code that
 * has no other reason to be handed anything; they are set before threads start.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/text.h"

const char *const log_level_names[] = { "debug", "info", "warn", "error", NULL };
const char *const log_format_names[] = { "text", "json", NULL };

/* Set once, before any thread starts. */
static enum log_level least_level = LOG_INFO;
static enum log_format chosen_format = LOG_TEXT;
static void (*take_line)(const char *line, size_t length); /* of standard error; NULL: nobody */

/* Kept free at a line's end: a closing brace, or the mark of a cut, and the newline. */
#define LINE_END 8

void log_setup(enum log_level least, enum log_format format)
{
	least_level = least;
	chosen_format = format;
}

void log_divert(void (*take)(const char *line, size_t length))
{
	take_line = take;
}

bool log_is_json(void)
{
	return chosen_format == LOG_JSON;
}

bool log_wants(enum log_level level)
{
	return level >= least_level;
}

static size_t room(const struct log_line *line)
{
	return sizeof(line->text) - LINE_END - line->length;
}

static void add(struct log_line *line, const char *bytes, size_t length)
{
	if (length > room(line))
		length = room(line);
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

static void add_word(struct log_line *line, const char *text)
{
	add(line, text, strlen(text));
}

/* At most PART of TEXT's LENGTH bytes: those that do not end in the middle of a character. */
static size_t whole_characters(const char *text, size_t part, size_t length)
{
	while (part > 0 && part < length && ((unsigned char)text[part] & 0xC0) == 0x80)
		part--;
	return part;
}

static void mask_foreign(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			text[i] = '?';
}

#define PIECE 64

/*
 * Adds TEXT escaped: what is logged may come from outside, and a control
 * character must neither forge a line nor speak to a terminal.  Bytes that are
 * no UTF-8 cannot stand in JSON.  What does not fit is cut between two
 * characters and leaves room for the closing quote.
 */
static void add_escaped(struct log_line *line, const char *text, size_t length)
{
	bool foreign = text_code_points(text, length) < 0;
	char escaped[PIECE * JSON_TEXT_GROWTH];

	while (length > 0) {
		size_t part = length < PIECE ? length : PIECE;
		size_t size;

		if (!foreign)
			part = whole_characters(text, part, length);
		size = json_text_escape(escaped, text, part);
		while (part > 0 && size >= room(line)) {
			part = whole_characters(text, part - 1, length);
			size = json_text_escape(escaped, text, part);
		}
		if (part == 0)
			return;
		if (foreign)
			mask_foreign(escaped, size);
		add(line, escaped, size);
		text += part;
		length -= part;
	}
}

static void add_name(struct log_line *line, const char *name)
{
	if (chosen_format == LOG_TEXT) {
		add(line, " ", 1);
		add_word(line, name);
		add(line, "=", 1);
	} else {
		add(line, ",\"", 2);
		add_word(line, name);
		add(line, "\":", 2);
	}
}

void log_begin(struct log_line *line, enum log_level level, const char *message)
{
	char now[CLOCK_TEXT];

	line->level = level;
	line->length = 0;
	clock_rfc3339(now, clock_wall());
	if (chosen_format == LOG_TEXT) {
		add_word(line, now);
		add(line, " ", 1);
		add_word(line, log_level_names[level]);
		add(line, " ", 1);
		add_escaped(line, message, strlen(message));
		return;
	}
	add_word(line, "{\"time\":\"");
	add_word(line, now);
	add_word(line, "\",\"level\":\"");
	add_word(line, log_level_names[level]);
	add_word(line, "\",\"message\":\"");
	add_escaped(line, message, strlen(message));
	add(line, "\"", 1);
}

void log_add_bytes(struct log_line *line, const char *name, const char *value, size_t length)
{
	if (room(line) < strlen(name) + 32)
		return;
	/* Without room for the closing quote the value is left out: a full line stays JSON. */
	if (room(line) < strlen(name) + length * JSON_TEXT_GROWTH + 8) {
		value = "(too long)";
		length = strlen(value);
	}
	add_name(line, name);
	if (chosen_format == LOG_JSON)
		add(line, "\"", 1);
	add_escaped(line, value, length);
	if (chosen_format == LOG_JSON)
		add(line, "\"", 1);
}

void log_add_text(struct log_line *line, const char *name, const char *value)
{
	log_add_bytes(line, name, value, strlen(value));
}

static void add_number(struct log_line *line, const char *name, const char *digits)
{
	if (room(line) < strlen(name) + strlen(digits) + 8)
		return;
	add_name(line, name);
	add_word(line, digits);
}

void log_add_integer(struct log_line *line, const char *name, long long value)
{
	char scratch[TEXT_INTEGER];

	add_number(line, name, text_from_integer(scratch, value));
}

void log_add_ms(struct log_line *line, const char *name, long long microseconds)
{
	char scratch[TEXT_INTEGER], digits[TEXT_INTEGER + 4];
	const char *whole = text_from_integer(scratch, microseconds / 1000);
	size_t length = strlen(whole);
	unsigned rest = (unsigned)(microseconds % 1000);

	memcpy(digits, whole, length);
	digits[length++] = '.';
	digits[length++] = (char)('0' + rest / 100);
	digits[length++] = (char)('0' + rest / 10 % 10);
	digits[length++] = (char)('0' + rest % 10);
	digits[length] = '\0';
	add_number(line, name, digits);
}

/* A full disk or a closed pipe costs the line and nothing else. */
static void write_line(const struct log_line *line, int fd)
{
	int saved = errno;

	if (write(fd, line->text, line->length) < 0)
		errno = saved;
}

void log_end(struct log_line *line, int fd)
{
	if (chosen_format == LOG_JSON)
		line->text[line->length++] = '}';
	line->text[line->length++] = '\n';
	if (fd == STDERR_FILENO && take_line != NULL)
		take_line(line->text, line->length);
	else
		write_line(line, fd);
}

/* vsnprintf cuts where it must, even in the middle of a character: that one goes. */
static void drop_last_character(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && ((unsigned char)text[length - 1] & 0xC0) == 0x80)
		length--;
	text[length > 0 ? length - 1 : 0] = '\0';
}

static void log_values(enum log_level level, const char *format, va_list values)
{
	struct log_line line;
	char message[1024];

	if (!log_wants(level))
		return;
	if (vsnprintf(message, sizeof(message), format, values) >= (int)sizeof(message))
		drop_last_character(message);
	log_begin(&line, level, message);
	log_end(&line, STDERR_FILENO);
}

void log_message(enum log_level level, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_values(level, format, values);
	va_end(values);
}

void die(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_values(LOG_ERROR, format, values);
	va_end(values);
	exit(EXIT_FAILURE);
}

void bug(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	log_values(LOG_ERROR, format, values);
	va_end(values);
	abort();
}
