/*
 * bind.c - one value checked against a field and stored.
 *
 * A value comes as text (path, query, form) or already typed (JSON).  Text is
 * read by the field's kind; JSON must have that kind, since "5" is not 5 to
 * whoever reads the OpenAPI document.
 */
#include "core/input/bind.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "core/input/cursor.h"
#include "core/input/formats.h"
#include "core/input/instant.h"

/* What each kind is called when it is missed, how large it is, and how its text is checked. */
static const struct {
	const char *expectation;
	size_t size;
	bool (*is_valid)(const char *text); /* of a kind that is text of a form */
} kinds[KINDS] = {
	[TEXT] = { "must be text", sizeof(const char *), NULL },
	[INTEGER] = { "must be a whole number of at most 64 bits", sizeof(long long), NULL },
	[NUMBER] = { "must be a number", sizeof(double), NULL },
	[BOOLEAN] = { "must be true or false", sizeof(bool), NULL },
	[TIME] = { "must be a time as 2026-01-31T23:59:59Z (RFC 3339)", sizeof(const char *),
	    instant_is_valid },
	[DATE] = { "must be a day as 2026-01-31", sizeof(const char *), date_is_valid },
	[MONTH] = { "must be a month as 2026-01", sizeof(const char *), month_is_valid },
	[UUID] = { "must be a UUID as 123e4567-e89b-12d3-a456-426614174000", sizeof(const char *),
	    uuid_is_valid },
	[EMAIL] = { "must be an e-mail address", sizeof(const char *), email_is_valid },
	[URL] = { "must be an http or https URL", sizeof(const char *), url_is_valid },
	[MONEY] = { "must be an amount with at most two decimals, as 12.50", sizeof(const char *),
	    NULL },
	[CURSOR] = { "must be the cursor of a page's \"next\"", sizeof(struct cursor), NULL },
	[OBJECT] = { "must be an object", sizeof(const void *), NULL },
	[UPLOAD] = { "must be a file", sizeof(struct upload), NULL },
};

static void *place(const struct field *field, void *into)
{
	return (char *)into + field->offset;
}

const char *bind_expectation(const struct field *field)
{
	return kinds[field->kind].expectation;
}

size_t bind_size(const struct field *field)
{
	return kinds[field->kind].size;
}

/* --- text --- */

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n\v\f")] == '\0';
}

static const char *not_one_of(struct arena *arena, const char *const *words)
{
	struct buffer list;

	buffer_start(&list, arena, 64);
	buffer_add_text(&list, "must be one of ");
	buffer_add_words(&list, words, ", ");
	buffer_add_char(&list, '\0');
	return list.data;
}

static const char *check_length(
    struct arena *arena, const struct field *field, const char *text, size_t length)
{
	long points = text_code_points(text, length);

	if (points < 0)
		return "must be valid UTF-8";
	if (points >= field->min && (field->max == 0 || points <= field->max))
		return NULL;
	if (field->max == 0)
		return arena_print(
		    arena, "must have at least %lld characters, not %ld", field->min, points);
	return arena_print(
	    arena, "must have %lld to %lld characters, not %ld", field->min, field->max, points);
}

/* What only some fields of the kind TEXT ask for. */
static const char *check_words(
    const struct binder *binder, const struct field *field, const char *text, size_t length)
{
	if (field->one_of != NULL && text_index(text, field->one_of) < 0)
		return not_one_of(binder->arena, field->one_of);
	if (field->pattern == NULL || binder->patterns == NULL ||
	    patterns_match(binder->patterns, binder->arena, field->pattern, text, length))
		return NULL;
	return arena_print(binder->arena, "must match %s", field->pattern);
}

static const char *check_text(
    const struct binder *binder, const struct field *field, const char *text, size_t length)
{
	const char *wrong;

	if (field->kind != TEXT &&
	    (kinds[field->kind].is_valid == NULL || !kinds[field->kind].is_valid(text)))
		return bind_expectation(field);
	if (field->kind == TEXT && field->min > 0 && is_blank(text))
		return "must not be blank";
	wrong = check_length(binder->arena, field, text, length);
	return wrong != NULL ? wrong : check_words(binder, field, text, length);
}

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

