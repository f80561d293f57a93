/* ostlerctl.c - ostlerctl(8): its command line. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "supervisor/conf/conf.h"
#include "supervisor/ctl/wish.h"
#include "supervisor/pool/lifecycle.h"

/* Words a command takes; the pool's name comes before the number. */
enum needs {
	NEEDS_NOTHING,
	MAY_NAME_POOL,
	NEEDS_POOL,
	NEEDS_POOL_AND_NUMBER,
	NEEDS_PID,
	NEEDS_FILE
};

static const char *const needs_shown[] = { [NEEDS_NOTHING] = "",
	[MAY_NAME_POOL] = "[POOL]",
	[NEEDS_POOL] = "POOL",
	[NEEDS_POOL_AND_NUMBER] = "POOL N|auto",
	[NEEDS_PID] = "PID",
	[NEEDS_FILE] = "FILE" };

static const struct command_option {
	const char *word, *shown;
	enum wish_option option;
	const char *until;
} options[] = {
	{ "--json", "[--json]", WISH_JSON, NULL },
	{ "--follow", "[--follow]", WISH_FOLLOW, NULL },
	{ "--watch", "[--watch]", WISH_WATCH, NULL },
	{ "--wait", "[--wait[=switched|drained]]", WISH_WAIT, "switched" },
	{ "--wait=switched", NULL, WISH_WAIT, "switched" },
	{ "--wait=drained", NULL, WISH_WAIT, "drained" },
	{ "--wait", "[--wait]", WISH_DONE, "done" },
};

static const struct command {
	const char *name;
	enum needs needs;
	unsigned options;
	const char *does;
	int (*run)(const struct wish *);
} commands[] = {
	{ "status", NEEDS_NOTHING, WISH_JSON | WISH_WATCH, "show all pools", wish_status },
	{ "workers", MAY_NAME_POOL, WISH_WATCH, "show their workers", wish_workers },
	{ "show", NEEDS_POOL, WISH_JSON, "show what its processes may do", wish_show },
	{ "trace", NEEDS_PID, WISH_JSON, "show where the threads of a worker are", wish_trace },
	{ "metrics", NEEDS_NOTHING, 0, "show all numbers, as OpenMetrics", wish_metrics },
	{ "events", MAY_NAME_POOL, WISH_JSON | WISH_FOLLOW, "show what has happened", wish_events },
	{ "logs", MAY_NAME_POOL, WISH_JSON | WISH_FOLLOW, "show what workers have printed",
	    wish_logs },
	{ "why", NEEDS_PID, WISH_JSON, "tell the story of a process", wish_why },
	{ "reload", MAY_NAME_POOL, WISH_WAIT, "follow the changed configuration and programs",
	    wish_act },
	{ "restart", MAY_NAME_POOL, WISH_WAIT, "replace processes, changed or not", wish_act },
	{ "scale", NEEDS_POOL_AND_NUMBER, 0, "run so many workers, or as configured", wish_act },
	{ "drain", MAY_NAME_POOL, 0, "take no more requests", wish_act },
	{ "resume", MAY_NAME_POOL, WISH_WAIT, "take requests again", wish_act },
	{ "upgrade", NEEDS_NOTHING, WISH_DONE,
	    "become the ostlerd that is installed now, with all processes as they are", wish_act },
	{ "stop", NEEDS_NOTHING, 0, "end all pools in order, and wait until ostlerd has ended",
	    wish_stop },
	{ "check", NEEDS_FILE, 0, "check a configuration", wish_check },
};

static int misuse(const char *command, const char *message, const char *word)
{
	fprintf(stderr, "ostlerctl: %s %s%s%s\n", command, message, word != NULL ? " " : "",
	    word != NULL ? word : "");
	return EXIT_USAGE;
}

static void show_command(FILE *out, const struct command *command)
{
	char takes[128];
	size_t length = (size_t)snprintf(takes, sizeof(takes), "%s", needs_shown[command->needs]);

	for (size_t i = 0; i < COUNT(options); i++)
		if (options[i].shown != NULL && (command->options & options[i].option) != 0)
			length += (size_t)snprintf(takes + length, sizeof(takes) - length, "%s%s",
			    length > 0 ? " " : "", options[i].shown);
	fprintf(out, "  %-8s %-34s %s\n", command->name, takes, command->does);
}

static void show_usage(FILE *out)
{
	fputs("usage: ostlerctl [-s SOCKET | -c FILE] COMMAND\n"
	      "  -s SOCKET  where ostlerd listens\n"
	      "  -c FILE    the configuration that says it; otherwise " CONF_FILE "\n"
	      "  -h, -V     print this, or the version\n",
	    out);
	for (size_t i = 0; i < COUNT(commands); i++)
		show_command(out, &commands[i]);
}

static int help(void)
{
	show_usage(stdout);
	return EXIT_SUCCESS;
}

static int misunderstood(void)
{
	show_usage(stderr);
	return EXIT_USAGE;
}

/* A word that is nearly right wants no list of all the others. */
static int refuse_unknown(const char *name)
{
	const char *names[COUNT(commands) + 1] = { NULL };
	const char *hint;

	for (size_t i = 0; i < COUNT(commands); i++)
		names[i] = commands[i].name;
	hint = text_closest(name, names);
	if (hint != NULL)
		fprintf(stderr, "ostlerctl: unknown command \"%s\"; did you mean \"%s\"?\n", name,
		    hint);
	else
		fprintf(
		    stderr, "ostlerctl: unknown command \"%s\"; ostlerctl -h lists all\n", name);
	return EXIT_USAGE;
}

