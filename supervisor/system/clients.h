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
	bool counted;            /* these are known, which is so of TCP: */
	uint64_t received, sent; /* bytes, since it was accepted */
};

struct clients {
	size_t count;                       /* 0: nobody is connected */
	struct client client[CLIENTS_MOST]; /* those found first, when there are more */
};

/* The clients of process PID that came through LISTENER.  False: they cannot be seen. */
bool clients_find(pid_t, int listener, struct clients *);

/* Whether that client is still connected, which is far cheaper to see; it becomes the only one. */
bool clients_find_again(pid_t, const struct client *, struct clients *);

bool clients_have(const struct clients *, int fd);

#endif
