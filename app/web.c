/* web.c - the role that answers requests: puts the pieces together and serves. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "core/input/json_body.h"
#include "core/input/patterns.h"
#include "core/journey/router.h"
#include "core/openapi/openapi.h"
#include "core/serve/loop.h"
#include "roles.h"

/* Where the FastCGI convention puts the listening socket. */
#define LISTENER 0

/* "" in the configuration means the host's name. */
static const char *instance_id(const struct config *config, struct arena *arena)
{
	char host[HOST_NAME_MAX + 1] = "unnamed";

	if (config->instance_id[0] != '\0')
		return config->instance_id;
	gethostname(host, sizeof(host) - 1);
	return arena_copy(arena, host, strlen(host));
}

static void describe(
    struct application *app, const struct ostler_program *program, struct arena *arena)
{
	struct buffer document;

	buffer_start(&document, arena, 16 << 10);
	openapi_write(&document, &program->api, program->features);
	app->openapi = document.data;
	app->openapi_length = document.length;
}

static void say_ready(void)
{
	notify_supervisor("READY=1");
}

static void say_draining(void)
{
	notify_supervisor("STOPPING=1");
}

static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

int role_web(const struct ostler_program *program, const struct config *config)
{
	struct arena *arena = arena_new(64 << 10);
	const struct db_options database = { .conninfo = config->database,
		.application = arena_print(arena, "%s web", program->name),
		.connections = config->database_connections,
		.timeout_ms = config->database_timeout,
		.retry_ms = config->database_retry };
	const struct redis_options cache = { .address = config->cache,
		.connections = config->cache_connections,
		.timeout_ms = config->cache_timeout,
		.retry_ms = config->cache_retry };
	const struct cache_options leases = { .wait_ms = config->cache_wait,
		.lease_ms = config->cache_lease,
		.stale_ms = config->cache_stale };
	const struct loop_options loop = { .listener = LISTENER,
		.threads = config->threads,
		.silence_ms = config->silence,
		.ready = say_ready,
		.draining = say_draining };
	struct patterns *patterns = patterns_compile(shapes_gather(arena, program->features));
	struct application app = { .features = program->features,
		.patterns = patterns,
		.router = router_build(arena, program->features),
		.instance_id = instance_id(config, arena),
		.instance_name = config->instance_name,
		.request_log = config->request_log + STDOUT_FILENO,
		.demo_user = config->demo_user,
		.cache_hold_ms = 2 * config->database_timeout,
		.body_limit = (size_t)config->body_limit,
		.idempotency_seconds = (double)config->idempotency_keep / 1000 };

	if (!is_listening(LISTENER))
		die("descriptor 0 is no listening socket: start me under ostlerd(8)");
	json_body_init();
	describe(&app, program, arena);
	app.db = db_open(&database);
	app.redis = redis_open(&cache);
	app.cache = cache_open(app.redis, &leases);
	loop_run(&app, &loop);
	cache_close(&app.cache);
	redis_close(&app.redis);
	db_close(&app.db);
	patterns_free(&patterns);
	arena_free(&arena);
	return EXIT_SUCCESS;
}
