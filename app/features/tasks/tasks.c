/* tasks.c - things to do, each owned by the user who wrote it down. */
#include <string.h>

#include "core/core.h"

/* The default first page of a list is kept; whatever changes a task of theirs drops it. */
#define FIRST_PAGE    "tasks:user:{user}"
#define CHANGES_TASKS .drops = DROPS(FIRST_PAGE)

#define PAGE_DEFAULT "20"

struct task {
	long long id, version;
	const char *title, *description, *created_at, *updated_at;
	bool completed;
};
struct new_task {
	const char *title, *description;
	bool completed;
};
struct task_list {
	long long limit;
	struct cursor after;
	bool completed;
	const char *q;
};

/* clang-format off */
static const struct shape task = SHAPE(struct task,
	{ FIELD(struct task, id) },
	{ FIELD(struct task, title) },
	{ FIELD(struct task, description) },
	{ FIELD(struct task, completed) },
	{ FIELD(struct task, version), .doc = "Raised by every change; the ETag." },
	{ FIELD_AS(struct task, created_at, TIME) },
	{ FIELD_AS(struct task, updated_at, TIME) });

static const struct shape new_task = SHAPE(struct new_task,
	{ FIELD(struct new_task, title), .min = 1, .max = 200, .required = true },
	{ FIELD(struct new_task, description), .max = 10000, .preset = "" },
	{ FIELD(struct new_task, completed), .preset = "false" });

static const struct shape changed_task = SHAPE_NAMED("changed_task", struct new_task,
	{ FIELD(struct new_task, title), .min = 1, .max = 200 },
	{ FIELD(struct new_task, description), .max = 10000 },
	{ FIELD(struct new_task, completed) });

/* What a page's form sends: no check box, so no "completed". */
static const struct shape task_form = SHAPE_NAMED("task_form", struct new_task,
	{ FIELD(struct new_task, title), .min = 1, .max = 200, .required = true },
	{ FIELD(struct new_task, description), .max = 10000, .preset = "" });

static const struct shape task_list = SHAPE(struct task_list,
	{ FIELD(struct task_list, limit), .min = 1, .max = 200, .preset = PAGE_DEFAULT },
	{ FIELD(struct task_list, after), .doc = "The \"next\" of the page before." },
	{ FIELD(struct task_list, completed), .doc = "Only those done, or only those to do." },
	{ FIELD(struct task_list, q), .max = 200, .doc = "Words of title or description." });
/* clang-format on */

#define COLUMNS "id, title, description, completed, version, created_at, updated_at"

/* --- reading --- */

/*
 * The page behind a cursor is one range of the index (user_id, created_at, id);
 * without a cursor (NULL, 0) it begins at infinity, so that one plan serves both.
 */
#define PAGE                                                                          \
	"SELECT " COLUMNS " FROM tasks WHERE user_id = $1"                            \
	" AND (created_at, id) < (coalesce($2::timestamptz, 'infinity'), $3::bigint)" \
	" AND ($4::boolean IS NULL OR completed = $4)"
#define NEWEST_FIRST " ORDER BY created_at DESC, id DESC LIMIT $5::bigint + 1"

/*
 * The last word may be unfinished, as people type it: it matches as a prefix,
 * unless a parenthesis stands behind it, as in -"these words".  Of nothing but
 * punctuation websearch_to_tsquery makes an empty query, which matches nothing.
 */
#define MATCHES                                                                                  \
	" AND search @@ regexp_replace(websearch_to_tsquery('simple', $6)::text, '''$', ''':*')" \
	"::tsquery"

/* websearch_to_tsquery fails when more than 32 exclusions follow upon each other. */
#define EXCLUSIONS_MOST 25

/* What to search for: Q, its minus signs taken for blanks when nobody can mean so many. */
static const char *words_of(struct request *rq, const char *q)
{
	char *words = arena_copy(request_arena(rq), q, strlen(q));
	int exclusions = 0;

	for (const char *c = q; *c != '\0'; c++)
		exclusions += *c == '-';
	for (char *c = words; exclusions > EXCLUSIONS_MOST && *c != '\0'; c++)
		if (*c == '-')
			*c = ' ';
	return words;
}

static const struct rows *find_page(struct request *rq, const struct task_list *in)
{
	struct value completed = given(rq, struct task_list, completed);

	if (in->q != NULL && *in->q != '\0')
		return query(rq, PAGE MATCHES NEWEST_FIRST, user_id(rq), in->after.time,
		    in->after.id, completed, in->limit, words_of(rq, in->q));
	return query(
	    rq, PAGE NEWEST_FIRST, user_id(rq), in->after.time, in->after.id, completed, in->limit);
}

