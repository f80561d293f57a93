/*
 * print.c - the roles that print a table of the program: routes, openapi, settings.
 *
 * They read the same tables as the router and need no configuration, so that what a
 * program answers can be looked at, compared and published where it was built.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/openapi/openapi.h"
#include "roles.h"

/* A reader that went away, or a full disk, is a failure; a table cut short is none. */
static int finish(const struct ostler_program *program)
{
	if (!ferror(stdout) && fflush(stdout) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "%s: cannot write: %s\n", program->name, strerror(errno));
	return EXIT_FAILURE;
}

int role_routes(const struct ostler_program *program, const struct config *unused, char **words)
{
	(void)unused;
	(void)words;
	printf("%-7s %-22s %-10s %-8s %s\n", "METHOD", "PATH", "WHO", "FEATURE", "SUMMARY");
	for (const struct feature *const *feature = program->features; *feature != NULL; feature++)
		EACH_ROUTE (route, *feature)
			printf("%-7s %-22s %-10s %-8s %s\n", method_name(route->method),
			    route->path, access_name(route->access), (*feature)->name,
			    route->summary);
	return finish(program);
}

int role_openapi(const struct ostler_program *program, const struct config *unused, char **words)
{
	struct arena *arena = arena_new(64 << 10);
	struct buffer document;

	(void)unused;
	(void)words;
	buffer_start(&document, arena, 16 << 10);
	openapi_write(&document, &program->api, program->features);
	buffer_add_char(&document, '\n');
	fwrite(document.data, 1, document.length, stdout);
	arena_free(&arena);
	return finish(program);
}

int role_settings(const struct ostler_program *program, const struct config *unused, char **words)
{
	(void)unused;
	(void)words;
	for (const struct setting *s = config_table.settings; s->name != NULL; s++)
		printf("%s\t%s\t%s\n", s->name, s->preset != NULL ? s->preset : "", s->doc);
	return finish(program);
}
