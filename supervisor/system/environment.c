/* environment.c - the variables a worker sees: a short list, not the master's own. */
#include "supervisor/system/environment.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/system/identity.h"

/* When the master itself was started without a PATH, as by some init systems. */
#define PATH_OTHERWISE "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

const char *environment_check(const char *entry)
{
	size_t length = name_length(entry);

	if (length == 0 || isdigit((unsigned char)entry[0]))
		return "is not NAME=value or NAME";
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)entry[i]) && entry[i] != '_')
			return "is not NAME=value or NAME";
	if (text_starts(entry, "OSTLER_") || text_starts(entry, "NOTIFY_SOCKET"))
		return "cannot be set: ostlerd sets it itself";
	return NULL;
}

struct list {
	char **entry;
	size_t count;
};

/* A name stands once: the last to set it wins, as in a shell. */
static void set(struct list *list, char *entry)
{
	size_t length = name_length(entry);

	for (size_t i = 0; i < list->count; i++)
		if (name_length(list->entry[i]) == length &&
		    memcmp(list->entry[i], entry, length) == 0) {
			list->entry[i] = entry;
			return;
		}
	list->entry[list->count++] = entry;
}

static void pass(struct arena *arena, struct list *list, const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	if (value == NULL)
		value = otherwise;
	if (value != NULL)
		set(list, arena_print(arena, "%s=%s", name, value));
}

char *const *environment_make(
    struct arena *arena, const struct identity *who, const struct words *entries)
{
	struct list list = { .entry = arena_alloc(arena, (entries->count + 8) * sizeof(char *)) };

	pass(arena, &list, "PATH", PATH_OTHERWISE);
	pass(arena, &list, "LANG", NULL);
	pass(arena, &list, "LC_ALL", NULL);
	pass(arena, &list, "TZ", NULL);
	set(&list, arena_print(arena, "HOME=%s", who->home));
	set(&list, arena_print(arena, "USER=%s", who->user));
	set(&list, arena_print(arena, "LOGNAME=%s", who->user));
	for (size_t i = 0; i < entries->count; i++) {
		const char *entry = entries->word[i];

		if (strchr(entry, '=') != NULL)
			set(&list, arena_copy(arena, entry, strlen(entry)));
		else
			pass(arena, &list, entry, NULL);
	}
	return list.entry;
}

char *const *environment_extend(
    struct arena *arena, char *const *before, const char *const *more, size_t count)
{
	size_t had = 0;
	char **all;

	while (before[had] != NULL)
		had++;
	all = arena_alloc(arena, (had + count + 1) * sizeof(*all));
	memcpy(all, before, had * sizeof(*all));
	for (size_t i = 0; i < count; i++)
		all[had + i] = arena_copy(arena, more[i], strlen(more[i]));
	return all;
}

const char *environment_value(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment != NULL; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}