static int list_tasks(struct request *rq)
{
	const struct task_list *in = input(rq);

	return reply_list(rq, find_page(rq, in), in->limit);
}

static int read_task(struct request *rq)
{
	return reply_row(
	    rq, query(rq, "SELECT " COLUMNS " FROM tasks WHERE id = $1 AND user_id = $2",
		    path_id(rq), user_id(rq)));
}

/* --- changing --- */

static const struct rows *insert(struct request *rq)
{
	const struct new_task *in = input(rq);

	return query(rq,
	    "INSERT INTO tasks (user_id, title, description, completed)"
	    " VALUES ($1, $2, $3, $4) RETURNING " COLUMNS,
	    user_id(rq), in->title, in->description, in->completed);
}

static const struct rows *update(
    struct request *rq, struct value title, struct value description, struct value completed)
{
	return query(rq,
	    "UPDATE tasks SET title = coalesce($3, title),"
	    " description = coalesce($4, description), completed = coalesce($5, completed),"
	    " version = version + 1, updated_at = now()"
	    " WHERE id = $1 AND user_id = $2 RETURNING " COLUMNS,
	    path_id(rq), user_id(rq), title, description, completed);
}

static const struct rows *forget(struct request *rq)
{
	return query(rq, "DELETE FROM tasks WHERE id = $1 AND user_id = $2 RETURNING id",
	    path_id(rq), user_id(rq));
}

static int create_task(struct request *rq)
{
	return reply_created(rq, insert(rq));
}

static int replace_task(struct request *rq)
{
	const struct new_task *in = input(rq);

	return reply_row(
	    rq, update(rq, VALUE(in->title), VALUE(in->description), VALUE(in->completed)));
}

static int change_task(struct request *rq)
{
	/* A change of nothing raises no version (RFC 5789 leaves that to us). */
	if (!given_any(rq))
		return read_task(rq);
	return reply_row(rq,
	    update(rq, given(rq, struct new_task, title), given(rq, struct new_task, description),
		given(rq, struct new_task, completed)));
}

static int delete_task(struct request *rq)
{
	return reply_done(rq, forget(rq));
}

/* --- the page's plain forms: the same changes, answered by going back to the page --- */

static int add_by_form(struct request *rq)
{
	return reply_see_other(rq, insert(rq), "/");
}

static int complete_by_form(struct request *rq)
{
	struct value unchanged = { .kind = NOTHING };

	return reply_see_other(rq, update(rq, unchanged, unchanged, VALUE((bool)true)), "/");
}

static int delete_by_form(struct request *rq)
{
	return reply_see_other(rq, forget(rq), "/");
}

/* clang-format off */
const struct feature tasks_feature = { .name = "tasks", .doc = "Things to do, each with its owner.", .routes = ROUTES(
	{ ROUTE(GET, "/api/tasks", "List my tasks, newest first", SIGNED_IN, list_tasks),
	    .takes = &task_list, .gives = &task, .list = true,
	    .cached = { .key = FIRST_PAGE, .seconds = 300 } },
	{ ROUTE(POST, "/api/tasks", "Write a task down", USER, create_task),
	    .takes = &new_task, .gives = &task, .status = 201, CHANGES_TASKS },
	{ ROUTE(GET, "/api/tasks/{id}", "Read a task", SIGNED_IN, read_task), .gives = &task },
	{ ROUTE(PUT, "/api/tasks/{id}", "Write a task anew", USER, replace_task),
	    .takes = &new_task, .gives = &task, .versioned = VERSION_OF("tasks"), CHANGES_TASKS },
	{ ROUTE(PATCH, "/api/tasks/{id}", "Change some of a task", USER, change_task),
	    .takes = &changed_task, .gives = &task, .versioned = VERSION_OF("tasks"), CHANGES_TASKS },
	{ ROUTE(DELETE, "/api/tasks/{id}", "Forget a task", USER, delete_task),
	    .versioned = VERSION_OF("tasks"), CHANGES_TASKS },
	{ ROUTE(POST, "/add", "Write a task down, from a form", USER, add_by_form),
	    .takes = &task_form, .form = true, .status = 303, CHANGES_TASKS },
	{ ROUTE(POST, "/complete/{id}", "Mark a task as done, from a form", USER, complete_by_form),
	    .status = 303, CHANGES_TASKS },
	{ ROUTE(POST, "/delete/{id}", "Forget a task, from a form", USER, delete_by_form),
	    .status = 303, CHANGES_TASKS }) };
/* clang-format on */
