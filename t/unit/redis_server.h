/*
 * redis_server.h - a Redis of the test's own; a header, since each unit test is one object.
 *
 * It listens on a socket in a folder of its own and keeps nothing.
 */
#ifndef UNIT_REDIS_SERVER_H
#define UNIT_REDIS_SERVER_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/redis.h"

static struct {
	char folder[64], address[96];
	pid_t pid;
	struct arena *arena; /* of replies; the test's */
} redis_server;

static inline const char *redis_server_address(void)
{
	return redis_server.address;
}

static inline void redis_server_become(void)
{
	execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis_server.address,
	    "--save", "", "--logfile", "/dev/null", "--dir", redis_server.folder, (char *)NULL);
	_exit(127);
}

/* Runs a command as somebody who comes only now.  False: Redis does not answer. */
static inline bool redis_server_run(struct redis_command command, struct redis_reply *reply)
{
	struct redis_options options = {
		.address = redis_server.address, .connections = 1, .timeout_ms = 200, .retry_ms = 1
	};
	struct redis *redis = redis_open(&options);
	bool answered = redis_run(redis, redis_server.arena, 1, &command, reply);

	redis_close(&redis);
	return answered;
}

static inline void redis_server_wait(void)
{
	int64_t deadline = clock_now() + 20 * SECOND_US;
	struct redis_command ping = { .words = { "PING" } };
	struct redis_reply reply;

	while (!redis_server_run(ping, &reply)) {
		assert_true(clock_now() < deadline);
		usleep(5000);
	}
}

static inline struct redis_reply redis_server_does(struct redis_command command)
{
	struct redis_reply reply;

	assert_true(redis_server_run(command, &reply));
	return reply;
}
#define redis_server_says(...) redis_server_does((struct redis_command){ .words = { __VA_ARGS__ } })

/* Of a group's setup and teardown: 0 when all is well. */
static inline int redis_server_start(struct arena *arena)
{
	redis_server.arena = arena;
	snprintf(redis_server.folder, sizeof(redis_server.folder), "/tmp/redis-server-XXXXXX");
	if (mkdtemp(redis_server.folder) == NULL)
		return -1;
	snprintf(redis_server.address, sizeof(redis_server.address), "%s/redis.sock",
	    redis_server.folder);
	redis_server.pid = fork();
	if (redis_server.pid == 0)
		redis_server_become();
	redis_server_wait();
	return 0;
}

static inline int redis_server_end(void)
{
	kill(redis_server.pid, SIGKILL);
	waitpid(redis_server.pid, NULL, 0);
	(void)unlink(redis_server.address);
	return rmdir(redis_server.folder);
}

#endif
