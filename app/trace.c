/*
 * trace.c - the role that prints what the log knows of one trace, as a tree.
 *
 * Every line of ours and of nginx is one flat JSON object with its trace_id: the web server's,
 * the request's, jobs', and whatever was worth a line meanwhile.  A quote within a value is
 * escaped, so that "name": can only be a member's.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "core/input/instant.h"
#include "roles.h"

#define TRACE_ID 32 /* digits */

struct line {
	const char *text; /* the whole */
	double began_ms;  /* since 1970; of nginx, whose clock tells seconds, 0 */
	double ms;        /* how long it took; 0: it is a moment */
	int depth;
	struct line *next;
};

struct search {
	struct arena *arena;
	const char *program;
	FILE *piped;              /* what came by standard input */
	const char *id;           /* as it was asked for */
	char trace[TRACE_ID + 1]; /* "": not known yet */
	struct line *lines;
};

/* --- one line --- */

/* The member NAME as a text, in the arena, or NULL. */
static const char *member(struct arena *arena, const char *line, const char *name)
{
	const char *at = strstr(line, arena_print(arena, "\"%s\":", name)), *end;

	if (at == NULL)
		return NULL;
	at += strlen(name) + strlen("\"\":");
	if (*at != '"')
		return arena_copy(arena, at, strcspn(at, ",}"));
	for (end = ++at; *end != '"' && *end != '\0'; end++)
		if (*end == '\\' && end[1] != '\0')
			end++;
	return arena_copy(arena, at, (size_t)(end - at));
}

static bool has(struct arena *arena, const char *line, const char *name, const char *value)
{
	const char *is = member(arena, line, name);

	return is != NULL && strcmp(is, value) == 0;
}

static double number(struct arena *arena, const char *line, const char *name)
{
	const char *text = member(arena, line, name);

	return text != NULL ? strtod(text, NULL) : 0;
}

static bool is_of_nginx(struct arena *arena, const char *line)
{
	return member(arena, line, "request_time") != NULL;
}

static void note(struct search *search, const char *text)
{
	struct arena *arena = search->arena;
	struct line *line = arena_alloc(arena, sizeof(*line)), **at = &search->lines;
	const char *time = member(arena, text, "time");

	line->text = arena_copy(arena, text, strlen(text));
	if (is_of_nginx(arena, text)) {
		line->ms = number(arena, text, "request_time") * 1000;
	} else {
		line->depth = has(arena, text, "message", "request") ? 1 : 2;
		line->ms = number(arena, text, "ms");
		if (time != NULL && instant_is_valid(time))
			line->began_ms = (double)instant_ms(time) - line->ms;
	}
	while (*at != NULL && (*at)->began_ms <= line->began_ms)
		at = &(*at)->next;
	line->next = *at;
	*at = line;
}

/* --- looking --- */

static bool is_trace_id(const char *id)
{
	return strlen(id) == TRACE_ID && strspn(id, "0123456789abcdef") == TRACE_ID;
}

/* A request's id, or a job's, says which trace; nginx's own request id may look like one. */
static void find_trace(struct search *search, const char *text)
{
	const char *trace = member(search->arena, text, "trace_id");

	if (search->trace[0] == '\0' && trace != NULL && is_trace_id(trace) &&
	    (has(search->arena, text, "request_id", search->id) ||
		has(search->arena, text, "job_id", search->id)))
		memcpy(search->trace, trace, TRACE_ID);
}

static void take_if_of_trace(struct search *search, const char *text)
{
	if (has(search->arena, text, "trace_id", search->trace))
		note(search, text);
}

static void read_lines(
    struct search *search, FILE *file, void (*look)(struct search *, const char *text))
{
	const char *wanted = look == find_trace ? search->id : search->trace;
	char *text = NULL;
	size_t room = 0;

	rewind(file);
	while (getline(&text, &room, file) >= 0)
		if (strstr(text, wanted) != NULL)
			look(search, text);
	free(text);
}

