/* settings.c - a configuration file, parsed in a child, read by its parent. */
#include "base/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/settings_walk.h"

#define ARENA_LIMIT   (16 << 20)
#define FILE_LIMIT    (1 << 20)
#define PARSE_SECONDS 10

/* At the start of the shared arena: what the child leaves for its parent. */
struct reading {
	struct arena *arena; /* found again by settings_free */
	bool finished;       /* false: libconfig ended the child */
	int64_t begun;       /* clock_now; 0: not yet */
	struct complaints complaints;
	/* the filled struct follows */
	max_align_t filled[];
};

/*
 * Writes what is wrong with FILE as a file: libconfig would hang on a pipe,
 * stop without a word at a NUL, and ends the process on a directory.
 */
static bool readable(const char *file, FILE *errors)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat about;
	char bytes[4096];
	ssize_t got;

	if (fd < 0 || fstat(fd, &about) < 0) {
		fprintf(errors, "%s: cannot read: %s\n", file, strerror(errno));
		return false;
	}
	if (!S_ISREG(about.st_mode) || about.st_size > FILE_LIMIT) {
		fprintf(errors, "%s: %s\n", file,
		    S_ISREG(about.st_mode) ? "larger than 1 MB" : "not a regular file");
		close(fd);
		return false;
	}
	while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
		if (memchr(bytes, '\0', (size_t)got) == NULL)
			continue;
		fprintf(errors, "%s: has a NUL byte in it: not a text file\n", file);
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

const char *settings_file(const struct complaints *complaints, const char *name)
{
	const char *slash = strrchr(complaints->file, '/');

	if (name == NULL || strcmp(name, complaints->file) == 0)
		return complaints->file;
	if (slash == NULL)
		return name;
	return arena_print(
	    complaints->arena, "%.*s/%s", (int)(slash - complaints->file), complaints->file, name);
}

static void scan_included_files(struct complaints *complaints, const config_setting_t *setting)
{
	for (int i = 0; i < config_setting_length(setting); i++) {
		const config_setting_t *child = config_setting_get_elem(setting, (unsigned)i);

		settings_scan_numbers(
		    complaints, settings_file(complaints, config_setting_source_file(child)));
		if (config_setting_is_aggregate(child))
			scan_included_files(complaints, child);
	}
}

/* The child's work: everything in here may end the process without harm. */
static void parse(struct reading *reading, const struct section *table)
{
	struct complaints *complaints = &reading->complaints;
	const char *file = complaints->file;
	char *folder = arena_copy(reading->arena, file, strlen(file));
	config_t config;

	config_init(&config);
	config_set_include_dir(&config, dirname(folder));
	if (config_read_file(&config, file) != CONFIG_TRUE) {
		if (!settings_blame_include(complaints))
			settings_complain_at(complaints,
			    settings_file(complaints, config_error_file(&config)),
			    (unsigned)config_error_line(&config), "%s", config_error_text(&config));
	} else {
		const config_setting_t *root = config_root_setting(&config);

		settings_scan_numbers(complaints, file);
		scan_included_files(complaints, root);
		settings_walk(complaints, root, table, reading->filled);
	}
	reading->finished = true;
}

/* A reading under way: its child holds the other end of the pipe until it ends. */
struct settings_reading {
	struct reading *reading;
	pid_t child;
	int pipe;
};

static void NO_RETURN parse_and_end(struct reading *reading, const struct section *table)
{
	sigset_t alarm_only;
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (nowhere >= 0)
		dup2(nowhere, STDERR_FILENO); /* libconfig's scanner prints when it gives up */
	alarm(PARSE_SECONDS);                 /* an @include of a pipe would wait for ever */
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
	reading->begun = clock_now();
	parse(reading, table);
	_exit(0);
}

static bool start_child(struct settings_reading *under_way, const struct section *table)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	/* Not into UNDER_WAY at once: that is shared, and the child would write its 0 there. */
	child = fork();
	if (child == 0)
		parse_and_end(under_way->reading, table);
	close(ends[1]);
	under_way->pipe = ends[0];
	under_way->child = child;
	if (child > 0)
		return true;
	close(ends[0]);
	return false;
}

struct settings_reading *settings_begin(const char *file, const struct section *table, FILE *errors)
{
	struct arena *arena;
	struct reading *reading;
	struct settings_reading *under_way;
	const void *filled;

