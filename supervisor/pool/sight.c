/*
 * sight.c - what a worker is doing now, as far as it can be seen.
 *
 * A foreign worker is looked at from outside, now and then, and much may happen
 * between two looks.  What it was at for too long must surely be one request:
 * the connection was the same and never seen idle, and the process has not both
 * read and written since, which the end of one request and the begin of another
 * on the same connection would need.
 */
#include "supervisor/pool/sight.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "supervisor/pool/pool.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/clients.h"
#include "supervisor/system/proc.h"

#define US(milliseconds) ((int64_t)(milliseconds)*1000)

/* So late for a look, the machine or we were asleep: workers were, too, and get one more interval.
 */
#define AWAY SECOND_US

#define POLLED_MOST 64

/* Memory is measured no more often than this, and in one go for no longer than that. */
#define MEMORY_INTERVAL SECOND_US
#define MEMORY_TIME     (5 * SECOND_US / 1000)

enum { IDLE, BUSY, UNKNOWN };

/* --- a foreign worker, from outside --- */

/* A system call that a thread is in; number -1: it runs. */
struct call {
	long number;
	unsigned long argument[3];
};

static bool read_call(pid_t pid, const char *thread, struct call *call)
{
	char file[64], text[256];

	*call = (struct call){ .number = -1 };
	snprintf(file, sizeof(file), "task/%.16s/syscall", thread);
	if (!proc_read(pid, file, text, sizeof(text)))
		return false;
	if (sscanf(text, "%ld 0x%lx 0x%lx 0x%lx", &call->number, &call->argument[0],
		&call->argument[1], &call->argument[2]) != 4)
		call->number = -1;
	return true;
}

/* Its poll(2) names descriptors in its own memory. */
static bool polls_client(pid_t pid, const struct call *call, const struct clients *clients)
{
	struct pollfd polled[POLLED_MOST];
	size_t count = call->argument[1] < POLLED_MOST ? call->argument[1] : POLLED_MOST;
	struct iovec to = { polled, count * sizeof(*polled) };
	struct iovec from = { .iov_len = to.iov_len };

	/* A number of that process, which is never followed here. */
	memcpy(&from.iov_base, &call->argument[0], sizeof(from.iov_base));
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) != (ssize_t)to.iov_len)
		return false;
	for (size_t i = 0; i < count; i++)
		if ((polled[i].events & POLLIN) != 0 &&
		    (polled[i].fd == 0 || clients_have(clients, polled[i].fd)))
			return true;
	return false;
}

/* "tfd: 7 events: 19 …" in /proc/PID/fdinfo/N, proc(5) */
static bool epolls_client(pid_t pid, int fd, const struct clients *clients)
{
	char file[32], text[8192];
	const char *line = text;
	bool found = false;

	snprintf(file, sizeof(file), "fdinfo/%d", fd);
	if (!proc_read(pid, file, text, sizeof(text)))
		return false;
	while (!found && (line = strstr(line, "tfd:")) != NULL) {
		int watched = atoi(line += strlen("tfd:"));

		found = watched == 0 || clients_have(clients, watched);
	}
	return found;
}

/* Whether it waits for a client to send something, or for another client. */
static bool waits_for_client(pid_t pid, const struct call *call, const struct clients *clients)
{
	switch (call->number) {
	case SYS_read:
	case SYS_readv:
	case SYS_recvfrom:
	case SYS_recvmsg:
		return clients_have(clients, (int)call->argument[0]);
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		return polls_client(pid, call, clients);
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
		return epolls_client(pid, (int)call->argument[0], clients);
	default:
		return false;
	}
}

/* One of several threads that waits is enough: who comes next will be served. */
static int look_at_threads(pid_t pid, const struct clients *clients)
{
	char path[32];
	const struct dirent *thread;
	struct call call;
	int seen = UNKNOWN;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	while (threads != NULL && seen != IDLE && (thread = readdir(threads)) != NULL)
		if (thread->d_name[0] != '.' && read_call(pid, thread->d_name, &call))
			seen = waits_for_client(pid, &call, clients) ? IDLE : BUSY;
	if (threads != NULL)
		closedir(threads);
	return seen;
}

static bool count_calls(pid_t pid, struct sighting *sighting)
{
	char text[512];
	const char *reads, *writes;

	if (!proc_read(pid, "io", text, sizeof(text)))
		return false;
	reads = strstr(text, "syscr:");
	writes = strstr(text, "syscw:");
	if (reads == NULL || writes == NULL)
		return false;
	sighting->reads = strtoull(reads + strlen("syscr:"), NULL, 10);
	sighting->writes = strtoull(writes + strlen("syscw:"), NULL, 10);
	return true;
}

static int glance(const struct worker *worker, struct clients *clients)
{
	enum look accepts = readiness_waits_in_accept(worker->pid);

	clients->count = 0;
	if (accepts != LOOK_NO)
		return accepts == LOOK_YES ? IDLE : UNKNOWN;
	if (!clients_find(worker->pid, listener_fd(worker->generation->listener), clients))
		return UNKNOWN;
	return clients->count == 0 ? IDLE : look_at_threads(worker->pid, clients);
}

