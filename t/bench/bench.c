/* bench.c - routes that only `make bench` compiles in: what it measures and no feature has yet. */
#include <time.h>

#include "base/buffer.h"
#include "core/core.h"

struct nap {
	long long ms;
};

/* clang-format off */
static const struct shape nap = SHAPE(struct nap,
	{ FIELD(struct nap, ms), .min = 1, .max = 10000, .preset = "800" });
/* clang-format on */

/* What the cache holds from the first request on; t/bench/Data.pm tells minimal the same. */
static int read_report(struct request *rq)
{
	static const char *const regions[] = { "Norte", "Nordeste", "Centro-Oeste", "Sudeste",
		"Sul", "Exterior", "Loja virtual", "Outras" };
	struct buffer report;

	buffer_start(&report, request_arena(rq), 1024);
	buffer_add_text(&report, "{\"mes\":\"2026-01\",\"regions\":[");
	for (size_t i = 0; i < COUNT(regions); i++)
		buffer_print(&report,
		    "%s{\"region\":\"%s\",\"total\":12345.60,\"orders\":321,\"average\":38.46}",
		    i == 0 ? "" : ",", regions[i]);
	buffer_add_text(&report, "]}");
	return reply_json(rq, 200, report.data, report.length);
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
	    .media = "application/json", .cached = { .key = "bench:report", .seconds = 300 } },
	{ ROUTE(GET, "/bench/mine", "The same to who has signed in", SIGNED_IN, read_report),
	    .media = "application/json", .cached = { .key = "bench:report:{user}", .seconds = 300 } },
	{ ROUTE(GET, "/bench/sleep", "Hold the request open for a while", ANYONE, hold_open),
	    .takes = &nap, .media = "application/json" }) };
/* clang-format on */
