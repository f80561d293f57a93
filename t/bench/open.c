/*
 * open.c - ostler-app without sessions: what `make bench` holds the one with them against.
 *
 * The features are the same, statements and answers too; only nobody has to sign in for
 * tasks.  Whoever asks is the user demo, who is looked up once in the life of a process.
 */
#include <stdatomic.h>
#include <string.h>

#include "core/journey/request.h"
#include "features.h"
#include "program.h"

#define ROUTES_MOST 32

extern const struct feature bench_feature, health_feature, tasks_feature;

static struct route opened[ROUTES_MOST];
static atomic_llong demo;

static long long find_demo(struct request *rq)
{
	const struct rows *rows;

	if (demo == 0) {
		rows = query(rq, "SELECT id FROM users WHERE username = $1", "demo");
		demo = rows->fate == DONE && rows->count > 0 ? rows_integer(rows, 0, 0) : 0;
	}
	return demo;
}

/* The copies stand in the order of the originals. */
static int handle_as_demo(struct request *rq)
{
	const struct route *original = tasks_feature.routes + (rq->route - opened);

	rq->user_id = find_demo(rq);
	rq->role = original->access;
	return original->handler(rq);
}

/*
 * The first page of a list is kept under its user, who is found too late for that here: another key
 * is dropped in its place, so that a change costs as much.
 */
static void open_routes(void)
{
	static const char *const drops[] = { "tasks:user:demo", NULL };

	for (size_t i = 0; i < ROUTES_MOST - 1 && tasks_feature.routes[i].path != NULL; i++) {
		opened[i] = tasks_feature.routes[i];
		opened[i].access = ANYONE;
		opened[i].handler = handle_as_demo;
		opened[i].cached = (struct cached_as){ .key = NULL };
		opened[i].drops = opened[i].drops != NULL ? drops : NULL;
	}
}

static const struct feature open_feature = {
	.name = "tasks", .doc = "Things to do, all of one owner.", .routes = opened
};
static const struct ostler_program program = { .name = "ostler-app-open",
	.features = FEATURES(&health_feature, &open_feature, &bench_feature) };

int main(int argc, char **argv)
{
	open_routes();
	return ostler_main(argc, argv, &program);
}
