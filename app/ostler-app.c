/* ostler-app.c - the program: reads its configuration and takes its role. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "roles.h"

#define EXIT_USAGE 2

static const struct role {
	const char *name;
	int (*run)(const struct config *);
	bool configured; /* needs a configuration file */
	const char *doc;
} roles[] = {
	{ "web", role_web, true, "answer FastCGI requests on the socket at descriptor 0" },
	{ "migrate", role_migrate, true, "bring the database up to the newest migration" },
	{ "routes", role_routes, false, "print the table of routes" },
	{ "openapi", role_openapi, false, "print the OpenAPI document" },
	{ "settings", role_settings, false, "print the table of settings" },
};

static void usage(FILE *out)
{
	fprintf(out, "usage: ostler-app [-t] [-c FILE] ROLE\n\n"
		     "  -c FILE   the configuration, see ostler-app.conf(5)\n"
		     "  -t        check the configuration and leave\n\nroles:\n");
	for (size_t i = 0; i < COUNT(roles); i++)
		fprintf(out, "  %-9s %s\n", roles[i].name, roles[i].doc);
}

static const struct role *find_role(const char *name)
{
	const char *names[COUNT(roles) + 1] = { NULL };
	const char *hint;

	for (size_t i = 0; i < COUNT(roles); i++) {
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
		names[i] = roles[i].name;
	}
	hint = text_closest(name, names);
	fprintf(stderr, "ostler-app: there is no role \"%s\"%s%s%s\n", name,
	    hint != NULL ? "; did you mean \"" : "", hint != NULL ? hint : "",
	    hint != NULL ? "\"?" : "");
	return NULL;
}

static int run_configured(const struct role *role, const char *file, bool check_only)
{
	const void *filled;
	const struct config *config;
	int status = EXIT_SUCCESS;

	if (file == NULL) {
		fprintf(stderr, "ostler-app: %s needs a configuration: -c FILE\n", role->name);
		return EXIT_USAGE;
	}
	filled = settings_read(file, &config_table, stderr);
	if (filled == NULL)
		return EXIT_USAGE;
	config = filled;
	log_setup((enum log_level)config->log_level, (enum log_format)config->log_format);
	if (!check_only)
		status = role->run(config);
	settings_free(&filled);
	return status;
}

int main(int argc, char **argv)
{
	const struct role *role;
	const char *file = NULL;
	bool check_only = false;
	int option;

	while ((option = getopt(argc, argv, "c:th")) != -1) {
		switch (option) {
		case 'c':
			file = optarg;
			break;
		case 't':
			check_only = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	role = find_role(argv[optind]);
	if (role == NULL)
		return EXIT_USAGE;
	if (role->configured)
		return run_configured(role, file, check_only);
	return role->run(NULL);
}
