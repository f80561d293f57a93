/*
 * clients.h - which of a process's sockets lead to clients of its pool.
 *
 * A socket that came out of accept(2) has the name of the listener it came from.
 */
#ifndef SUPERVISOR_SYSTEM_CLIENTS_H
#define SUPERVISOR_SYSTEM_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLIENTS_MOST 64

struct client {
	int fd; /* of the process */
	uint64_t inode;
};

struct clients {
	size_t count;                       /* 0: nobody is connected */
	struct client client[CLIENTS_MOST]; /* those found first, when there are more */
};

/* The clients of process PID that came through LISTENER.  False: they cannot be seen. */
bool clients_find(pid_t, int listener, struct clients *);

bool clients_have(const struct clients *, int fd);

#endif