/* Returns whether WORD is an option that the command takes. */
static bool take_option(const struct command *command, const char *word, struct wish *wish)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		if (strcmp(options[i].word, word) != 0 ||
		    (command->options & options[i].option) == 0)
			continue;
		wish->options |= options[i].option;
		wish->request.follow |= options[i].option == WISH_FOLLOW;
		if (options[i].until != NULL)
			strcpy(wish->request.until, options[i].until);
		return true;
	}
	return false;
}

static bool take_pool(const char *word, struct wish *wish)
{
	size_t length = strlen(word);

	if (length == 0 || length >= WIRE_WORD_ROOM || text_code_points(word, length) < 0)
		return false;
	strcpy(wish->request.pool, word);
	return true;
}

static bool take_number(const char *word, struct wish *wish)
{
	return text_to_integer(word, &wish->request.number) && wish->request.number > 0;
}

/* How many workers; "auto": as many as are configured. */
static bool take_workers(const char *word, struct wish *wish)
{
	if (strcmp(word, "auto") != 0)
		return take_number(word, wish);
	wish->request.number = LIFECYCLE_AS_CONFIGURED;
	return true;
}

/* The word number INDEX behind the command that is no option. */
static bool take_word(
    const struct command *command, size_t index, const char *word, struct wish *wish)
{
	switch (command->needs) {
	case NEEDS_NOTHING:
		return false;
	case MAY_NAME_POOL:
	case NEEDS_POOL:
		return index == 0 && take_pool(word, wish);
	case NEEDS_POOL_AND_NUMBER:
		return index == 0 ? take_pool(word, wish) : index == 1 && take_workers(word, wish);
	case NEEDS_PID:
		return index == 0 && take_number(word, wish);
	case NEEDS_FILE:
		wish->file = word;
		return index == 0;
	}
	return false;
}

static size_t words_needed(enum needs needs)
{
	if (needs == NEEDS_NOTHING || needs == MAY_NAME_POOL)
		return 0;
	return needs == NEEDS_POOL_AND_NUMBER ? 2 : 1;
}

static int run(const struct command *command, char *const *words, struct wish *wish)
{
	size_t count = 0;

	strcpy(wish->request.verb, command->name);
	for (char *const *word = words; *word != NULL; word++)
		if (strcmp(*word, "--help") == 0) {
			show_command(stdout, command);
			return EXIT_SUCCESS;
		}
	for (; *words != NULL; words++) {
		bool taken = text_starts(*words, "--") ? take_option(command, *words, wish)
						       : take_word(command, count++, *words, wish);

		if (!taken)
			return misuse(command->name, "does not take", *words);
	}
	if (count < words_needed(command->needs))
		return misuse(command->name, "takes", needs_shown[command->needs]);
	return command->run(wish);
}

/* One line per command, with tabs: its name, its words, its options; for completion. */
static int list_commands(void)
{
	for (size_t i = 0; i < COUNT(commands); i++) {
		printf("%s\t%s\t", commands[i].name, needs_shown[commands[i].needs]);
		for (size_t j = 0; j < COUNT(options); j++)
			if ((commands[i].options & options[j].option) != 0)
				printf("%s ", options[j].word);
		putchar('\n');
	}
	return EXIT_SUCCESS;
}

/* The control socket that the configuration FILE names; NULL: it is wrong, as ERRORS tells. */
static const char *socket_of(struct arena *arena, const char *file, FILE *errors)
{
	const struct conf *conf = errors != NULL ? conf_read(file, errors) : NULL;
	const char *path;

	if (conf == NULL)
		return NULL;
	path = arena_copy(arena, conf->control, strlen(conf->control));
	conf_free(&conf);
	return path;
}

/* That of the usual configuration, if there is one; a wrong one must not keep people out. */
static const char *usual_socket(struct arena *arena)
{
	FILE *nowhere = access(CONF_FILE, R_OK) == 0 ? fopen("/dev/null", "we") : NULL;
	const char *path = socket_of(arena, CONF_FILE, nowhere);

	if (nowhere != NULL)
		fclose(nowhere);
	return path != NULL ? path : CONF_CONTROL;
}

static int obey(const char *name, char *const *words, struct wish *wish)
{
	if (wish->socket == NULL)
		wish->socket = usual_socket(wish->arena);
	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return run(&commands[i], words, wish);
	return strcmp(name, "help") == 0 ? help() : refuse_unknown(name);
}

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "commands", no_argument, NULL, 'C' }, /* for the completion of bash */
	{ NULL, 0, NULL, 0 },
};

/* The exit status when OPTION is all that is asked for; -1: it is not. */
static int print_instead(int option)
{
	switch (option) {
	case 'h':
		return help();
	case 'C':
		return list_commands();
	case 'V':
		puts("ostlerctl " OSTLER_VERSION);
		return EXIT_SUCCESS;
	default:
		return -1;
	}
}

/* -1: the command line is fine so far, and the command stands at optind. */
static int take_options(int argc, char **argv, struct wish *wish)
{
	int option;

	/* '+': what stands behind the command is the command's. */
	while ((option = getopt_long(argc, argv, "+s:c:hV", long_options, NULL)) != -1) {
		int status = print_instead(option);

		if (status >= 0)
			return status;
		if (option == '?')
			return misunderstood();
		wish->socket = option == 's' ? optarg : socket_of(wish->arena, optarg, stderr);
		if (wish->socket == NULL)
			return EXIT_USAGE;
	}
	return optind < argc ? -1 : misunderstood();
}

int main(int argc, char **argv)
{
	struct wish wish = { .arena = arena_new(65536) };
	int status = take_options(argc, argv, &wish);

	if (status < 0)
		status = obey(argv[optind], argv + optind + 1, &wish);
	arena_free(&wish.arena);
	return status;
}
