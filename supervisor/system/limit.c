/* limit.c - what a process may use of the machine, as "nofile=1024:4096": setrlimit(2). */
#include "supervisor/system/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Names as limits.conf(5) and systemd.exec(5) have them; what /proc/PID/limits calls them. */
static const struct kind {
	const char *name;
	int resource;
	bool bytes; /* so that it can be given as 64M */
	const char *shown;
} kinds[] = {
	{ "as", RLIMIT_AS, true, "Max address space" },
	{ "core", RLIMIT_CORE, true, "Max core file size" },
	{ "cpu", RLIMIT_CPU, false, "Max cpu time" }, /* seconds */
	{ "data", RLIMIT_DATA, true, "Max data size" },
	{ "fsize", RLIMIT_FSIZE, true, "Max file size" },
	{ "locks", RLIMIT_LOCKS, false, "Max file locks" },
	{ "memlock", RLIMIT_MEMLOCK, true, "Max locked memory" },
	{ "msgqueue", RLIMIT_MSGQUEUE, true, "Max msgqueue size" },
	{ "nice", RLIMIT_NICE, false, "Max nice priority" }, /* 20 less the lowest nice(2) */
	{ "nofile", RLIMIT_NOFILE, false, "Max open files" },
	{ "nproc", RLIMIT_NPROC, false, "Max processes" },
	{ "rss", RLIMIT_RSS, true, "Max resident set" },
	{ "rtprio", RLIMIT_RTPRIO, false, "Max realtime priority" },
	{ "rttime", RLIMIT_RTTIME, false, "Max realtime timeout" }, /* microseconds */
	{ "sigpending", RLIMIT_SIGPENDING, false, "Max pending signals" },
	{ "stack", RLIMIT_STACK, true, "Max stack size" },
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static const char *unknown(struct arena *arena, const char *name)
{
	const char *names[COUNT(kinds) + 1] = { NULL };
	const char *hint;
	const char *all = "";

	for (size_t i = 0; i < COUNT(kinds); i++) {
		names[i] = kinds[i].name;
		all = arena_print(arena, "%s%s%s", all, i > 0 ? ", " : "", names[i]);
	}
	hint = text_closest(name, names);
	if (hint != NULL)
		return arena_print(
		    arena, "there is no limit \"%s\"; did you mean \"%s\"?", name, hint);
	return arena_print(arena, "there is no limit \"%s\"; it is one of %s", name, all);
}

static bool read_value(const struct kind *kind, const char *text, rlim_t *value)
{
	long long number;

	*value = RLIM_INFINITY;
	if (strcmp(text, "unlimited") == 0)
		return true;
	if (kind->bytes ? !text_to_size(text, &number) : !text_to_integer(text, &number))
		return false;
	*value = (rlim_t)number;
	return number >= 0;
}

const char *limit_parse(struct arena *arena, const char *text, struct limit *limit)
{
	size_t length = strcspn(text, "=");
	const char *name = arena_copy(arena, text, length);
	char *soft = arena_copy(arena, text + length, strlen(text + length));
	const struct kind *kind;
	char *colon;

	if (length == 0 || soft[0] == '\0')
		return arena_print(arena,
		    "\"%s\" is no limit: write it as \"nofile=1024\" or \"nofile=1024:4096\"",
		    text);
	kind = kind_of(name);
	if (kind == NULL)
		return unknown(arena, name);
	soft++;
	colon = strchr(soft, ':');
	if (colon != NULL)
		*colon = '\0';
	limit->resource = kind->resource;
	if (!read_value(kind, soft, &limit->value.rlim_cur) ||
	    !read_value(kind, colon != NULL ? colon + 1 : soft, &limit->value.rlim_max))
		return arena_print(arena, "\"%s\": a value is a number%s or \"unlimited\"", text,
		    kind->bytes ? " of bytes, as 512 or 64M," : "");
	if (limit->value.rlim_cur > limit->value.rlim_max)
		return arena_print(
		    arena, "\"%s\": the first, the soft limit, is over the second", text);
	return NULL;
}

bool limit_set(const struct limit *limit)
{
	return setrlimit((__rlimit_resource_t)limit->resource, &limit->value) == 0;
}

const char *limit_name(int resource)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].resource == resource)
			return kinds[i].name;
	return "?";
}

static rlim_t shown_value(const char *text)
{
	return strcmp(text, "unlimited") == 0 ? RLIM_INFINITY : strtoull(text, NULL, 10);
}

bool limit_read(const char *text, size_t index, struct limit *limit)
{
	const char *line = index < COUNT(kinds) ? strstr(text, kinds[index].shown) : NULL;
	char soft[32], hard[32];

	if (line == NULL ||
	    sscanf(line + strlen(kinds[index].shown), " %31s %31s", soft, hard) != 2)
		return false;
	limit->resource = kinds[index].resource;
	limit->value = (struct rlimit){ shown_value(soft), shown_value(hard) };
	return true;
}