	if (!readable(file, errors))
		return NULL;
	arena = arena_new_shared(ARENA_LIMIT);
	if (arena == NULL) {
		fprintf(errors, "%s: %s\n", file, strerror(errno));
		return NULL;
	}
	reading = arena_alloc(arena, sizeof(*reading) + table->size);
	reading->arena = arena;
	reading->complaints = (struct complaints){ .arena = arena,
		.file = arena_copy(arena, file, strlen(file)) };
	buffer_start(&reading->complaints.text, arena, 1024);
	under_way = arena_alloc(arena, sizeof(*under_way));
	under_way->reading = reading;
	if (start_child(under_way, table))
		return under_way;
	fprintf(errors, "%s: %s\n", file, strerror(errno));
	filled = reading->filled;
	settings_free(&filled);
	return NULL;
}

int settings_fd(const struct settings_reading *under_way)
{
	return under_way->pipe;
}

/* The status of the child may have gone to another who waits for all children. */
static const char *explain(const struct reading *reading)
{
	if (reading->finished)
		return NULL;
	if (reading->begun != 0 && clock_now() - reading->begun >= PARSE_SECONDS * SECOND_US)
		return "reading it took too long";
	return "the parser gave up";
}

const void *settings_finish(struct settings_reading **under_way, FILE *errors)
{
	struct reading *reading = (*under_way)->reading;
	const void *filled = reading->filled;
	const char *failure;
	char byte;

	while (read((*under_way)->pipe, &byte, 1) < 0 && errno == EINTR)
		continue;
	close((*under_way)->pipe);
	while (waitpid((*under_way)->child, NULL, 0) < 0 && errno == EINTR)
		continue;
	*under_way = NULL;
	failure = explain(reading);
	if (failure != NULL && settings_blame_include(&reading->complaints))
		failure = NULL;
	if (failure != NULL)
		fprintf(errors, "%s: %s\n", reading->complaints.file, failure);
	else
		fwrite(reading->complaints.text.data, 1, reading->complaints.text.length, errors);
	if (failure != NULL || reading->complaints.count > 0)
		settings_free(&filled);
	return filled;
}

const void *settings_read(const char *file, const struct section *table, FILE *errors)
{
	struct settings_reading *under_way = settings_begin(file, table, errors);

	return under_way != NULL ? settings_finish(&under_way, errors) : NULL;
}

void settings_free(const void **filled)
{
	const struct reading *reading;
	struct arena *arena;

	if (*filled == NULL)
		return;
	reading = (const struct reading *)((const char *)*filled -
					   offsetof(struct reading, filled));
	arena = reading->arena;
	arena_free(&arena);
	*filled = NULL;
}

static void complain(
    struct complaints *complaints, const char *where, const char *format, va_list values)
{
	struct buffer *text = &complaints->text;
	char message[1024];

	vsnprintf(message, sizeof(message), format, values);
	buffer_print(text, "%s: %s\n", where, message);
	complaints->count++;
}

void settings_complain_at(
    struct complaints *complaints, const char *file, unsigned line, const char *format, ...)
{
	const char *where = line > 0 ? arena_print(complaints->arena, "%s:%u", file, line) : file;
	va_list values;

	va_start(values, format);
	complain(complaints, where, format, values);
	va_end(values);
}

void settings_complain(
    struct complaints *complaints, const void *filled, const char *name, const char *format, ...)
{
	const struct filled_group *group = complaints->groups;
	const config_setting_t *setting;
	const char *where = complaints->file;
	va_list values;

	while (group != NULL && group->filled != filled)
		group = group->older;
	if (group != NULL) {
		setting = name != NULL ? config_setting_get_member(group->group, name) : NULL;
		if (setting == NULL)
			setting = group->group;
		if (config_setting_source_line(setting) > 0)
			where = arena_print(complaints->arena, "%s:%u",
			    settings_file(complaints, config_setting_source_file(setting)),
			    config_setting_source_line(setting));
	}
	va_start(values, format);
	complain(complaints, where, format, values);
	va_end(values);
}

void settings_preset(struct arena *arena, const struct section *table, void *filled)
{
	for (const struct setting *s = table->settings; s->name != NULL; s++)
		if (s->preset != NULL && settings_store(arena, s, s->preset, filled) != NULL)
			bug("the default of %s is none", s->name);
}

void *settings_new(const struct section *table, struct arena **arena)
{
	struct reading *reading;

	*arena = arena_new(4096);
	reading = arena_alloc(*arena, sizeof(*reading) + table->size);
	reading->arena = *arena;
	settings_preset(*arena, table, reading->filled);
	return reading->filled;
}

void settings_make_groups(
    struct arena *arena, const struct setting *setting, struct groups *groups, size_t count)
{
	size_t size = setting->of->size;

	*groups = (struct groups){ arena_alloc(arena, (count + 1) * size), count };
	for (size_t i = 0; i < count; i++)
		settings_preset(arena, setting->of, (char *)groups->item + i * size);
}
