/*
 * cross_site.c - the stage that refuses changes which a page of another site asks for.
 *
 * A browser sends our cookie along whoever wrote the page. What asks for a change
 * with a cookie must therefore come from a page of our own: its Origin names our
 * Host or, where an old browser sends none, Sec-Fetch-Site says so. A program that
 * sends neither is no browser, and a bearer token is nothing that a browser sends
 * by itself. So forms need no tokens.
 *
 * A form is refused without a cookie, too: any page can send one, also the one that
 * signs somebody in, as whoever the other page would like them to be.  JSON it cannot
 * send without asking first (core/answer/cors.c), and a program's form for a token
 * sets no cookie.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "core/journey/journey.h"

static bool has_bearer_token(const struct head *head)
{
	return head->authorization != NULL &&
	       strncasecmp(head->authorization, "Bearer ", strlen("Bearer ")) == 0;
}

/*
 * Whether ORIGIN, "https://host:port" or "null", is of our Host. Both leave out a usual port.
 * Whoever sits on the line can write what http://host shows, so what comes over TLS is believed
 * of a page that did, too.  Without TLS nobody knows better: it may have ended before us.
 */
static bool is_our_origin(const char *origin, const struct head *head)
{
	const char *slashes = strstr(origin, "://");

	if (slashes == NULL || head->host == NULL ||
	    (head->https != NULL && !text_starts(origin, "https://")))
		return false;
	return strcasecmp(slashes + 3, head->host) == 0;
}

static bool is_of_another_site(const struct request *rq)
{
	const struct head *head = &rq->head;
	const struct cors *cors = &rq->app->cors;

	if (head->origin == NULL)
		return head->sec_fetch_site != NULL &&
		       strcmp(head->sec_fetch_site, "same-origin") != 0;
	if (is_our_origin(head->origin, head))
		return false;
	/* Whom the configuration lets send cookies it lets ask for changes. */
	return !cors->credentials || !cors_allows(cors, head->origin);
}

static bool needs_look(const struct request *rq)
{
	return rq->head.cookie != NULL || (rq->route->form && !rq->route->oauth);
}

int stage_cross_site(struct request *rq)
{
	if (!needs_look(rq) || rq->method == GET || has_bearer_token(&rq->head) ||
	    !is_of_another_site(rq))
		return 0;
	audit(rq, AUDIT_CROSS_SITE_REFUSED,
	    .subject = arena_print(rq->arena, "%s %s", method_name(rq->method), rq->template),
	    .details = rq->head.origin != NULL ? audit_detail(rq, "origin", rq->head.origin)
					       : NULL);
	return reply_problem(rq, 403, "A page of another site has asked for this; only ours may.");
}
