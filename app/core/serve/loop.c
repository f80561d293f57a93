/* loop.c - a web worker's loop: threads over one set of connections. */
#include "core/serve/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scoreboard.h"
#include "base/signal_fd.h"
#include "core/journey/counts.h"
#include "core/journey/journey.h"
#include "core/serve/fcgi.h"

/* What an arena keeps between requests: enough for a page of a list. */
#define ARENA_KEEP (64 << 10)

struct loop {
	struct application *app;
	const struct loop_options *options;
	struct scoreboard *board;
	int set, signals, ticks, ended;
	atomic_int connections;
	atomic_bool draining;
};

/* What a thread owns. */
struct thread {
	pthread_t id;
	struct loop *loop;
	struct fcgi *fcgi;
	struct arena *arena;
	struct score *score;
};

/* The descriptors that are no connection stand in the set once, under these marks. */
static void watch(struct loop *loop, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(loop->set, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

/* --- the end --- */

/* Wakes every thread for good: nobody reads the eventfd, so it stays readable. */
static void end_if_drained(struct loop *loop)
{
	uint64_t one = 1;

	if (loop->draining && loop->connections == 0 && write(loop->ended, &one, sizeof(one)) < 0)
		bug("eventfd: %s", strerror(errno));
}

static void drain(struct loop *loop)
{
	if (atomic_exchange(&loop->draining, true))
		return;
	epoll_ctl(loop->set, EPOLL_CTL_DEL, loop->options->listener, NULL);
	log_debug("draining: %d connections open", loop->connections);
	loop->options->draining();
	end_if_drained(loop);
}

static void forget_connection(struct loop *loop)
{
	atomic_fetch_sub(&loop->connections, 1);
	end_if_drained(loop);
}

/* --- one connection --- */

static bool serve_request(struct thread *thread, int fd)
{
	struct loop *loop = thread->loop;
	struct request *rq = request_new(loop->app, thread->arena);
	bool kept;

	if (!fcgi_accept(thread->fcgi, fd, &rq->head))
		return false;
	rq->read_body = fcgi_read_body;
	rq->connection = thread->fcgi;
	rq->score = thread->score;
	rq->timeout = score_read(&loop->board->head.timeout);
	journey_run(rq);
	fcgi_write(thread->fcgi, rq->response.head.data, rq->response.head.length);
	if (!rq->head_only)
		fcgi_write(thread->fcgi, rq->response.body.data, rq->response.body.length);
	kept = fcgi_finish(thread->fcgi, true);
	journey_end(rq);
	return kept;
}

static void serve(struct thread *thread, int fd)
{
	struct epoll_event again = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.fd = fd };
	bool kept = serve_request(thread, fd);

	arena_reset(thread->arena);
	/* Once back in the set the connection belongs to whichever thread wakes next. */
	if (kept && epoll_ctl(thread->loop->set, EPOLL_CTL_MOD, fd, &again) == 0)
		return;
	if (kept)
		close(fd);
	forget_connection(thread->loop);
}

/* --- new connections --- */

/* A peer that falls silent in the middle must not hold a thread for ever. */
static void limit_silence(const struct loop *loop, int fd)
{
	struct timeval limit = { .tv_sec = loop->options->silence_ms / 1000,
		.tv_usec = loop->options->silence_ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* Out of descriptors or memory: taking no connection for a moment beats spinning. */
static void rest_from_accepting(void)
{
	struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };

	log_error("accept: %s", strerror(errno));
	nanosleep(&moment, NULL);
}

/*
 * The supervisor has shut the listener down (ostler-worker(7)): accept(2) says
 * EINVAL, but EAGAIN of a unix socket that does not block.
 */
static bool is_shut(uint32_t events)
{
	return errno == EINVAL || (errno == EAGAIN && (events & EPOLLHUP) != 0);
}

static int accept_one(struct loop *loop, uint32_t events)
{
	int fd = accept4(loop->options->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (is_shut(events))
		drain(loop);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
		rest_from_accepting();
	return -1;
}

static void accept_connection(struct loop *loop, uint32_t events)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT };
	int fd;

	/* Counted before it exists: a drain in between must wait for it. */
	atomic_fetch_add(&loop->connections, 1);
	fd = accept_one(loop, events);
	if (fd >= 0) {
		limit_silence(loop, fd);
		event.data.fd = fd;
		if (epoll_ctl(loop->set, EPOLL_CTL_ADD, fd, &event) == 0)
			return;
		close(fd);
	}
	forget_connection(loop);
}

/* --- a thread --- */

static void tick(struct thread *thread)
{
	uint64_t times;

	/* Several threads may wake; the one that reads it has the work. */
	if (read(thread->loop->ticks, &times, sizeof(times)) != sizeof(times))
		return;
	cache_settle(thread->loop->app->cache, thread->arena);
	arena_reset(thread->arena);
}

static void take_signal(struct loop *loop)
{
	struct signalfd_siginfo signal;

	if (read(loop->signals, &signal, sizeof(signal)) == sizeof(signal))
		drain(loop);
}

static void *run_thread(void *of)
{
	struct thread *thread = of;
	struct loop *loop = thread->loop;

	for (;;) {
		struct epoll_event event;
		int fd;

		if (epoll_wait(loop->set, &event, 1, -1) < 1)
			continue;
		fd = event.data.fd;
		if (fd == loop->ended && loop->connections == 0)
			return NULL;
		if (fd == loop->options->listener)
			accept_connection(loop, event.events);
		else if (fd == loop->signals)
			take_signal(loop);
		else if (fd == loop->ticks)
			tick(thread);
		else if (fd != loop->ended)
			serve(thread, fd);
	}
}

static void start_thread(struct thread *thread, struct loop *loop, size_t index)
{
	int failure;

	*thread = (struct thread){ .loop = loop,
		.fcgi = fcgi_new(),
		.arena = arena_new(ARENA_KEEP),
		.score = &loop->board->slot[index] };
	failure = pthread_create(&thread->id, NULL, run_thread, thread);
	if (failure != 0)
		die("cannot start a thread: %s", strerror(failure));
}

static void end_thread(struct thread *thread)
{
	pthread_join(thread->id, NULL);
	fcgi_free(&thread->fcgi);
	arena_free(&thread->arena);
}

/* --- the whole --- */

static int open_ticks(void)
{
	struct itimerspec second = { .it_value.tv_sec = 1, .it_interval.tv_sec = 1 };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0 || timerfd_settime(fd, 0, &second, NULL) < 0)
		die("timerfd: %s", strerror(errno));
	return fd;
}

