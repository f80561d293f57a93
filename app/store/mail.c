/* mail.c - letters to people: by which way, and the one that needs no server. */
#include "store/mail.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "store/mail_driver.h"
#include "store/module.h"

struct mailer {
	const struct mail_driver *driver;
	void *opened;
};

/* --- into the log --- */

static void *open_log(const struct mail_options *options, struct arena *arena, const char **wrong)
{
	(void)arena;
	(void)wrong;
	return (void *)options; /* not used, and not NULL */
}

static void close_log(void *opened)
{
	(void)opened;
}

static enum mail_fate send_to_log(
    void *opened, struct arena *arena, const struct letter *letter, const char **why)
{
	struct log_line line;

	(void)opened;
	(void)arena;
	(void)why;
	log_begin(
	    &line, LOG_WARN, "a letter is written here instead of being sent (mail = \"log\")");
	log_add_text(&line, "to", letter->to);
	log_add_text(&line, "subject", letter->subject);
	log_add_text(&line, "body", letter->body);
	log_end(&line, STDERR_FILENO);
	return MAIL_SENT;
}

static const struct mail_driver mail_log = { open_log, close_log, send_to_log };

/* --- whichever way --- */

static const struct mail_driver *find_driver(
    struct arena *arena, const char *where, const char **wrong)
{
	if (strcmp(where, "log") == 0)
		return &mail_log;
	if (text_starts(where, "smtp://") || text_starts(where, "smtps://"))
		return module_load(arena, MAIL_SMTP_FILE, MAIL_SMTP_SYMBOL, wrong);
	*wrong = arena_print(
	    arena, "must be \"log\", \"smtp://host\" or \"smtps://host\", not \"%s\"", where);
	return NULL;
}

struct mailer *mailer_open(
    const struct mail_options *options, struct arena *arena, const char **wrong)
{
	const struct mail_driver *driver = find_driver(arena, options->where, wrong);
	void *opened = driver != NULL ? driver->open(options, arena, wrong) : NULL;
	struct mailer *mailer;

	if (opened == NULL)
		return NULL;
	mailer = calloc(1, sizeof(*mailer));
	if (mailer == NULL)
		die("out of memory");
	*mailer = (struct mailer){ driver, opened };
	return mailer;
}

void mailer_close(struct mailer **mailer)
{
	if (*mailer == NULL)
		return;
	(*mailer)->driver->close((*mailer)->opened);
	free(*mailer);
	*mailer = NULL;
}

enum mail_fate mailer_send(
    struct mailer *mailer, struct arena *arena, const struct letter *letter, const char **why)
{
	return mailer->driver->send(mailer->opened, arena, letter, why);
}
