/* condition.c - If-Match and If-None-Match of a change: is the row still the one that the client
 * saw. */
#include "core/journey/condition.h"

#include <string.h>

#include "core/answer/etag.h"
#include "core/journey/transact.h"

#define IS_NO_LIST "%s must be *, or entity tags in quotes with commas between them: \"7\", \"8\"."

int stage_condition(struct request *rq)
{
	const struct head *head = &rq->head;

	if (rq->route->needs_match && head->if_match == NULL)
		return reply_problem(rq, 428,
		    "A change here needs If-Match, with the ETag of what is to be changed.");
	if (!condition_is_set(rq))
		return 0;
	if (head->if_match != NULL && !etag_list_is_valid(head->if_match))
		return reply_problem(rq, 400, IS_NO_LIST, "If-Match");
	if (head->if_none_match != NULL && !etag_list_is_valid(head->if_none_match))
		return reply_problem(rq, 400, IS_NO_LIST, "If-None-Match");
	return 0;
}

void condition_ask(struct request *rq)
{
	bool named = strchr(rq->route->path, '{') != NULL;
	struct statement version = { .sql = rq->route->versioned,
		.count = 1,
		.values = (struct value[]){
		    named ? value_text(rq->path_value[0]) : value_integer(rq->user_id) } };

	rq->version = rq->route->versioned != NULL ? transact_add(rq, &version) : NULL;
}

/* The tag of the row as it was before the change; NULL: there was none, or it has no version. */
static const char *tag_before(struct request *rq)
{
	if (rq->version == NULL || rq->version->count == 0)
		return NULL;
	return arena_print(rq->arena, "\"%s\"", rows_text(rq->version, 0, 0));
}

bool condition_holds(struct request *rq)
{
	const struct head *head = &rq->head;
	const char *tag;
	bool is_there;

	/* A handler that asked nothing has not sent it yet. */
	if (rq->version != NULL)
		transact_send(rq);
	tag = tag_before(rq);
	/* What has no versions is there when its handler says so, and has no tag to be listed. */
	is_there = rq->route->versioned == NULL || tag != NULL;
	if (tag == NULL)
		tag = "";
	if (head->if_match != NULL && !(is_there && etag_is_listed(head->if_match, tag)))
		return false;
	return head->if_none_match == NULL ||
	       !(is_there && etag_is_listed(head->if_none_match, tag));
}