const char *bind_text(const struct binder *binder, const struct field *field, const char *text,
    size_t length, void *into)
{
	const char *wrong;

	if (field->kind == CURSOR)
		return cursor_decode(binder->arena, text, place(field, into))
			   ? NULL
			   : bind_expectation(field);
	wrong = check_text(binder, field, text, length);
	if (wrong == NULL)
		*(const char **)place(field, into) = canonical(binder->arena, field, text, length);
	return wrong;
}

/* --- numbers --- */

static bool has_range(const struct field *field)
{
	return field->min != 0 || field->max != 0;
}

static const char *out_of_range(const struct binder *binder, const struct field *field)
{
	return arena_print(binder->arena, "must be %lld to %lld", field->min, field->max);
}

static const char *bind_number(
    const struct binder *binder, const struct field *field, double value, void *into)
{
	if (!isfinite(value))
		return bind_expectation(field);
	if (has_range(field) && (value < (double)field->min || value > (double)field->max))
		return out_of_range(binder, field);
	*(double *)place(field, into) = value;
	return NULL;
}

static const char *bind_money(
    const struct binder *binder, const struct field *field, const char *digits, void *into)
{
	char scratch[MONEY_TEXT];
	long long cents;

	if (!money_read(digits, &cents))
		return bind_expectation(field);
	if (has_range(field) && (cents < field->min * 100 || cents > field->max * 100))
		return out_of_range(binder, field);
	money_print(scratch, cents);
	*(const char **)place(field, into) = arena_copy(binder->arena, scratch, strlen(scratch));
	return NULL;
}

const char *bind_integer(
    const struct binder *binder, const struct field *field, long long value, void *into)
{
	char scratch[TEXT_INTEGER];

	if (field->kind == NUMBER)
		return bind_number(binder, field, (double)value, into);
	if (field->kind == MONEY)
		return bind_money(binder, field, text_from_integer(scratch, value), into);
	if (field->kind != INTEGER)
		return bind_expectation(field);
	if (has_range(field) && (value < field->min || value > field->max))
		return out_of_range(binder, field);
	*(long long *)place(field, into) = value;
	return NULL;
}

static const char *number_from_digits(
    const struct binder *binder, const struct field *field, const char *digits, void *into)
{
	char *end;
	double value;

	/* strtod would take blanks, hexadecimal and "inf". */
	if (digits[strspn(digits, "0123456789+-.eE")] != '\0' || *digits == '\0')
		return bind_expectation(field);
	value = strtod(digits, &end);
	return *end == '\0' ? bind_number(binder, field, value, into) : bind_expectation(field);
}

const char *bind_digits(
    const struct binder *binder, const struct field *field, const char *digits, void *into)
{
	long long integer;

	switch (field->kind) {
	case INTEGER:
		return text_to_integer(digits, &integer)
			   ? bind_integer(binder, field, integer, into)
			   : bind_expectation(field);
	case NUMBER:
		return number_from_digits(binder, field, digits, into);
	case MONEY:
		return bind_money(binder, field, digits, into);
	default:
		return bind_expectation(field);
	}
}

/* --- and the rest --- */

const char *bind_boolean(const struct field *field, bool value, void *into)
{
	if (field->kind != BOOLEAN)
		return bind_expectation(field);
	*(bool *)place(field, into) = value;
	return NULL;
}

const char *bind_from_text(
    const struct binder *binder, const struct field *field, const char *text, void *into)
{
	static const char *const booleans[] = { "false", "true", NULL };
	int which;

	switch (field->kind) {
	case INTEGER:
	case NUMBER:
	case MONEY:
		return bind_digits(binder, field, text, into);
	case BOOLEAN:
		which = text_index(text, booleans);
		return which < 0 ? bind_expectation(field) : bind_boolean(field, which, into);
	default:
		return bind_text(binder, field, text, strlen(text), into);
	}
}
