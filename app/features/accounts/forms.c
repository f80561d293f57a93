/*
 * forms.c - signing in and out where no script runs: the same, answered by another page.
 *
 * A browser shows whatever a form is answered with, and people read no JSON.  So a refusal
 * leads back to the page for signing in, to the sentence there that says it: an element
 * that nginx/html/style.css shows only while the address names it.
 */
#include "features/accounts/account.h"

static int welcome(struct request *rq, const struct rows *account)
{
	return reply_see_other(rq, account, "/");
}

int sign_in_by_form(struct request *rq)
{
	switch (sign_in_with(rq, welcome)) {
	case 303:
		return 303;
	case 401:
		return reply_see_other(rq, NULL, "/signin#refused");
	case 429:
		return reply_see_other(rq, NULL, "/signin#wait");
	default:
		return reply_see_other(rq, NULL, "/signin#away");
	}
}

int sign_out_by_form(struct request *rq)
{
	sign_out(rq);
	return reply_see_other(rq, NULL, "/signin");
}
