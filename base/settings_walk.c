/*
 * settings_walk.c - a group of the file against its table: unknown, missing, wrong.
 *
 * The walk never stops at an error: whoever wrote the file wants to hear of all
 * of them.  A check that looks at several settings together runs only over a
 * group whose single settings are right, so that it need not ask again.
 */
#include "base/settings_walk.h"

#include <string.h>

#include "base/text.h"

static const char *file_of(const struct complaints *complaints, const config_setting_t *setting)
{
	return settings_file(complaints, config_setting_source_file(setting));
}

#define COMPLAIN(complaints, setting, ...)                             \
	settings_complain_at(complaints, file_of(complaints, setting), \
	    config_setting_source_line(setting), __VA_ARGS__)

static const struct setting *find(const struct section *table, const char *name)
{
	for (const struct setting *s = table->settings; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

static void complain_of_unknown(
    struct complaints *complaints, const config_setting_t *found, const struct section *table)
{
	const char *names[128] = { NULL };
	const char *hint;
	size_t count = 0;

	for (const struct setting *s = table->settings; s->name != NULL && count < COUNT(names) - 1;
	     s++)
		names[count++] = s->name;
	hint = text_closest(config_setting_name(found), names);
	if (hint != NULL)
		COMPLAIN(complaints, found, "unknown setting \"%s\"; did you mean \"%s\"?",
		    config_setting_name(found), hint);
	else
		COMPLAIN(complaints, found, "unknown setting \"%s\"", config_setting_name(found));
}

/* Copies [ "a", "b" ]; false when it is anything else. */
static bool read_words(struct arena *arena, const config_setting_t *list, struct words *words)
{
	int count = config_setting_length(list);
	const char **word;

	if (!config_setting_is_array(list) && !config_setting_is_list(list))
		return false;
	word = arena_alloc(arena, ((size_t)count + 1) * sizeof(*word));
	for (int i = 0; i < count; i++) {
		const char *text = config_setting_get_string_elem(list, i);

		if (text == NULL)
			return false;
		word[i] = arena_copy(arena, text, strlen(text));
	}
	*words = (struct words){ word, (size_t)count };
	return true;
}

static const char *store_words(
    struct arena *arena, const struct setting *setting, const config_setting_t *found, void *filled)
{
	struct words words;

	if (setting->kind != SETTING_WORDS || !read_words(arena, found, &words))
		return NULL;
	return settings_store_words(arena, setting, words, filled);
}

static void walk_groups(struct complaints *complaints, const struct setting *setting,
    const config_setting_t *found, void *filled)
{
	struct groups *groups = (struct groups *)((char *)filled + setting->offset);
	int count = config_setting_length(found);

	groups->item = arena_alloc(complaints->arena, setting->of->size * ((size_t)count + 1));
	groups->count = (size_t)count;
	for (int i = 0; i < count; i++) {
		const config_setting_t *group = config_setting_get_elem(found, (unsigned)i);
		char *item = (char *)groups->item + (size_t)i * setting->of->size;
		const char *name = config_setting_name(group);
		struct named *named = (struct named *)item;

		if (!config_setting_is_group(group)) {
			COMPLAIN(complaints, group, "%s must be a group: %s = { … };", name, name);
			continue;
		}
		named->name = arena_copy(complaints->arena, name, strlen(name));
		named->where = arena_print(complaints->arena, "%s:%u", file_of(complaints, group),
		    config_setting_source_line(group));
		settings_walk(complaints, group, setting->of, item);
	}
}

static const char *const kind_names[] = { [SETTING_TEXT] = "text in quotes",
	[SETTING_INTEGER] = "a whole number",
	[SETTING_BOOLEAN] = "true or false",
	[SETTING_DURATION] = "a time with its unit, as \"10s\" (ms, s, m, h, d)",
	[SETTING_SIZE] = "bytes, as \"64K\" (K, M, G)",
	[SETTING_CHOICE] = "one of its words",
	[SETTING_WORDS] = "a list of texts: [ \"…\", \"…\" ]",
	[SETTING_GROUPS] = "named groups: { name = { … }; … }",
	[SETTING_GROUP] = "a group: { name = value; … }" };

/* Whether a value of the file's TYPE can be meant for a setting of this kind at all. */
static bool fits(const struct setting *setting, const config_setting_t *found)
{
	switch (config_setting_type(found)) {
	case CONFIG_TYPE_STRING:
		return setting->kind == SETTING_TEXT || setting->kind == SETTING_DURATION ||
		       setting->kind == SETTING_SIZE || setting->kind == SETTING_CHOICE;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return setting->kind == SETTING_INTEGER || setting->kind == SETTING_SIZE;
	case CONFIG_TYPE_BOOL:
		return setting->kind == SETTING_BOOLEAN;
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return setting->kind == SETTING_WORDS;
	case CONFIG_TYPE_GROUP:
		return setting->kind == SETTING_GROUPS || setting->kind == SETTING_GROUP;
	default:
		return false;
	}
}

/* The line of the table that FOUND is meant for: of two forms of one name that which fits. */
static const struct setting *form_of(const struct section *table, const config_setting_t *found)
{
	const struct setting *first = find(table, config_setting_name(found));

	for (const struct setting *s = first; s != NULL && s->name != NULL; s++)
		if (strcmp(s->name, first->name) == 0 && fits(s, found))
			return s;
	return first;
}

/* "a whole number", or both forms of it. */
static const char *forms_wanted(struct arena *arena, const struct setting *setting)
{
	const char *wanted = kind_names[setting->kind];

	for (const struct setting *s = setting + 1; s->name != NULL; s++)
		if (strcmp(s->name, setting->name) == 0)
			wanted = arena_print(arena, "%s, or %s", wanted, kind_names[s->kind]);
	return wanted;
}

static const char *store(
    struct arena *arena, const struct setting *setting, const config_setting_t *found, void *filled)
{
	switch (config_setting_type(found)) {
	case CONFIG_TYPE_STRING:
		return settings_store(arena, setting, config_setting_get_string(found), filled);
	case CONFIG_TYPE_BOOL:
		return settings_store(
		    arena, setting, config_setting_get_bool(found) ? "true" : "false", filled);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return settings_store_integer(
		    arena, setting, config_setting_get_int64(found), filled);
	default:
		return store_words(arena, setting, found, filled);
	}
}

static void walk_one(struct complaints *complaints, const struct setting *setting,
    const config_setting_t *found, void *filled)
{
	struct words unused;
	const char *wrong;

	if (!fits(setting, found) ||
	    (setting->kind == SETTING_WORDS && !read_words(complaints->arena, found, &unused))) {
		COMPLAIN(complaints, found, "%s must be %s", setting->name,
		    forms_wanted(complaints->arena, setting));
		return;
	}
	if (setting->kind == SETTING_GROUPS) {
		walk_groups(complaints, setting, found, filled);
		return;
	}
	if (setting->kind == SETTING_GROUP) {
		settings_walk(complaints, found, setting->of, (char *)filled + setting->offset);
		return;
	}
	wrong = store(complaints->arena, setting, found, filled);
	if (wrong != NULL)
		COMPLAIN(complaints, found, "%s %s", setting->name, wrong);
}

static void preset(struct complaints *complaints, const config_setting_t *group,
    const struct setting *setting, void *filled)
{
	const char *wrong;

	if (setting->required) {
		COMPLAIN(complaints, group, "%s is missing", setting->name);
		return;
	}
	if (setting->preset == NULL)
		return;
	wrong = settings_store(complaints->arena, setting, setting->preset, filled);
	if (wrong != NULL)
		COMPLAIN(complaints, group, "the default of %s %s", setting->name, wrong);
}

void settings_walk(struct complaints *complaints, const config_setting_t *group,
    const struct section *table, void *filled)
{
	struct filled_group *known = arena_alloc(complaints->arena, sizeof(*known));
	size_t before = complaints->count;

	*known = (struct filled_group){ filled, group, complaints->groups };
	complaints->groups = known;
	for (const struct setting *s = table->settings; s->name != NULL; s++) {
		const config_setting_t *found = config_setting_get_member(group, s->name);

		if (found == NULL)
			preset(complaints, group, s, filled);
		else if (s == form_of(table, found))
			walk_one(complaints, s, found, filled);
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *found = config_setting_get_elem(group, (unsigned)i);

		if (find(table, config_setting_name(found)) == NULL)
			complain_of_unknown(complaints, found, table);
	}
	/* A check may rely on each single setting being right. */
	if (table->check != NULL && complaints->count == before)
		table->check(filled, complaints);
}
