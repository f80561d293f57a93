/*
 * footing.h - what a role stands on: the database, Redis, the cache, and what all handlers share.
 *
 * The options live here because what is opened from them keeps pointing at them.
 */
#ifndef APP_FOOTING_H
#define APP_FOOTING_H

#include "config.h"
#include "core/events/publish.h"
#include "core/serve/application.h"
#include "program.h"
#include "store/mail.h"

struct footing {
	struct arena *arena;
	const struct config *config;
	struct db_options database;
	struct redis_options redis;
	struct cache_options leases;
	struct mail_options mail;
	struct broker_options broker;
	struct patterns *patterns;
	struct tracer tracer;
	struct application app;
};

/* Fills in the options.  ROLE is for PostgreSQL's list of sessions. */
void footing_plan(
    struct footing *, const struct ostler_program *, const struct config *, const char *role);

/* Opens what the options say; connects to nothing yet. */
void footing_open(struct footing *);
void footing_close(struct footing *);

/* Opens the way by which letters leave, for the role that sends them. */
void footing_open_mail(struct footing *);

/* Opens the brokers of events, for roles that publish or consume: the others load no client of one.
 */
void footing_open_outlets(struct footing *);

/* And the spool behind them, for those that publish what was sent to them. */
void footing_open_spool(struct footing *);

/* Has what a role does traced, if traces are sent anywhere. */
void footing_open_tracer(struct footing *);

/* The ring in which spans wait; dies without. */
struct ring *footing_open_ring(const struct config *);

/* For a role's options: tells the supervisor, if there is one. */
void footing_say_ready(void);
void footing_say_stopping(void);

#endif
