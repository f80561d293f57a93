/* ostlerd.c - ostlerd(8): its command line. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/conf/conf.h"
#include "supervisor/master.h"
#include "supervisor/output/sink.h"

#define EXIT_USAGE 2 /* a bad configuration, too */

static const char usage[] = "usage: ostlerd [-t] [-c FILE]\n"
			    "  -c FILE  the configuration; otherwise " CONF_FILE "\n"
			    "  -t       only check it\n"
			    "  -h, -V   print this, or the version\n";

static const struct option long_options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
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

static int run(const char *file, const struct conf *conf)
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
	status = master_run(conf, file);
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

int main(int argc, char **argv)
{
	const char *file = CONF_FILE;
	const struct conf *conf;
	bool check_only = false;
	int option, status;

	open_standard_files();
	signal(SIGCHLD, SIG_DFL); /* were it ignored, no child could be waited for */
	while ((option = getopt_long(argc, argv, "c:thV", long_options, NULL)) != -1) {
		if (option == 'c')
			file = optarg;
		else if (option == 't')
			check_only = true;
		else if (print_instead(option))
			return EXIT_SUCCESS;
		else
			break;
	}
	if (option != -1 || optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	conf = conf_read(file, stderr);
	if (conf == NULL)
		return EXIT_USAGE;
	if (!check_only)
		return run(file, conf);
	status = check(file, conf);
	conf_free(&conf);
	return status;
}
