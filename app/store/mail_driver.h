/* mail_driver.h - what a way to send letters must be able to do; private to mail*.c. */
#ifndef STORE_MAIL_DRIVER_H
#define STORE_MAIL_DRIVER_H

#include "store/mail.h"

/* The functions promise what those of mail.h do; OPENED is what open made. */
struct mail_driver {
	void *(*open)(const struct mail_options *, struct arena *, const char **wrong);
	void (*close)(void *opened);
	enum mail_fate (*send)(
	    void *opened, struct arena *, const struct letter *, const char **why);
};

/* What modules/smtp.c exports, under the name MAIL_SMTP_SYMBOL. */
extern const struct mail_driver mail_smtp;
#define MAIL_SMTP_FILE   "ostler-smtp.so"
#define MAIL_SMTP_SYMBOL "mail_smtp"

#endif