static void open_set(struct loop *loop)
{
	int listener = loop->options->listener;

	loop->set = epoll_create1(EPOLL_CLOEXEC);
	loop->ended = eventfd(0, EFD_CLOEXEC);
	if (loop->set < 0 || loop->ended < 0)
		die("epoll: %s", strerror(errno));
	/* All holders of this socket are this program, so it may be non-blocking. */
	fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
	watch(loop, listener, EPOLLIN | EPOLLEXCLUSIVE);
	watch(loop, loop->signals, EPOLLIN);
	watch(loop, loop->ticks, EPOLLIN);
	watch(loop, loop->ended, EPOLLIN);
}

void loop_run(struct application *app, const struct loop_options *options)
{
	struct loop loop = { .app = app, .options = options };
	size_t count = (size_t)options->threads;
	struct thread *threads = calloc(count, sizeof(*threads));

	if (threads == NULL)
		die("out of memory");
	fcgi_init();
	loop.board = scoreboard_attach(count);
	counts_name(loop.board);
	loop.signals = signal_fd_open((const int[]){ SIGTERM, 0 });
	loop.ticks = open_ticks();
	open_set(&loop);
	for (size_t i = 0; i < count; i++)
		start_thread(&threads[i], &loop, i);
	options->ready();
	for (size_t i = 0; i < count; i++)
		end_thread(&threads[i]);
	free(threads);
	scoreboard_detach(&loop.board);
	close(loop.signals);
	close(loop.ticks);
	close(loop.set);
	close(loop.ended);
}
