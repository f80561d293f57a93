/* roles.h - what a program can be: one program, one role per process. */
#ifndef APP_ROLES_H
#define APP_ROLES_H

#include "config.h"
#include "program.h"

/*
 * Plays the role and returns the exit status.  The program's title, version and
 * built-in feature are filled in; the configuration is NULL for a role that
 * needs none, and WORDS, what stands behind the role's name, is empty for one
 * that takes none (the table in program.c says which).
 */
typedef int role_fn(const struct ostler_program *, const struct config *, char **words);

role_fn role_user;
role_fn role_web, role_jobs, role_enqueue, role_consume, role_produce, role_redrive, role_migrate,
    role_routes, role_openapi, role_settings, role_keys, role_export, role_trace;

/* The kind called NAME, or the only one.  NULL after saying why there is none. */
const struct event_kind *event_kind_named(const struct ostler_program *, const char *name);

/* Of a role that was given wrong words: says how it is called. */
#define EXIT_USAGE 2

#endif
