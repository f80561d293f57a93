/* bench.c - routes that only `make bench` compiles in: what it measures and no feature has yet. */
#include <time.h>

#include "core/core.h"

/* Stored by t/bench/run, as cache_keep would: a line for the cursor, which is empty, and the
 * report. */
#define REPORT_KEY "bench:report"

struct nap {
	long long ms;
};

/* clang-format off */
static const struct shape nap = SHAPE(struct nap,
	{ FIELD(struct nap, ms), .min = 1, .max = 10000, .preset = "800" });
/* clang-format on */

static int read_report(struct request *rq)
{
	return reply_cached(rq, REPORT_KEY) ? 200 : reply_missing(rq);
}

static int hold_open(struct request *rq)
{
	static const char rested[] = "{\"rested\":true}";
	const struct nap *in = input(rq);
	struct timespec pause = { .tv_sec = in->ms / 1000, .tv_nsec = in->ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
	return reply_json(rq, 200, rested, sizeof(rested) - 1);
}

/* clang-format off */
extern const struct feature bench_feature;
const struct feature bench_feature = { .name = "bench", .doc = "Only for make bench.", .routes = ROUTES(
	{ ROUTE(GET, "/bench/report", "Answer what Redis holds", ANYONE, read_report),
	    .media = "application/json" },
	{ ROUTE(GET, "/bench/sleep", "Hold the request open for a while", ANYONE, hold_open),
	    .takes = &nap, .media = "application/json" }) };
/* clang-format on */
