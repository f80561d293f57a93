/*
 * web.c - the role that answers requests: puts the pieces together and serves.
 *
 * All that can be wrong with the tables is found here, before the first request:
 * the router, the shapes, the keys of the cache and the document are made while the
 * process starts, and a mistake in one ends it.  Then nothing that requests share
 * changes any more, which is why they share it without a lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slots.h"
#include "core/audit/audit.h"
#include "core/audit/repeats.h"
#include "core/identity/keyring.h"
#include "core/journey/quota.h"
#include "core/journey/router.h"
#include "core/journey/whose.h"
#include "core/openapi/openapi.h"
#include "core/serve/loop.h"
#include "core/serve/sandbox.h"
#include "footing.h"
#include "roles.h"

/* Where the FastCGI convention puts the listening socket. */
#define LISTENER 0

static void describe(
    struct application *app, const struct ostler_program *program, struct arena *arena)
{
	struct buffer document;

	buffer_start(&document, arena, 16 << 10);
	openapi_write(&document, &program->api, program->features);
	app->openapi = document.data;
	app->openapi_length = document.length;
}

static bool is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

/* What hashing passwords may take of this machine, over all its processes. */
static void open_slots(struct footing *footing)
{
	const struct config *config = footing->config;
	long count = config->password_slots > 0 ? (long)config->password_slots
						: sysconf(_SC_NPROCESSORS_ONLN);

	footing->app.hashing.wait_ms = config->password_wait;
	footing->app.hashing.slots = slots_open(config->password_lock, count > 0 ? (int)count : 1);
	if (footing->app.hashing.slots == NULL)
		die("password_lock: %s: %s", config->password_lock, strerror(errno));
}

/* All threads run and all modules are loaded: from here on less will do. */
static void say_ready(void)
{
	if (sandbox_wanted() != NULL) {
		sandbox_enter();
		log_info("only the system calls of the sandbox %s are left", sandbox_wanted());
	}
	footing_say_ready();
}

int role_web(const struct ostler_program *program, const struct config *config, char **words)
{
	const long long quota[QUOTAS] = { [QUOTA_READ] = config->limit_read,
		[QUOTA_WRITE] = config->limit_write,
		[QUOTA_EXPENSIVE] = config->limit_expensive,
		[QUOTA_PROBE] = config->limit_probe };
	const struct loop_options loop = { .listener = LISTENER,
		.threads = config->threads,
		.silence_ms = config->silence,
		.ready = say_ready,
		.draining = footing_say_stopping };
	struct footing footing;

	(void)words;
	if (!is_listening(LISTENER))
		die("descriptor 0 is no listening socket: start me under ostlerd(8)");
	footing_plan(&footing, program, config, "web");
	footing_open(&footing);
	footing_open_tracer(&footing);
	footing_open_outlets(&footing);
	footing_open_spool(&footing);
	if (config->keys[0] != '\0')
		footing.app.keys = keyring_open(config->keys);
	footing.app.quotas = quotas_new(footing.arena, quota, config->limit_window);
	footing.app.whose.text = whose_script;
	footing.app.limits = limits_open(footing.app.redis, quotas_policies(footing.app.quotas));
	open_slots(&footing);
	footing.app.repeats = repeats_open(config->audit_window * 1000);
	footing.app.router = router_build(footing.arena, program->features);
	describe(&footing.app, program, footing.arena);
	loop_run(&footing.app, &loop);
	audit_write_counts(&footing.app, footing.arena, true);
	repeats_close(&footing.app.repeats);
	slots_close(&footing.app.hashing.slots);
	limits_close(&footing.app.limits);
	footing_close(&footing);
	return EXIT_SUCCESS;
}
