/* produce.c - the role that makes events up: a simulator, for a first look and for load. */
#include "core/events/produce.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "footing.h"
#include "roles.h"

#define RATE_USUAL 2.0
#define RATE_MOST  1e7

static int usage(const struct ostler_program *program)
{
	fprintf(stderr,
	    "usage: %s -c FILE produce [--rate EVENTS/S | --rate max] [--count N] [--seed N]\n"
	    "       [--batch N] [KIND]\n",
	    program->name);
	return EXIT_USAGE;
}

static bool read_number(const char *text, unsigned long long most, unsigned long long *number)
{
	char *end = NULL;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && *number <= most;
}

static bool read_rate(const char *text, double *rate)
{
	char *end = NULL;

	*rate = 0;
	if (strcmp(text, "max") == 0)
		return true;
	*rate = strtod(text, &end);
	return end != text && *end == '\0' && *rate > 0 && *rate <= RATE_MOST;
}

static bool read_option(struct produce_options *options, int option, const char *text)
{
	unsigned long long number = 0;
	bool well = false;

	if (option == 'r')
		return read_rate(text, &options->rate);
	if (option == 's')
		return read_number(text, UINT64_MAX, &options->seed);
	if (option == 'c')
		well = read_number(text, INT64_MAX, &number);
	else if (option == 'b')
		well = read_number(text, PRODUCE_BATCH_MOST, &number);
	*(option == 'c' ? &options->count : &options->batch) = (long long)number;
	return well && number > 0;
}

/* False after saying what is wrong.  The words' number is the only thing getopt wants to know of
 * them. */
static bool read_options(struct produce_options *options, char **words, const char **kind)
{
	static const struct option names[] = { { "rate", required_argument, NULL, 'r' },
		{ "count", required_argument, NULL, 'c' }, { "seed", required_argument, NULL, 's' },
		{ "batch", required_argument, NULL, 'b' }, { NULL, 0, NULL, 0 } };
	int count = 1, option;

	/* getopt begins behind the name of a program: the word before ours is the role's. */
	while (words[count - 1] != NULL)
		count++;
	optind = 0; /* glibc: begin anew */
	while ((option = getopt_long(count, words - 1, "+", names, NULL)) != -1) {
		if (option == '?')
			return false;
		if (!read_option(options, option, optarg)) {
			fprintf(stderr, "\"%s\" is not what this option takes\n", optarg);
			return false;
		}
	}
	*kind = words[optind - 1];
	return *kind == NULL || words[optind] == NULL;
}

int role_produce(const struct ostler_program *program, const struct config *config, char **words)
{
	struct produce_options options = { .rate = RATE_USUAL,
		.batch = 500,
		.retry_ms = config->broker_retry,
		.shows_progress = isatty(STDERR_FILENO) };
	const char *name = NULL;
	struct footing footing;
	bool well;

	random_fill(&options.seed, sizeof(options.seed));
	options.seed >>= 16; /* short enough to be typed */
	if (!read_options(&options, words, &name))
		return usage(program);
	options.kind = event_kind_named(program, name);
	if (options.kind == NULL)
		return EXIT_USAGE;
	if (options.kind->simulation == NULL) {
		fprintf(stderr, "%s: %s cannot be made up\n", program->name, options.kind->name);
		return EXIT_USAGE;
	}
	produce_block_signals();
	footing_plan(&footing, program, config, "produce");
	footing_open(&footing);
	footing_open_outlets(&footing);
	if (footing.app.outlets == NULL)
		die("no broker is configured: events have nowhere to go");
	footing_open_spool(&footing);
	well = produce_run(footing.app.outlets, &options);
	footing_close(&footing);
	return well ? EXIT_SUCCESS : EXIT_FAILURE;
}
