/*
 * program.c - the command line of every program: reads the configuration and takes a role.
 *
 * One program, one role per process: what serves, migrates and prints is then
 * always of the same version, and a supervisor starts each as a pool of its own.
 * Roles that only print need no configuration, so that they work where the
 * sources are built and nothing is installed.
 */
#include "program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "core/openapi/builtin.h"
#include "roles.h"

static const struct role {
	const char *name;
	role_fn *run;
	bool configured; /* needs a configuration file */
	const char *doc;
	const char *words; /* what may stand behind its name; NULL: nothing */
} roles[] = {
	{ "web", role_web, true, "answer FastCGI requests on the socket at descriptor 0", NULL },
	{ "jobs", role_jobs, true, "run the jobs of the queue", "[--once]" },
	{ "enqueue", role_enqueue, true, "put a job into the queue", "KIND [JSON]" },
	{ "consume", role_consume, true, "apply the events that the broker holds",
	    "[--once | --from TIME] [KIND]" },
	{ "produce", role_produce, true, "make events up and publish them",
	    "[--rate N] [--count N] [--seed N] [--batch N] [KIND]" },
	{ "redrive", role_redrive, true, "send the dead letters of events to the broker once more",
	    "[KIND]" },
	{ "export", role_export, true, "send traces to an OpenTelemetry collector", NULL },
	{ "migrate", role_migrate, true, "bring the database up to the newest migration", NULL },
	{ "keys", role_keys, true, "list, renew or remove the keys of tokens",
	    "[list | rotate | drop KEY]" },
	{ "user", role_user, true, "add somebody, or give them a password or a role",
	    "add|first|password|role NAME …" },
	{ "trace", role_trace, false, "print what the log knows of a request, as a tree",
	    "ID [FILE …]" },
	{ "routes", role_routes, false, "print the table of routes, or who may what",
	    "[--access]" },
	{ "openapi", role_openapi, false, "print the OpenAPI document", NULL },
	{ "settings", role_settings, false, "print the table of settings", NULL },
};

static void usage(FILE *out, const struct ostler_program *program)
{
	fprintf(out,
	    "usage: %s [-t] [-c FILE] ROLE [WORDS]\n\n"
	    "  -c FILE   the configuration, see ostler-app.conf(5)\n"
	    "  -t        check the configuration and leave\n\nroles:\n",
	    program->name);
	for (size_t i = 0; i < COUNT(roles); i++)
		fprintf(out, "  %-9s %-12s %s\n", roles[i].name,
		    roles[i].words != NULL ? roles[i].words : "", roles[i].doc);
}

static const struct role *find_role(const struct ostler_program *program, const char *name)
{
	const char *names[COUNT(roles) + 1] = { NULL };
	const char *hint;

	for (size_t i = 0; i < COUNT(roles); i++) {
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
		names[i] = roles[i].name;
	}
	hint = text_closest(name, names);
	fprintf(stderr, "%s: there is no role \"%s\"%s%s%s\n", program->name, name,
	    hint != NULL ? "; did you mean \"" : "", hint != NULL ? hint : "",
	    hint != NULL ? "\"?" : "");
	return NULL;
}

/* What the command line asks for. */
struct wish {
	const struct role *role;
	const char *file;
	char **words; /* behind the role's name, NULL-terminated */
	bool check_only;
	int status; /* without a role: the exit status */
};

static struct wish read_command_line(int argc, char **argv, const struct ostler_program *program)
{
	struct wish wish = { .status = EXIT_USAGE };
	int option;

	while ((option = getopt(argc, argv, "+c:th")) != -1) {
		switch (option) {
		case 'c':
			wish.file = optarg;
			break;
		case 't':
			wish.check_only = true;
			break;
		case 'h':
			usage(stdout, program);
			wish.status = EXIT_SUCCESS;
			return wish;
		default:
			usage(stderr, program);
			return wish;
		}
	}
	if (optind < argc)
		wish.role = find_role(program, argv[optind]);
	if (optind == argc ||
	    (wish.role != NULL && wish.role->words == NULL && optind + 1 != argc)) {
		usage(stderr, program);
		wish.role = NULL;
	}
	wish.words = argv + optind + 1;
	return wish;
}

static int run_configured(const struct ostler_program *program, const struct wish *wish)
{
	const void *filled;
	const struct config *config;
	int status = EXIT_SUCCESS;

	if (wish->file == NULL) {
		fprintf(stderr, "%s: %s needs a configuration: -c FILE\n", program->name,
		    wish->role->name);
		return EXIT_USAGE;
	}
	filled = settings_read(wish->file, &config_table, stderr);
	if (filled == NULL)
		return EXIT_USAGE;
	config = filled;
	/* A server that dies while it is written to is an error of the write, and no end of ours:
	 * hiredis writes without MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	log_setup((enum log_level)config->log_level, (enum log_format)config->log_format);
	if (!wish->check_only)
		status = wish->role->run(program, config, wish->words);
	settings_free(&filled);
	return status;
}

/*
 * The framework's own routes stand before the program's: that they are there is
 * nothing a program should have to know or could forget.
 */
static const struct feature *const *with_builtin(
    struct arena *arena, const struct feature *const *features)
{
	const struct feature **all;
	size_t count = 0;

	while (features[count] != NULL)
		count++;
	all = arena_alloc(arena, (count + 2) * sizeof(*all));
	all[0] = &builtin_feature;
	memcpy(all + 1, features, (count + 1) * sizeof(*features));
	return all;
}

int ostler_main(int argc, char **argv, const struct ostler_program *program)
{
	struct arena *arena = arena_new(4096);
	const struct ostler_program whole = { .name = program->name,
		.api = { .title = program->api.title != NULL ? program->api.title : program->name,
		    .version = program->api.version != NULL ? program->api.version : "0",
		    .license = program->api.license },
		.features = with_builtin(arena, program->features) };
	struct wish wish = read_command_line(argc, argv, &whole);
	int status = wish.status;

	if (wish.role != NULL)
		status = wish.role->configured ? run_configured(&whole, &wish)
					       : wish.role->run(&whole, NULL, wish.words);
	arena_free(&arena);
	return status;
}
