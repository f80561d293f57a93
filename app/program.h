/*
 * program.h - a whole program made of features; what its main() calls.
 *
 * A program is a name and a list of features.  Everything else, from reading
 * the command line and the configuration to serving requests, is the library's:
 * whoever writes main() has the same roles as ostler-app(8), which is itself
 * nothing but such a program.
 */
#ifndef APP_PROGRAM_H
#define APP_PROGRAM_H

#include "core/openapi/openapi.h"

struct ostler_program {
	const char *name; /* as it is typed; for messages, and PostgreSQL's list of sessions */
	struct openapi_info api;               /* title NULL: the name; version NULL: "0" */
	const struct feature *const *features; /* NULL-terminated */
};

/* A list of features where it is needed: .features = FEATURES(&guests, &horses). */
#define FEATURES(...)                   \
	(const struct feature *const[]) \
	{                               \
		__VA_ARGS__, NULL       \
	}

/*
 * Takes the role that the command line names and returns the exit status:
 * 0, 1 after a failure, 2 when the command line or the configuration is wrong.
 * To be called once, first thing, before the process has threads.
 */
int ostler_main(int argc, char **argv, const struct ostler_program *);

#endif
