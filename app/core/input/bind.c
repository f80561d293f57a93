/*
 * bind.c - values checked against a field and stored in the input's struct.
 *
 * A value comes as text (path, query, form) or already typed (JSON).  Text is
 * read by the field's kind; JSON must have that kind, since "5" is not 5 to
 * whoever reads the OpenAPI document.
 */
#include "core/input/bind.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "core/input/cursor.h"
#include "core/input/formats.h"
#include "core/input/instant.h"

static void *place(const struct field *field, void *input)
{
	return (char *)input + field->offset;
}

const char *bind_expectation(const struct field *field)
{
	static const char *const expectations[] = { [TEXT] = "must be text",
		[INTEGER] = "must be a whole number of at most 64 bits",
		[NUMBER] = "must be a number",
		[BOOLEAN] = "must be true or false",
		[TIME] = "must be a time as 2026-01-31T23:59:59Z (RFC 3339)",
		[DATE] = "must be a day as 2026-01-31",
		[MONTH] = "must be a month as 2026-01",
		[UUID] = "must be a UUID as 123e4567-e89b-12d3-a456-426614174000",
		[EMAIL] = "must be an e-mail address",
		[URL] = "must be an http or https URL",
		[MONEY] = "must be an amount with at most two decimals, as 12.50",
		[CURSOR] = "must be the cursor of a page's \"next\"" };

	return expectations[field->kind];
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

static const char *not_one_of(struct arena *arena, const char *const *words)
{
	struct buffer list;

	buffer_start(&list, arena, 64);
	buffer_add_text(&list, "must be one of");
	for (const char *const *word = words; *word != NULL; word++)
		buffer_print(&list, "%s %s", word == words ? "" : ",", *word);
	buffer_add_char(&list, '\0');
	return list.data;
}

static const char *check_length(
    struct arena *arena, const struct field *field, const char *text, size_t length)
{
	long points = text_code_points(text, length);

	if (points < 0)
		return "must be valid UTF-8";
	if (field->max > 0 && (points < field->min || points > field->max))
		return arena_print(arena, "must have %lld to %lld characters, not %ld", field->min,
		    field->max, points);
	return NULL;
}

static const char *check_text(
    struct arena *arena, const struct field *field, const char *text, size_t length)
{
	const char *wrong;

	if (field->min > 0 && is_blank(text))
		return "must not be blank";
	wrong = check_length(arena, field, text, length);
	if (wrong != NULL)
		return wrong;
	if (field->one_of != NULL && text_index(text, field->one_of) < 0)
		return not_one_of(arena, field->one_of);
	return NULL;
}

/* The kinds that are text of a form, which JSON writes as a string. */
static bool (*const forms[KINDS])(const char *text) = { [TIME] = instant_is_valid,
	[DATE] = date_is_valid,
	[MONTH] = month_is_valid,
	[UUID] = uuid_is_valid,
	[EMAIL] = email_is_valid,
	[URL] = url_is_valid };

/* A valid text as it is stored: where a form has several spellings, one of them. */
static const char *canonical(
    struct arena *arena, const struct field *field, const char *text, size_t length)
{
	char *copy = arena_copy(arena, text, length);

	if (field->kind == TIME && !instant_has_offset(copy))
		return arena_print(arena, "%sZ", copy);
	if (field->kind == UUID)
		for (char *c = copy; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
	return copy;
}

const char *bind_text(
    struct arena *arena, const struct field *field, const char *text, size_t length, void *input)
{
	const char *wrong = NULL;

	if (field->kind == CURSOR)
		return cursor_decode(arena, text, place(field, input)) ? NULL
								       : bind_expectation(field);
	if (field->kind == TEXT)
		wrong = check_text(arena, field, text, length);
	else if (forms[field->kind] == NULL || !forms[field->kind](text))
		wrong = bind_expectation(field);
	else
		wrong = check_length(arena, field, text, length);
	if (wrong == NULL)
		*(const char **)place(field, input) = canonical(arena, field, text, length);
	return wrong;
}

static const char *money_from_text(
    struct arena *arena, const struct field *field, const char *text, void *input)
{
	char scratch[MONEY_TEXT];
	long long cents;

	if (!money_read(text, &cents))
		return bind_expectation(field);
	if ((field->min != 0 || field->max != 0) &&
	    (cents < field->min * 100 || cents > field->max * 100))
		return arena_print(arena, "must be %lld to %lld", field->min, field->max);
	money_print(scratch, cents);
	*(const char **)place(field, input) = arena_copy(arena, scratch, strlen(scratch));
	return NULL;
}

const char *bind_integer(
    struct arena *arena, const struct field *field, long long value, void *input)
{
	if (field->kind == NUMBER)
		return bind_number(arena, field, (double)value, input);
	if (field->kind != INTEGER)
		return bind_expectation(field);
	if ((field->min != 0 || field->max != 0) && (value < field->min || value > field->max))
		return arena_print(arena, "must be %lld to %lld", field->min, field->max);
	*(long long *)place(field, input) = value;
	return NULL;
}

const char *bind_number(struct arena *arena, const struct field *field, double value, void *input)
{
	if (field->kind != NUMBER || !isfinite(value))
		return bind_expectation(field);
	if ((field->min != 0 || field->max != 0) &&
	    (value < (double)field->min || value > (double)field->max))
		return arena_print(arena, "must be %lld to %lld", field->min, field->max);
	*(double *)place(field, input) = value;
	return NULL;
}

const char *bind_boolean(const struct field *field, bool value, void *input)
{
	if (field->kind != BOOLEAN)
		return bind_expectation(field);
	*(bool *)place(field, input) = value;
	return NULL;
}

static const char *number_from_text(
    struct arena *arena, const struct field *field, const char *text, void *input)
{
	char *end;
	double value;

	/* strtod would take blanks, hexadecimal and "inf". */
	if (text[strspn(text, "0123456789+-.eE")] != '\0' || *text == '\0')
		return bind_expectation(field);
	value = strtod(text, &end);
	return *end == '\0' ? bind_number(arena, field, value, input) : bind_expectation(field);
}

const char *bind_from_text(
    struct arena *arena, const struct field *field, const char *text, void *input)
{
	static const char *const booleans[] = { "false", "true", NULL };
	long long integer;
	int which;

	switch (field->kind) {
	case INTEGER:
		return text_to_integer(text, &integer) ? bind_integer(arena, field, integer, input)
						       : bind_expectation(field);
	case NUMBER:
		return number_from_text(arena, field, text, input);
	case MONEY:
		return money_from_text(arena, field, text, input);
	case BOOLEAN:
		which = text_index(text, booleans);
		return which < 0 ? bind_expectation(field) : bind_boolean(field, which, input);
	default:
		return bind_text(arena, field, text, strlen(text), input);
	}
}
