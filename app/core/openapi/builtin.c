/* builtin.c - the routes that the framework itself answers. */
#include "core/openapi/builtin.h"

#include "core/journey/request.h"

struct pong {
	bool ok;
};

static const struct shape pong_shape = SHAPE(struct pong, { FIELD(struct pong, ok) });

/* Of its shape, but written beforehand: it is what a worker's own cost is measured by. */
static int ping(struct request *rq)
{
	static const char pong[] = "{\"ok\":true}";

	return reply_json(rq, 200, pong, sizeof(pong) - 1);
}

static int openapi_document(struct request *rq)
{
	return reply_json(rq, 200, rq->app->openapi, rq->app->openapi_length);
}

const struct feature builtin_feature = { .name = "core",
	.doc = "What the framework itself answers.",
	.routes = ROUTES(
	    { ROUTE(GET, "/ping", "Answer at once, from the process alone", ANYONE, ping),
		.gives = &pong_shape, .quota = QUOTA_PROBE },
	    { ROUTE(GET, "/openapi.json", "Describe this API in OpenAPI 3.1", ANYONE,
		  openapi_document),
		.media = "application/json" }) };
