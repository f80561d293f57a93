/* foreign.c - what a worker that says nothing of itself is doing, as far as /proc shows. */
#include "supervisor/pool/foreign.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/pool/pool.h"
#include "supervisor/system/proc.h"
#include "supervisor/system/waiting.h"

/* The number behind NAME in a file of /proc; false: it is not there. */
static bool find_count(const char *text, const char *name, uint64_t *count)
{
	const char *line = strstr(text, name);

	if (line != NULL)
		*count = strtoull(line + strlen(name), NULL, 10);
	return line != NULL;
}

static bool count_calls(pid_t pid, struct sighting *sighting)
{
	char text[512];

	return proc_read(pid, "io", text, sizeof(text)) &&
	       find_count(text, "syscr:", &sighting->reads) &&
	       find_count(text, "syscw:", &sighting->writes);
}

bool foreign_count_switches(pid_t pid, uint64_t *switches)
{
	char path[64], text[4096];
	const struct dirent *thread;
	uint64_t count;
	bool good;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	good = threads != NULL;
	while (good && (thread = readdir(threads)) != NULL) {
		if (thread->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "task/%.16s/status", thread->d_name);
		good = proc_read(pid, path, text, sizeof(text)) &&
		       find_count(text, "\nvoluntary_ctxt_switches:", &count);
		*switches += good ? count : 0;
	}
	if (threads != NULL)
		closedir(threads);
	return good;
}

/* What is counted of a worker like this; false: it cannot be seen. */
static bool count(const struct worker *worker, struct sighting *sighting)
{
	if (sighting->counted)
		return true; /* by the kernel, with the connection itself */
	if (worker->sight.receives)
		return foreign_count_switches(worker->pid, &sighting->switches);
	return count_calls(worker->pid, sighting);
}

/* Whether the request that was seen first may be what is seen now. */
static bool is_the_same(const struct worker *worker, const struct sighting *now)
{
	const struct sighting *first = &worker->sight.foreign;

	if (first->connection != now->connection)
		return false;
	if (now->counted)
		return first->received == now->received || first->sent == now->sent;
	if (worker->sight.receives)
		return first->switches == now->switches;
	return first->reads == now->reads || first->writes == now->writes;
}

/* That of the request which it was seen at before, if it is still there. */
static const struct client *choose(const struct worker *worker, const struct clients *clients)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->client[i].inode == worker->sight.foreign.connection)
			return &clients->client[i];
	return &clients->client[0];
}

/* A worker that is long at one request of an only client is looked at without a search. */
static bool find_clients(const struct worker *worker, struct clients *clients)
{
	const struct sighting *before = &worker->sight.foreign;
	struct client known = {
		.fd = before->fd, .inode = before->connection, .counted = before->counted
	};

	if (before->connection != 0 && before->alone &&
	    clients_find_again(worker->pid, &known, clients))
		return true;
	return clients_find(worker->pid, listener_fd(worker->generation->listener), clients);
}

static void take_connection(struct sighting *sighting, const struct client *client)
{
	sighting->connection = client->inode;
	sighting->fd = client->fd;
	sighting->counted = client->counted;
	sighting->received = client->received;
	sighting->sent = client->sent;
}

static enum waiting glance(const struct worker *worker, struct clients *clients)
{
	enum waiting accepts = waiting_to_accept(worker->pid);

	clients->count = 0;
	if (accepts != WAITING_NOT)
		return accepts;
	if (!find_clients(worker, clients))
		return WAITING_UNKNOWN;
	/* Without a client there is nothing that it could be at. */
	return clients->count == 0 ? WAITING_ACCEPT : waiting_for_client(worker->pid, clients);
}

/* Of how it waits follows how it takes its requests, and so what must be counted. */
static void learn(struct sight *sight, enum waiting seen)
{
	if (seen == WAITING_ANYHOW && !sight->reads)
		sight->receives = true;
	if (seen == WAITING_READ) {
		sight->reads = true;
		sight->receives = false;
	}
}

void foreign_look(struct worker *worker, int64_t now)
{
	struct sight *sight = &worker->sight;
	struct sighting present = { .since = now };
	struct clients clients;
	enum waiting seen = glance(worker, &clients);
	bool known = seen != WAITING_UNKNOWN;

	sight->busy = known ? seen == WAITING_NOT : -1;
	sight->idle = known ? seen != WAITING_NOT : -1;
	learn(sight, seen);
	if (seen == WAITING_NOT)
		take_connection(&present, choose(worker, &clients));
	present.alone = clients.count == 1;
	if (seen != WAITING_NOT || !count(worker, &present)) {
		sight->foreign = (struct sighting){ .since = 0 };
		sight->since = 0;
		return;
	}
	if (!is_the_same(worker, &present))
		sight->foreign = present;
	sight->since = sight->foreign.since;
}
