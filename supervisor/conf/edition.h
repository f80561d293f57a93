/*
 * edition.h - a configuration that was read, kept as long as somebody follows it.
 *
 * After a reload some pools follow the new configuration and some, unchanged or
 * still ending, the one before.
 */
#ifndef SUPERVISOR_CONF_EDITION_H
#define SUPERVISOR_CONF_EDITION_H

#include "supervisor/conf/conf.h"

struct edition;

/* Takes the configuration over; the caller is its first holder. */
struct edition *edition_new(const struct conf *) MUST_CHECK;
struct edition *edition_hold(struct edition *);

/* The last holder to drop it frees the configuration. */
void edition_drop(struct edition **);

const struct conf *edition_conf(const struct edition *);

#endif
