/*
 * minimal.c - the yardstick's loop: threads over one set of connections.
 *
 * usage: minimal DATABASE REDIS_SOCKET THREADS CONNECTIONS
 *
 * The listening socket is descriptor 0.  The loop is that of app/core/loop.c
 * without draining: a SIGTERM ends it where it stands.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/notify.h"
#include "base/text.h"
#include "t/bench/minimal.h"

#define LISTENER 0

struct worker {
	struct store *store;
	int set;
};

static void accept_connection(int set)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT };

	event.data.fd = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);
	if (event.data.fd >= 0)
		epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event);
	else if (errno == EINVAL)
		exit(EXIT_SUCCESS); /* the listener was shut down */
}

/* Answers one request on connection FD.  True: FD is kept for the next. */
static bool answer_one(struct worker *worker, FCGX_Request *request, struct arena *arena, int fd)
{
	char rest[512];

	request->ipcFd = fd;
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) < 0)
		return false;
	minimal_answer(worker->store, request, arena);
	/* The record that ends the request's body must not stand before the next request. */
	while (FCGX_GetStr(rest, sizeof(rest), request->in) > 0)
		continue;
	FCGX_Finish_r(request);
	fd = request->ipcFd;
	request->ipcFd = -1;
	return fd >= 0;
}

static void serve(struct worker *worker, FCGX_Request *request, struct arena *arena, int fd)
{
	struct epoll_event again = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.fd = fd };

	if (answer_one(worker, request, arena, fd))
		epoll_ctl(worker->set, EPOLL_CTL_MOD, fd, &again);
	arena_reset(arena);
}

static void *run_thread(void *of)
{
	struct worker *worker = of;
	struct arena *arena = arena_new(64 << 10);
	FCGX_Request request;

	if (FCGX_InitRequest(&request, -1, 0) != 0)
		die("out of memory");
	for (;;) {
		struct epoll_event event;

		if (epoll_wait(worker->set, &event, 1, -1) < 1)
			continue;
		if (event.data.fd == LISTENER)
			accept_connection(worker->set);
		else
			serve(worker, &request, arena, event.data.fd);
	}
	return NULL;
}

static int open_set(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = LISTENER };
	int set = epoll_create1(EPOLL_CLOEXEC);

	fcntl(LISTENER, F_SETFL, fcntl(LISTENER, F_GETFL) | O_NONBLOCK);
	if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, LISTENER, &event) < 0)
		die("epoll: %s", strerror(errno));
	return set;
}

int main(int argc, char **argv)
{
	long long threads, connections;
	struct worker worker;
	pthread_t thread;

	if (argc != 5 || !text_to_integer(argv[3], &threads) ||
	    !text_to_integer(argv[4], &connections))
		die("usage: minimal DATABASE REDIS_SOCKET THREADS CONNECTIONS");
	if (FCGX_Init() != 0)
		die("cannot initialize libfcgi");
	worker.store = store_open(argv[1], argv[2], (int)connections);
	worker.set = open_set();
	for (long long i = 0; i < threads; i++)
		if (pthread_create(&thread, NULL, run_thread, &worker) != 0)
			die("cannot start a thread");
	notify_supervisor("READY=1");
	for (;;)
		pause();
}
