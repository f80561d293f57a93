/* audit.c - the audit, for admins: who did what when, and what was refused to whom. */
#include "core/core.h"

#define PAGE_DEFAULT "50"

struct audit_entry {
	long long id, actor_id, times;
	const char *created_at, *kind, *actor, *subject, *address, *trace_id;
	const struct details *details;
};
struct details {
	const char *nothing;
};
struct audit_page {
	const char *kind, *actor, *from, *to;
	long long limit;
	struct cursor after;
};

/* clang-format off */
static const struct shape details = SHAPE_NAMED("audit_details", struct details, END);

static const struct shape audit_entry = SHAPE(struct audit_entry,
	{ FIELD(struct audit_entry, id) },
	{ FIELD_AS(struct audit_entry, created_at, TIME) },
	{ FIELD(struct audit_entry, kind), .one_of = audit_names },
	{ FIELD(struct audit_entry, actor_id), .nullable = true, .doc = "The user, who may be gone since." },
	{ FIELD(struct audit_entry, actor), .nullable = true,
	    .doc = "Their user name as it was then; of a sign-in that failed, the one that was tried." },
	{ FIELD(struct audit_entry, subject), .nullable = true, .doc = "What it was done to." },
	{ FIELD(struct audit_entry, address), .nullable = true },
	{ FIELD(struct audit_entry, trace_id), .nullable = true, .doc = "Of the request, in the logs." },
	{ FIELD(struct audit_entry, times), .doc = "More than 1: so many more refusals alike, within a minute." },
	{ FIELD_AS(struct audit_entry, details, OBJECT), .of = &details, .nullable = true });

static const struct shape audit_page = SHAPE(struct audit_page,
	{ FIELD(struct audit_page, kind), .one_of = audit_names },
	{ FIELD(struct audit_page, actor), .min = 1, .max = 254, .doc = "A user name, as it was then." },
	{ FIELD_AS(struct audit_page, from, TIME), .doc = "Not before." },
	{ FIELD_AS(struct audit_page, to, TIME), .doc = "Before that." },
	{ FIELD(struct audit_page, limit), .min = 1, .max = 500, .preset = PAGE_DEFAULT },
	{ FIELD(struct audit_page, after), .doc = "The \"next\" of the page before." });
/* clang-format on */

/* Each is one range of an index; a filter that is not there is no part of the statement. */
#define LINES                                                                                    \
	"SELECT id, at AS created_at, kind, actor_id, actor, subject, host(address) AS address," \
	" trace_id, times, details FROM audit"                                                   \
	" WHERE (at, id) < (coalesce($1::timestamptz, 'infinity'), $2::bigint)"                  \
	" AND at >= coalesce($4::timestamptz, '-infinity')"                                      \
	" AND at < coalesce($5::timestamptz, 'infinity')"
#define NEWEST_FIRST " ORDER BY at DESC, id DESC LIMIT $3::bigint + 1"

static const struct rows *find_page(struct request *rq, const struct audit_page *in)
{
	if (in->kind != NULL && in->actor != NULL)
		return query(rq, LINES " AND kind = $6 AND actor = $7" NEWEST_FIRST, in->after.time,
		    in->after.id, in->limit, in->from, in->to, in->kind, in->actor);
	if (in->kind != NULL)
		return query(rq, LINES " AND kind = $6" NEWEST_FIRST, in->after.time, in->after.id,
		    in->limit, in->from, in->to, in->kind);
	if (in->actor != NULL)
		return query(rq, LINES " AND actor = $6" NEWEST_FIRST, in->after.time, in->after.id,
		    in->limit, in->from, in->to, in->actor);
	return query(
	    rq, LINES NEWEST_FIRST, in->after.time, in->after.id, in->limit, in->from, in->to);
}

static int list_audit(struct request *rq)
{
	const struct audit_page *in = input(rq);

	return reply_list(rq, find_page(rq, in), in->limit);
}

const struct feature audit_feature = { .name = "audit",
	.doc = "Who did what, and what was refused: lines that nobody can change.",
	.routes = ROUTES(
	    { ROUTE(GET, "/api/audit", "List the audit, newest first", ADMIN, list_audit),
		.takes = &audit_page, .gives = &audit_entry, .list = true }) };
