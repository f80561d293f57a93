/* table.c - the status of all pools as a person likes to read it. */
#include "supervisor/table.h"

#include <string.h>

#include "supervisor/tell.h"
#include "supervisor/wire.h"

#define ROW "%-*s  %-8s  %-9s  %4s  %8s  %-9s  %8s  %8s  %s\n"

/* What came over the socket was said by a worker: it must not speak to the terminal. */
static const char *printable(char text[static 128], const char *said)
{
	size_t length = 0;

	for (; *said != '\0' && length < 127; said++)
		if ((unsigned char)*said >= ' ' && *said != 0x7f)
			text[length++] = *said;
	text[length] = '\0';
	return text;
}

static int width_of_names(const struct wire_answer *answer)
{
	size_t width = strlen("POOL");

	for (size_t i = 0; i < answer->count; i++)
		if (strlen(answer->pool[i].name) > width)
			width = strlen(answer->pool[i].name);
	return width < 40 ? (int)width : 40;
}

/* A pool's own columns stand in the first line of its workers. */
static void print_worker(FILE *out, int width, const struct wire_pool *pool, size_t index)
{
	const struct wire_worker *worker = &pool->worker[index];
	char slot[24], pid[24], restarts[24], age[TELL_DURATION], said[128];

	snprintf(slot, sizeof(slot), "%lld", worker->slot);
	snprintf(pid, sizeof(pid), "%lld", worker->pid);
	snprintf(restarts, sizeof(restarts), "%lld", worker->restarts);
	tell_duration(age, (int64_t)(worker->seconds * 1e6));
	fprintf(out, ROW, width, index == 0 ? pool->name : "", index == 0 ? pool->kind : "",
	    index == 0 ? pool->state : "", slot, worker->pid != 0 ? pid : "-", worker->state, age,
	    restarts, printable(said, worker->said));
}

void table_print(FILE *out, const struct wire_answer *answer)
{
	int width = width_of_names(answer);

	fprintf(out, "ostlerd %lld is %s\n\n", answer->pid, answer->state);
	fprintf(out, ROW, width, "POOL", "KIND", "STATE", "SLOT", "PID", "WORKER", "SINCE",
	    "RESTARTS", "SAYS");
	for (size_t i = 0; i < answer->count; i++)
		for (size_t j = 0; j < answer->pool[i].count; j++)
			print_worker(out, width, &answer->pool[i], j);
}
