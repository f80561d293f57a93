/*
 * mail.h - letters to people: how they leave, and how that went.
 *
 * "smtp://host:port" hands them to a server; "log" writes them into the log, which
 * is for development alone, since a letter may hold a link that signs somebody in.
 */
#ifndef STORE_MAIL_H
#define STORE_MAIL_H

#include "base/arena.h"

struct mailer;

struct mail_options {
	const char *where; /* "log", "smtp://host[:port]" or "smtps://host[:port]" */
	const char *from;
	const char *user, *secret; /* NULL: the server asks for none */
	long long timeout_ms;      /* of a whole delivery */
};

/* Plain text in UTF-8, with a line break wherever one is wanted. */
struct letter {
	const char *to, *subject, *body;
	const char
	    *id; /* tells letters apart, so that one that comes twice is seen to be the same */
};

enum mail_fate {
	MAIL_SENT,
	MAIL_LATER, /* the server cannot be reached, or not take it now; or it may have been sent */
	MAIL_REFUSED, /* no further try would help */
};

/* Connects to nothing yet.  NULL: *WRONG says what is wrong with the options. */
struct mailer *mailer_open(
    const struct mail_options *, struct arena *, const char **wrong) MUST_CHECK;
void mailer_close(struct mailer **);

/* Sends one; *WHY, in the arena, says why not. */
enum mail_fate mailer_send(
    struct mailer *, struct arena *, const struct letter *, const char **why) MUST_CHECK;

#endif
