/*
 * password_rule.h - which passwords are taken: decides, and knows of no account.
 *
 * Length counts most (NIST SP 800-63B, 5.1.1.2), so there are no rules of "one digit and
 * one capital", which make passwords that look alike.  Refused is what is guessed
 * first: a word that everybody knows, however it is dressed up, a row of keys or
 * digits, something over and over, and the user's own names.
 */
#ifndef CORE_IDENTITY_PASSWORD_RULE_H
#define CORE_IDENTITY_PASSWORD_RULE_H

/* In code points: what a person types, not what it takes to store. */
#define PASSWORD_LEAST 8
#define PASSWORD_MOST  128

/* Whose it is to be; each may be NULL. */
struct password_owner {
	const char *username, *name, *email;
};

/* NULL: it is taken.  Otherwise what is wrong with it, to stand behind "The password". */
const char *password_fault(const char *password, const struct password_owner *);

#endif
