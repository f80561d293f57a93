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

#include "core/identity/role.h"
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

static void print_route(const struct feature *feature, const struct route *route)
{
	printf("%-7s %-22s %-10s %-8s %s\n", method_name(route->method), route->path,
	    access_name(route->access), feature->name, route->summary);
}

/* A column for each role, and one before them for nobody; an admin may all. */
static void print_access(const struct feature *feature, const struct route *route)
{
	(void)feature;
	printf("%-7s %-34s", method_name(route->method), route->path);
	for (enum access who = ANYONE; who < ADMIN; who++)
		printf(" %-7s", who >= route->access ? "yes" : "-");
	puts(" yes");
}

static void print_head(bool access)
{
	if (!access) {
		printf("%-7s %-22s %-10s %-8s %s\n", "METHOD", "PATH", "WHO", "FEATURE", "SUMMARY");
		return;
	}
	printf("%-7s %-34s", "METHOD", "PATH");
	printf(" %-7s", "nobody");
	for (enum access who = SIGNED_IN; who < ADMIN; who++)
		printf(" %-7s", role_name(who));
	printf(" %s\n", role_name(ADMIN));
}

int role_routes(const struct ostler_program *program, const struct config *unused, char **words)
{
	bool access = words[0] != NULL && strcmp(words[0], "--access") == 0;
	void (*print)(const struct feature *, const struct route *) = access ? print_access
									     : print_route;

	(void)unused;
	if (words[0] != NULL && (!access || words[1] != NULL)) {
		fprintf(stderr, "usage: %s routes [--access]\n", program->name);
		return EXIT_USAGE;
	}
	print_head(access);
	for (const struct feature *const *feature = program->features; *feature != NULL; feature++)
		EACH_ROUTE (route, *feature)
			print(*feature, route);
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