static bool is_among(const struct clients *clients, uint64_t inode)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->client[i].inode == inode)
			return true;
	return false;
}

/* Whether what is seen now can still be the request that was seen first on this connection. */
static bool is_the_same(
    const struct sighting *first, const struct sighting *now, const struct clients *clients)
{
	return is_among(clients, first->connection) &&
	       (first->reads == now->reads || first->writes == now->writes);
}

static void look_from_outside(struct worker *worker, int64_t now)
{
	struct sight *sight = &worker->sight;
	struct sighting present = { .since = now };
	struct clients clients;
	int seen = glance(worker, &clients);

	sight->busy = seen == UNKNOWN ? -1 : seen == BUSY;
	sight->idle = seen == UNKNOWN ? -1 : seen == IDLE;
	if (seen != BUSY || !count_calls(worker->pid, &present)) {
		sight->foreign = (struct sighting){ 0 };
		sight->since = 0;
		return;
	}
	present.connection = clients.client[0].inode;
	if (sight->foreign.connection == 0 || !is_the_same(&sight->foreign, &present, &clients))
		sight->foreign = present;
	sight->since = sight->foreign.since;
}

/* --- one that says it --- */

static void look_at_board(struct worker *worker)
{
	struct sight *sight = &worker->sight;
	struct board_work work;

	board_look(worker->board, &work);
	sight->busy = (long long)work.busy;
	sight->idle = (long long)work.idle;
	sight->since = work.oldest;
	sight->deadline = work.deadline;
	memcpy(sight->method, work.request.method, sizeof(sight->method));
	memcpy(sight->route, work.request.route, sizeof(sight->route));
}

void sight_forget(struct sight *sight, int64_t now)
{
	*sight = (struct sight){
		.busy = -1, .idle = -1, .memory = -1, .deadline = LOOP_FOREVER, .next = now
	};
}

void sight_look(struct worker *worker, int64_t now)
{
	const struct pool_conf *conf = worker_conf(worker);
	struct sight *sight = &worker->sight;
	bool away = now - sight->next > AWAY + US(conf->watch_interval);

	sight->at = now;
	sight->deadline = LOOP_FOREVER;
	sight->method[0] = sight->route[0] = '\0';
	if (worker->pid == 0 || conf->kind == KIND_SERVICE || conf->kind == KIND_TASK)
		return;
	board_limit(worker->board, US(conf->request_timeout)); /* a reload may have changed it */
	if (board_is_used(worker->board))
		look_at_board(worker);
	else if (worker->generation->listener != NULL)
		look_from_outside(worker, now);
	if (!board_is_used(worker->board) && sight->since != 0 && conf->request_timeout != 0)
		sight->deadline = sight->since + US(conf->request_timeout);
	sight->overdue = conf->request_timeout != 0 && !away && now >= sight->deadline;
	sight->next = now + US(conf->watch_interval);
	if (sight->deadline > now && sight->deadline < sight->next)
		sight->next = sight->deadline;
}

void sight_describe(const struct sight *sight, int64_t now, char text[static SIGHT_TEXT])
{
	double seconds = (double)(now - sight->since) / (double)SECOND_US;

	if (sight->route[0] != '\0')
		snprintf(
		    text, SIGHT_TEXT, "%s %s for %.1f s", sight->method, sight->route, seconds);
	else
		snprintf(text, SIGHT_TEXT, "a request for %.1f s", seconds);
}

/* The kernel walks all of a process's pages for it: not twice a second. */
static void measure(struct worker *worker, int64_t interval, int64_t now)
{
	struct sight *sight = &worker->sight;

	if (sight->memory_at != 0 && now - sight->memory_at < interval)
		return;
	sight->memory = sight_memory(worker->pid);
	sight->memory_at = now;
}

void sight_watch(struct worker *worker, int64_t now)
{
	const struct pool_conf *conf = worker_conf(worker);
	long long requests = board_requests(worker->board);

	sight_look(worker, now);
	if (requests >= 0)
		worker->requests = requests;
	if (conf->max_memory != 0)
		measure(worker, US(conf->memory_interval), now);
	if (worker->sight.memory >= 0)
		worker->memory = worker->sight.memory;
}

/* Those for whom there is no time now keep what they had, and come first another time. */
void sight_look_at_all(struct pools *pools, int64_t now)
{
	int64_t enough = clock_now() + MEMORY_TIME;

	for (size_t i = 0; i < pools->count; i++)
		for (struct generation *g = pools->pool[i]->newest; g != NULL; g = g->older)
			for (size_t j = 0; j < g->count; j++) {
				struct worker *worker = g->worker[j];

				sight_look(worker, now);
				if (worker_is_alive(worker) && clock_now() < enough)
					measure(worker, MEMORY_INTERVAL, now);
			}
}

long long sight_memory(pid_t pid)
{
	char text[2048];
	const char *line;

	if (!proc_read(pid, "smaps_rollup", text, sizeof(text)))
		return -1;
	line = strstr(text, "\nPss:");
	return line != NULL ? atoll(line + strlen("\nPss:")) * 1024 : -1;
}
