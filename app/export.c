/* export.c - the role that sends spans on to an OpenTelemetry collector. */
#include "core/traces/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "footing.h"
#include "roles.h"
#include "store/module.h"

#define HEADERS_MOST 16

/* Lines "Name: value" of a file that nobody else should read; empty ones are passed over. */
static const char *const *read_headers(struct arena *arena, const char *path)
{
	const char **headers = arena_alloc(arena, (HEADERS_MOST + 1) * sizeof(*headers));
	char line[4096];
	size_t count = 0;
	FILE *file;

	if (path == NULL)
		return NULL;
	file = fopen(path, "re");
	if (file == NULL)
		die("otlp_headers_file: %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] == '\0')
			continue;
		/* The line itself is a secret. */
		if (count == HEADERS_MOST || strchr(line, ':') == NULL)
			die("otlp_headers_file: %s: at most %d lines, each \"Name: value\"", path,
			    HEADERS_MOST);
		headers[count++] = arena_copy(arena, line, strlen(line));
	}
	fclose(file);
	return headers;
}

int role_export(const struct ostler_program *program, const struct config *config, char **words)
{
	struct arena *arena = arena_new(0);
	struct footing footing;
	const struct collector_options collector = { .url = config->otlp_url,
		.headers = read_headers(arena, config->otlp_headers_file),
		.timeout_ms = config->otlp_timeout };
	struct export_options options = { .resource = { program->name, program->api.version,
					      config->instance_id },
		.batch_most = config->otlp_batch,
		.period_ms = config->otlp_period,
		.retry_ms = config->otlp_retry,
		.give_up_ms = config->otlp_give_up,
		.ready = footing_say_ready,
		.stopping = footing_say_stopping };
	const char *wrong = NULL;

	(void)words;
	/* So that one list of pools serves with and without a collector. */
	if (config->otlp_url[0] == '\0') {
		export_idle(&options);
		arena_free(&arena);
		return EXIT_SUCCESS;
	}
	footing_plan(&footing, program, config, "export");
	options.resource.instance = footing.app.instance_id;
	options.ring = footing_open_ring(config);
	options.driver = module_load(arena, COLLECTOR_FILE, COLLECTOR_SYMBOL, &wrong);
	if (options.driver != NULL)
		options.collector = options.driver->open(&collector, arena, &wrong);
	if (options.collector == NULL)
		die("otlp_url: %s", wrong);
	export_run(&options);
	options.driver->close(options.collector);
	ring_close(&options.ring);
	arena_free(&footing.arena);
	arena_free(&arena);
	return EXIT_SUCCESS;
}
