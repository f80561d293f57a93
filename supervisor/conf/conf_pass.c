/* conf_pass.c - a configuration on its way from one ostlerd to the next: setting by setting. */
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/conf/conf.h"
#include "supervisor/conf/conf_table.h"
#include "supervisor/upgrade/state.h"

#define WORDS_MOST    100000
#define POOLS_MOST    100000
#define SETTINGS_MOST 1000

/* A copy, or the arena of what is read. */
struct passing {
	struct state *state;
	struct arena *arena;
};

static void pass_number(const struct passing *p, const struct setting *setting, long long *number)
{
	bool any = setting->min == 0 && setting->max == 0;

	*number = state_number(p->state, "value", *number, any ? LLONG_MIN : setting->min,
	    any ? LLONG_MAX : setting->max);
}

/* By its word, for another ostlerd may know them in another order. */
static void pass_choice(const struct passing *p, const struct setting *setting, int *choice)
{
	const char *word = state_text(p->state, p->arena, "value", setting->one_of[*choice]);

	if (!state_is_read(p->state))
		return;
	for (int i = 0; word != NULL && setting->one_of[i] != NULL; i++)
		if (strcmp(setting->one_of[i], word) == 0) {
			*choice = i;
			return;
		}
	state_fail(p->state, "%s is set to \"%s\", which this ostlerd does not know", setting->name,
	    word != NULL ? word : "");
}

static void pass_words(const struct passing *p, struct words *words)
{
	size_t count = state_count(p->state, "words", words->count, WORDS_MOST);
	const char **word = arena_alloc(p->arena, (count + 1) * sizeof(*word));

	for (size_t i = 0; i < count; i++) {
		word[i] = state_text(
		    p->state, p->arena, "word", words->word != NULL ? words->word[i] : NULL);
		if (word[i] == NULL)
			state_fail(p->state, "a word is missing");
	}
	if (state_is_read(p->state))
		*words = (struct words){ word, count };
}

static void pass_section(const struct passing *, const struct section *, void *filled);

static void pass_groups(
    const struct passing *p, const struct setting *setting, struct groups *groups)
{
	size_t count = state_count(p->state, "groups", groups->count, POOLS_MOST);

	if (state_is_read(p->state))
		settings_make_groups(p->arena, setting, groups, count);
	for (size_t i = 0; i < count && state_wrong(p->state) == NULL; i++) {
		struct named *named = (struct named *)((char *)groups->item +
						       i * setting->of->size);
		const char *name = state_text(p->state, p->arena, "name", named->name);
		const char *where = state_text(p->state, p->arena, "where", named->where);

		if (name == NULL || where == NULL)
			state_fail(p->state, "a pool has no name");
		if (state_is_read(p->state))
			*named = (struct named){ name, where };
		pass_section(p, setting->of, named);
	}
}

static void pass_group(const struct passing *p, const struct setting *setting, void *filled)
{
	if (state_is_read(p->state))
		settings_preset(p->arena, setting->of, filled);
	pass_section(p, setting->of, filled);
}

static void pass_value(const struct passing *p, const struct setting *setting, void *value)
{
	const char **text = value;

	switch (setting->kind) {
	case SETTING_TEXT:
		*text = state_text(p->state, p->arena, "value", *text);
		break;
	case SETTING_BOOLEAN:
		*(bool *)value = state_flag(p->state, "value", *(bool *)value);
		break;
	case SETTING_CHOICE:
		pass_choice(p, setting, value);
		break;
	case SETTING_WORDS:
		pass_words(p, value);
		break;
	case SETTING_GROUPS:
		pass_groups(p, setting, value);
		break;
	case SETTING_GROUP:
		pass_group(p, setting, value);
		break;
	case SETTING_INTEGER:
	case SETTING_DURATION:
	case SETTING_SIZE:
		pass_number(p, setting, value);
		break;
	}
}

static size_t size_of(const struct setting *setting)
{
	switch (setting->kind) {
	case SETTING_TEXT:
		return sizeof(const char *);
	case SETTING_BOOLEAN:
		return sizeof(bool);
	case SETTING_CHOICE:
		return sizeof(int);
	case SETTING_WORDS:
		return sizeof(struct words);
	case SETTING_GROUPS:
		return sizeof(struct groups);
	case SETTING_GROUP:
		return setting->of->size;
	case SETTING_INTEGER:
	case SETTING_DURATION:
	case SETTING_SIZE:
		return sizeof(long long);
	}
	bug("%s is of no kind", setting->name);
}

static bool is_zero(const struct setting *setting, const unsigned char *value)
{
	for (size_t i = 0; i < size_of(setting); i++)
		if (value[i] != 0)
			return false;
	return true;
}

/* What was left out is 0, whatever its least is, and so is the other form of what was not. */
static void pass_setting(const struct passing *p, const struct setting *setting, void *value)
{
	if (state_flag(p->state, "given", !is_zero(setting, value)))
		pass_value(p, setting, value);
	else if (state_is_read(p->state))
		memset(value, 0, size_of(setting));
}

/* Of two forms of one name that of this kind. */
static const struct setting *find(const struct section *table, const char *name, long long kind)
{
	for (const struct setting *s = table->settings; name != NULL && s->name != NULL; s++)
		if (strcmp(s->name, name) == 0 && (long long)s->kind == kind)
			return s;
	return NULL;
}

/* What this ostlerd does not know it cannot follow. */
static void read_section(const struct passing *p, const struct section *table, void *filled)
{
	size_t count = state_count(p->state, "settings", 0, SETTINGS_MOST);

	while (count-- > 0 && state_wrong(p->state) == NULL) {
		const char *name = state_text(p->state, p->arena, "setting", NULL);
		long long kind = state_number(p->state, "kind", 0, 0, INT_MAX);
		const struct setting *setting = find(table, name, kind);

		if (setting != NULL)
			pass_setting(p, setting, (char *)filled + setting->offset);
		else
			state_fail(p->state, "this ostlerd knows no setting \"%s\"",
			    name != NULL ? name : "");
	}
}

static void pass_section(const struct passing *p, const struct section *table, void *filled)
{
	size_t count = 0;

	if (state_is_read(p->state)) {
		read_section(p, table, filled);
		return;
	}
	while (table->settings[count].name != NULL)
		count++;
	state_count(p->state, "settings", count, SETTINGS_MOST);
	for (size_t i = 0; i < count; i++) {
		state_text(p->state, p->arena, "setting", table->settings[i].name);
		state_number(p->state, "kind", table->settings[i].kind, 0, INT_MAX);
		pass_setting(p, &table->settings[i], (char *)filled + table->settings[i].offset);
	}
}

/* Constant as it is: what is written is only looked at. */
void conf_hand_over(struct state *state, const struct conf *conf)
{
	struct passing passing = { .state = state, .arena = arena_new(4096) };
	struct conf copy = *conf;

	state_part(state, "configuration");
	pass_section(&passing, &conf_table, &copy);
	arena_free(&passing.arena);
}

const struct conf *conf_take_over(struct state *state)
{
	struct passing passing = { .state = state };
	void *filled = settings_new(&conf_table, &passing.arena);

	state_part(state, "configuration");
	pass_section(&passing, &conf_table, filled);
	return filled;
}