/* A file that can be read twice: what comes by a pipe is copied. */
static FILE *open_input(struct search *search, const char *name)
{
	char bytes[1 << 16];
	size_t length;

	if (strcmp(name, "-") != 0)
		return fopen(name, "re");
	if (search->piped != NULL)
		return search->piped;
	search->piped = tmpfile();
	while (search->piped != NULL && (length = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
		if (fwrite(bytes, 1, length, search->piped) != length)
			break;
	return search->piped;
}

/* False after saying which of the files cannot be read. */
static bool read_all(
    struct search *search, char **names, void (*look)(struct search *, const char *text))
{
	for (; *names != NULL; names++) {
		FILE *file = open_input(search, *names);

		if (file == NULL) {
			fprintf(stderr, "%s: %s: %s\n", search->program, *names, strerror(errno));
			return false;
		}
		read_lines(search, file, look);
		if (file != search->piped)
			fclose(file);
	}
	return true;
}

/* --- printing --- */

static void print_more(struct search *search, const char *text, const char *name)
{
	const char *value = member(search->arena, text, name);

	if (value != NULL && *value != '\0')
		printf(" %s=%s", name, value);
}

static void print_line(struct search *search, const struct line *line, double zero)
{
	static const char *const more[] = { "kind", "method", "uri", "route", "status", "job_id",
		"attempt", "db_ms", "redis_ms", "waited_ms", "upstream", "user", "instance", "pid",
		"sql", "error" };
	const char *what = member(search->arena, line->text, "message");

	printf("%+10.1f ", line->began_ms != 0 ? line->began_ms - zero : 0);
	if (line->ms > 0)
		printf("%9.1f ", line->ms);
	else
		printf("%9s ", "");
	printf("%*s%s", 2 * line->depth, "",
	    line->depth == 0 ? "nginx"
	    : what != NULL   ? what
			     : "?");
	for (size_t i = 0; i < COUNT(more); i++)
		print_more(search, line->text, more[i]);
	putchar('\n');
}

static void print_tree(struct search *search)
{
	double zero = 0;

	for (const struct line *line = search->lines; line != NULL && zero == 0; line = line->next)
		zero = line->began_ms;
	printf("trace %s\n%10s %9s\n", search->trace, "began ms", "took ms");
	for (const struct line *line = search->lines; line != NULL; line = line->next)
		print_line(search, line, zero);
}

static int look_and_print(struct search *search, char **names)
{
	if (!read_all(search, names, find_trace))
		return EXIT_FAILURE;
	if (search->trace[0] == '\0' && is_trace_id(search->id))
		memcpy(search->trace, search->id, TRACE_ID);
	if (search->trace[0] != '\0' && !read_all(search, names, take_if_of_trace))
		return EXIT_FAILURE;
	if (search->lines == NULL) {
		fprintf(stderr, "%s: no line knows of %s\n", search->program, search->id);
		return EXIT_FAILURE;
	}
	print_tree(search);
	return EXIT_SUCCESS;
}

int role_trace(const struct ostler_program *program, const struct config *unused, char **words)
{
	struct search search = {
		.arena = arena_new(1 << 20), .program = program->name, .id = words[0]
	};
	const char *var = getenv("VAR") != NULL ? getenv("VAR") : "var";
	glob_t logs = { 0 };
	int status = EXIT_USAGE;

	(void)unused;
	if (words[0] == NULL || words[0][0] == '\0')
		fprintf(stderr, "usage: %s trace ID [FILE …]\n", program->name);
	else if (words[1] != NULL)
		status = look_and_print(&search, words + 1);
	else if (glob(arena_print(search.arena, "%s/log/*.log", var), 0, NULL, &logs) == 0)
		status = look_and_print(&search, logs.gl_pathv);
	else
		fprintf(
		    stderr, "%s: there is no log in %s/log: name its files\n", program->name, var);
	globfree(&logs);
	if (search.piped != NULL)
		fclose(search.piped);
	arena_free(&search.arena);
	return status;
}
