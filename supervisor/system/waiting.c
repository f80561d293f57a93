/* waiting.c - whether a process waits for its clients: the system calls that its threads are in. */
#include "supervisor/system/waiting.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/attributes.h"
#include "supervisor/system/call.h"

#define POLLED_MOST 1024

/* Descriptor 0 is the listener: who waits on it waits for a client, too. */
static bool is_of_interest(const struct clients *clients, int fd)
{
	return fd == 0 || clients_have(clients, fd);
}

/* SIZE bytes of the memory of PID, at an ADDRESS there. */
static bool copy_memory(pid_t pid, unsigned long address, void *room, size_t size)
{
	struct iovec to = { room, size };
	struct iovec from = { .iov_len = size };

	/* A number of that process, which is never followed here. */
	memcpy(&from.iov_base, &address, sizeof(from.iov_base));
	return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)size;
}

/* poll(array, count, …) */
static bool polls_client(pid_t pid, const struct call *call, const struct clients *clients)
{
	struct pollfd polled[POLLED_MOST];
	size_t count = call->argument[1] < POLLED_MOST ? call->argument[1] : POLLED_MOST;

	if (!copy_memory(pid, call->argument[0], polled, count * sizeof(*polled)))
		return false;
	for (size_t i = 0; i < count; i++)
		if ((polled[i].events & POLLIN) != 0 && is_of_interest(clients, polled[i].fd))
			return true;
	return false;
}

/* select(most, readable, …) */
static bool selects_client(pid_t pid, const struct call *call, const struct clients *clients)
{
	fd_set set;
	int most = call->argument[0] < FD_SETSIZE ? (int)call->argument[0] : FD_SETSIZE;

	FD_ZERO(&set);
	/* The kernel's sets are of longs; one less than whole ones would be read short. */
	if (!copy_memory(
		pid, call->argument[1], &set, ((size_t)most + 63) / 64 * sizeof(unsigned long)))
		return false;
	for (int fd = 0; fd < most; fd++)
		if (FD_ISSET(fd, &set) && is_of_interest(clients, fd))
			return true;
	return false;
}

/* "tfd: 7 events: 19 …", a line for each, in /proc/PID/fdinfo/N, proc(5) */
static bool epolls_client(pid_t pid, int fd, const struct clients *clients)
{
	char path[64], *line = NULL;
	size_t room = 0;
	int watched;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	file = fopen(path, "re");
	while (file != NULL && !found && getline(&line, &room, file) > 0)
		found = sscanf(line, "tfd: %d", &watched) == 1 && is_of_interest(clients, watched);
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
}

static bool looks_at_many(pid_t pid, const struct call *call, const struct clients *clients)
{
	switch (call->number) {
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
		return polls_client(pid, call, clients);
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		return selects_client(pid, call, clients);
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return epolls_client(pid, (int)call->argument[0], clients);
	default:
		return false;
	}
}

static enum waiting judge(pid_t pid, const struct call *call, const struct clients *clients)
{
	int fd = (int)call->argument[0];

	switch (call->number) {
	case SYS_accept:
	case SYS_accept4:
		return fd == 0 ? WAITING_ACCEPT : WAITING_NOT;
	case SYS_read:
	case SYS_readv:
		return clients_have(clients, fd) ? WAITING_READ : WAITING_NOT;
	case SYS_recvfrom: /* recv(2) is this, too */
	case SYS_recvmsg:
	case SYS_recvmmsg:
		return clients_have(clients, fd) ? WAITING_ANYHOW : WAITING_NOT;
	case SYS_io_uring_enter:
		return WAITING_UNKNOWN;
	default:
		return looks_at_many(pid, call, clients) ? WAITING_ANYHOW : WAITING_NOT;
	}
}

enum waiting waiting_to_accept(pid_t pid)
{
	static const struct clients nobody = { .count = 0 };
	struct call call;
	bool refused;

	if (!call_read(pid, "syscall", &call, &refused))
		return refused ? WAITING_UNKNOWN : WAITING_NOT;
	return judge(pid, &call, &nobody) == WAITING_ACCEPT ? WAITING_ACCEPT : WAITING_NOT;
}

enum waiting waiting_for_client(pid_t pid, const struct clients *clients)
{
	char path[64];
	const struct dirent *thread;
	enum waiting seen = WAITING_NOT;
	bool unknown = false;
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	unknown = threads == NULL;
	while (threads != NULL && seen == WAITING_NOT && (thread = readdir(threads)) != NULL) {
		struct call call;
		bool refused;

		if (thread->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "task/%.16s/syscall", thread->d_name);
		if (call_read(pid, path, &call, &refused))
			seen = judge(pid, &call, clients);
		unknown = unknown || refused || seen == WAITING_UNKNOWN;
		seen = seen == WAITING_UNKNOWN ? WAITING_NOT : seen;
	}
	if (threads != NULL)
		closedir(threads);
	return seen == WAITING_NOT && unknown ? WAITING_UNKNOWN : seen;
}
