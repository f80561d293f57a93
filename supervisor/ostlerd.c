/* ostlerd.c - ostlerd(8): its command line. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/conf/conf.h"
#include "supervisor/master.h"
#include "supervisor/output/sink.h"
#include "supervisor/system/program.h"
#include "supervisor/upgrade/examiner.h"

#define EXIT_USAGE 2 /* a bad configuration, too */

static const char usage[] = "usage: ostlerd [-t] [-c FILE]\n"
			    "  -c FILE  the configuration; otherwise " CONF_FILE "\n"
			    "  -t       only check it\n"
			    "  -h, -V   print this, or the version\n";

/* The last two are for ostlerd itself: upgrade/examiner.h names them. */
static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ &EXAMINER_TAKE[2], required_argument, NULL, 'H' },
	{ &EXAMINER_CHECK[2], required_argument, NULL, 'E' },
	{ "settings", no_argument, NULL, 'S' }, /* for the test of ostler.conf(5) */
	{ NULL, 0, NULL, 0 },
};

/* With one of 0, 1, 2 closed, the next file opened would get its number and its visitors. */
static void open_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int check(const char *file, const struct conf *conf)
{
	printf(
	    "%s: fine, %zu pool%s\n", file, conf->pools.count, conf->pools.count == 1 ? "" : "s");
	return EXIT_SUCCESS;
}

/* What the command line asks for. */
struct asked {
	const char *file, *program;
	bool check_only;
	int check, take; /* descriptor of a state; -1: there is none */
};

static int run(const struct asked *asked, const struct conf *conf)
{
	/* The configuration goes when the master has ended. */
	char *log_file = conf->log_file != NULL ? strdup(conf->log_file) : NULL;
	int status;

	log_setup((enum log_level)conf->log_level, (enum log_format)conf->log_format);
	if (!sinks_take_log(log_file)) {
		fprintf(stderr, "ostlerd: cannot open %s: %s\n", conf->log_file, strerror(errno));
		free(log_file);
		conf_free(&conf);
		return EXIT_FAILURE;
	}
	status = master_run(conf, asked->program, asked->file);
	if (status != EXIT_SUCCESS && log_file != NULL)
		fprintf(stderr, "ostlerd: it was not started; %s says why\n", log_file);
	free(log_file);
	return status;
}

/* What is printed instead of anything else; false: nothing. */
static bool print_instead(int option)
{
	if (option == 'h')
		fputs(usage, stdout);
	else if (option == 'V')
		puts("ostlerd " OSTLER_VERSION);
	else if (option == 'S')
		conf_print_settings(stdout);
	return strchr("hVS", option) != NULL;
}

static int read_descriptor(const char *text)
{
	long long fd;

	return text_to_integer(text, &fd) && fd > STDERR_FILENO && fd <= INT_MAX ? (int)fd : -1;
}

/* -1: go on; otherwise what to exit with. */
static int take_options(int argc, char **argv, struct asked *asked)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:thV", long_options, NULL)) != -1) {
		if (option == 'c')
			asked->file = optarg;
		else if (option == 't')
			asked->check_only = true;
		else if (option == 'H')
			asked->take = read_descriptor(optarg);
		else if (option == 'E')
			asked->check = read_descriptor(optarg);
		else if (print_instead(option))
			return EXIT_SUCCESS;
		else
			break;
	}
	if (option == -1 && optind == argc)
		return -1;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static int start(const struct asked *asked)
{
	const struct conf *conf = conf_read(asked->file, stderr);
	int status;

	if (conf == NULL)
		return EXIT_USAGE;
	if (!asked->check_only)
		return run(asked, conf);
	status = check(asked->file, conf);
	conf_free(&conf);
	return status;
}

int main(int argc, char **argv)
{
	struct asked asked = { .file = CONF_FILE, .check = -1, .take = -1 };
	struct arena *arena = arena_new(1024);
	int status;

	open_standard_files();
	signal(SIGCHLD, SIG_DFL); /* were it ignored, no child could be waited for */
	asked.program = program_own(arena, argv[0]);
	status = take_options(argc, argv, &asked);
	if (status < 0 && asked.check >= 0)
		master_check(asked.check, asked.program, asked.file);
	if (status < 0 && asked.take >= 0)
		status = master_take_over(asked.take, asked.program, asked.file);
	else if (status < 0)
		status = start(&asked);
	arena_free(&arena);
	return status;
}
