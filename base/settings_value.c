/*
 * settings_value.c - one value against its line of the table: kind, range, place.
 *
 * What is wrong is returned as words that follow the setting's name ("must be 1 to
 * 512, not 0"), and whoever reads the file puts file and line before it: so every
 * kind of value complains in the same way, wherever it came from.
 */
#include <string.h>

#include "base/settings_walk.h"
#include "base/text.h"

static void *place(const struct setting *setting, void *filled)
{
	return (char *)filled + setting->offset;
}

/* NULL, or "must be 1 to 512, not 0" with the unit behind both limits. */
static const char *out_of_range(
    struct arena *arena, const struct setting *setting, long long value, const char *unit)
{
	if (setting->min == 0 && setting->max == 0)
		return value >= 0 || setting->kind == SETTING_INTEGER
			   ? NULL
			   : arena_print(arena, "must not be negative");
	if (value >= setting->min && value <= setting->max)
		return NULL;
	return arena_print(arena, "must be %lld%s to %lld%s, not %lld%s", setting->min, unit,
	    setting->max, unit, value, unit);
}

static const char *one_of(struct arena *arena, const char *const *words, const char *value)
{
	const char *hint = text_closest(value, words);
	struct buffer list;

	if (hint != NULL)
		return arena_print(arena, "cannot be \"%s\"; did you mean \"%s\"?", value, hint);
	buffer_start(&list, arena, 64);
	for (const char *const *word = words; *word != NULL; word++)
		buffer_print(&list, "%s%s", word == words ? "" : ", ", *word);
	buffer_add_char(&list, '\0');
	return arena_print(arena, "cannot be \"%s\": it is one of %s", value, list.data);
}

static const char *store_text(
    struct arena *arena, const struct setting *setting, const char *value, void *filled)
{
	const char *wrong = out_of_range(arena, setting, (long long)strlen(value), " bytes");

	if (wrong == NULL)
		*(const char **)place(setting, filled) = arena_copy(arena, value, strlen(value));
	return wrong;
}

static const char *store_choice(
    struct arena *arena, const struct setting *setting, const char *value, void *filled)
{
	int index = text_index(value, setting->one_of);

	if (index < 0)
		return one_of(arena, setting->one_of, value);
	*(int *)place(setting, filled) = index;
	return NULL;
}

static const char *store_number(
    struct arena *arena, const struct setting *setting, long long value, void *filled)
{
	static const char *const units[] = {
		[SETTING_DURATION] = " ms", [SETTING_SIZE] = " bytes"
	};
	const char *unit = setting->kind == SETTING_INTEGER ? "" : units[setting->kind];
	const char *wrong = out_of_range(arena, setting, value, unit);

	if (wrong == NULL)
		*(long long *)place(setting, filled) = value;
	return wrong;
}

const char *settings_store(
    struct arena *arena, const struct setting *setting, const char *value, void *filled)
{
	long long number;

	switch (setting->kind) {
	case SETTING_TEXT:
		return store_text(arena, setting, value, filled);
	case SETTING_CHOICE:
		return store_choice(arena, setting, value, filled);
	case SETTING_BOOLEAN:
		*(bool *)place(setting, filled) = strcmp(value, "true") == 0;
		return NULL;
	case SETTING_INTEGER:
		if (!text_to_integer(value, &number))
			return "must be a whole number";
		break;
	case SETTING_DURATION:
		if (!text_to_duration(value, &number))
			return arena_print(arena,
			    "must be a number and its unit (ms, s, m, h, d), as \"10s\", not "
			    "\"%s\"",
			    value);
		break;
	case SETTING_SIZE:
		if (!text_to_size(value, &number))
			return arena_print(arena,
			    "must be bytes, or a number and K, M or G, as \"64K\", not \"%s\"",
			    value);
		break;
	default:
		return "has no text form";
	}
	return store_number(arena, setting, number, filled);
}

const char *settings_store_integer(
    struct arena *arena, const struct setting *setting, long long value, void *filled)
{
	return store_number(arena, setting, value, filled);
}

const char *settings_store_words(
    struct arena *arena, const struct setting *setting, struct words words, void *filled)
{
	const char *wrong = out_of_range(arena, setting, (long long)words.count, " words");

	if (wrong == NULL)
		*(struct words *)place(setting, filled) = words;
	return wrong;
}
