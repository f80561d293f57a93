/* ostlerctl.c - ostlerctl(8): its command line. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/caller.h"
#include "supervisor/conf.h"
#include "supervisor/table.h"

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NOBODY = 3, EXIT_FORBIDDEN = 4 };

struct wish {
	const char *socket;
	const char *const *words; /* behind the command */
	struct arena *arena;
};

/* Asks and shows what went wrong, if it did.  Returns the exit status; 0 with an answer. */
static int ask(
    const struct wish *wish, const char *verb, struct call *call, struct wire_answer *answer)
{
	static const int statuses[] = { [CALL_NOBODY] = EXIT_NOBODY,
		[CALL_FORBIDDEN] = EXIT_FORBIDDEN,
		[CALL_FAILED] = EXIT_REFUSED };
	enum call_result result = caller_ask(wish->arena, wish->socket, verb, call);

	if (result != CALL_ANSWERED) {
		fprintf(stderr, "ostlerctl: %s\n", call->wrong);
		return statuses[result];
	}
	if (!wire_read_answer(wish->arena, call->text, call->length, answer)) {
		fprintf(stderr, "ostlerctl: %s: that is no ostlerd\n", wish->socket);
		return EXIT_REFUSED;
	}
	if (answer->error != NULL) {
		fprintf(stderr, "ostlerctl: %s\n", answer->error);
		return EXIT_REFUSED;
	}
	return EXIT_SUCCESS;
}

static int misuse(const char *message, const char *word)
{
	fprintf(stderr, "ostlerctl: %s%s%s\n", message, word != NULL ? " " : "",
	    word != NULL ? word : "");
	return EXIT_USAGE;
}

static int do_status(const struct wish *wish)
{
	bool json = wish->words[0] != NULL && strcmp(wish->words[0], "--json") == 0;
	struct wire_answer answer;
	struct call call;
	int status;

	if (wish->words[0] != NULL && (!json || wish->words[1] != NULL))
		return misuse("status can only take --json, not", wish->words[json ? 1 : 0]);
	status = ask(wish, "status", &call, &answer);
	if (status != EXIT_SUCCESS)
		return status;
	if (json)
		fwrite(call.text, 1, call.length, stdout);
	else
		table_print(stdout, &answer);
	return EXIT_SUCCESS;
}

static int do_stop(const struct wish *wish)
{
	struct wire_answer answer;
	struct call call;
	int status;

	if (wish->words[0] != NULL)
		return misuse("stop takes nothing, not", wish->words[0]);
	status = ask(wish, "stop", &call, &answer);
	if (status != EXIT_SUCCESS)
		return status;
	if (!caller_wait_for_end(&call))
		fputs("ostlerctl: it stops, but its end cannot be seen from here\n", stderr);
	return EXIT_SUCCESS;
}

static int do_check(const struct wish *wish)
{
	const struct conf *conf;

	if (wish->words[0] == NULL || wish->words[1] != NULL)
		return misuse("check takes one file", NULL);
	conf = conf_read(wish->words[0], stderr);
	if (conf == NULL)
		return EXIT_USAGE;
	printf("%s: fine, %zu pool%s\n", wish->words[0], conf->pools.count,
	    conf->pools.count == 1 ? "" : "s");
	conf_free(&conf);
	return EXIT_SUCCESS;
}

static const struct command {
	const char *name;
	const char *takes;
	const char *does;
	int (*run)(const struct wish *);
} commands[] = {
	{ "status", "[--json]", "show all pools and their workers", do_status },
	{ "stop", "", "end all pools in order, and wait until ostlerd has ended", do_stop },
	{ "check", "FILE", "check a configuration", do_check },
};

static int explain(const char *unknown)
{
	const char *names[COUNT(commands) + 1] = { NULL };
	const char *hint;

	for (size_t i = 0; i < COUNT(commands); i++)
		names[i] = commands[i].name;
	hint = unknown != NULL ? text_closest(unknown, names) : NULL;
	if (unknown != NULL)
		fprintf(stderr, "ostlerctl: unknown command \"%s\"%s%s%s\n", unknown,
		    hint != NULL ? "; did you mean \"" : "", hint != NULL ? hint : "",
		    hint != NULL ? "\"?" : "");
	fprintf(stderr, "usage: ostlerctl [-s SOCKET] COMMAND\n"
			"  -s SOCKET        where ostlerd listens; otherwise " CONF_CONTROL "\n");
	for (size_t i = 0; i < COUNT(commands); i++)
		fprintf(stderr, "  %-6s %-9s %s\n", commands[i].name, commands[i].takes,
		    commands[i].does);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct wish wish = { .socket = CONF_CONTROL, .arena = arena_new(65536) };
	int option, status;

	/* '+': what stands behind the command is the command's. */
	while ((option = getopt(argc, argv, "+s:")) == 's')
		wish.socket = optarg;
	if (option != -1 || optind == argc)
		return explain(NULL);
	wish.words = (const char *const *)argv + optind + 1;
	status = -1;
	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(commands[i].name, argv[optind]) == 0)
			status = commands[i].run(&wish);
	arena_free(&wish.arena);
	return status >= 0 ? status : explain(argv[optind]);
}
