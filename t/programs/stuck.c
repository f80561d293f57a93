/*
 * stuck.c - a FastCGI program that hangs where it is told to, in functions with telling names.
 *
 *     /pid              answers its process id
 *     /stuck/SECONDS    sleeps so long in stuck_here(), whatever signals come, then answers
 *     /spin             computes in spins_here() for ever
 *     /until/FILE       sleeps in stuck_until() until there is /FILE, then answers
 *     /blocked/FILE     waits for another thread in waits_for_lock_here(), that one for /FILE; then
 * answers
 *
 * Each argument makes a difference: "threads" starts three threads that wait in idles_here(),
 * "undumpable" keeps others from looking at it, "late" hangs in starts_here() before it serves.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scoreboard.h"

#define HERE __attribute__((noinline, noclone))

static volatile int always = 1;

/* Not with nanosleep(2) alone: a signal would end that. */
static void sleep_for(double seconds)
{
	int64_t end = clock_now() + (int64_t)(seconds * 1e6);
	struct timespec rest;

	for (int64_t left = end - clock_now(); left > 0; left = end - clock_now()) {
		rest = (struct timespec){ left / 1000000, left % 1000000 * 1000 };
		nanosleep(&rest, NULL);
	}
}

HERE static int stuck_here(double seconds)
{
	sleep_for(seconds);
	return always; /* something is left to do: the call above must not become a jump */
}

static void wait_for_file(const char *file)
{
	while (access(file, F_OK) < 0)
		sleep_for(0.01);
}

HERE static int stuck_until(const char *file)
{
	wait_for_file(file);
	return always;
}

HERE static int spins_here(void)
{
	unsigned long turns = 0;

	while (always)
		turns++;
	return (int)turns;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *holds_lock_here(void *file)
{
	pthread_mutex_lock(&lock);
	wait_for_file(file);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Until the other thread has it: a lock that can be had is given back. */
static void wait_for_holder(void)
{
	while (pthread_mutex_trylock(&lock) == 0) {
		pthread_mutex_unlock(&lock);
		sleep_for(0.01);
	}
}

HERE static int waits_for_lock_here(const char *file)
{
	pthread_t holder;

	pthread_create(&holder, NULL, holds_lock_here, (void *)file);
	wait_for_holder();
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_join(holder, NULL);
	return always;
}

HERE static void *idles_here(void *nothing)
{
	while (always)
		pause();
	return nothing;
}

HERE static int starts_here(void)
{
	while (always)
		pause();
	return always;
}

static int work_on(const char *target)
{
	double seconds;

	if (sscanf(target, "/stuck/%lf", &seconds) == 1)
		return stuck_here(seconds);
	if (strncmp(target, "/until/", 7) == 0)
		return stuck_until(target + 6);
	if (strncmp(target, "/blocked/", 9) == 0)
		return waits_for_lock_here(target + 8);
	if (strcmp(target, "/spin") == 0)
		return spins_here();
	return 0;
}

static void serve(struct score *score)
{
	FCGX_Request request;

	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) == 0) {
		const char *target = FCGX_GetParam("REQUEST_URI", request.envp);
		int64_t began = clock_now();

		scoreboard_begin(score, began, 0);
		scoreboard_name(score, FCGX_GetParam("REQUEST_METHOD", request.envp), target);
		work_on(target);
		FCGX_FPrintF(request.out, "Content-Type: text/plain\r\n\r\n%d", (int)getpid());
		FCGX_Finish_r(&request);
		scoreboard_end(score, began, clock_now(), 0, false);
	}
}

int main(int argc, char **argv)
{
	struct scoreboard *board = scoreboard_attach(1);
	pthread_t idle;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "threads") == 0)
			for (int j = 0; j < 3; j++)
				pthread_create(&idle, NULL, idles_here, NULL);
		else if (strcmp(argv[i], "undumpable") == 0)
			prctl(PR_SET_DUMPABLE, 0);
		else if (strcmp(argv[i], "late") == 0)
			starts_here();
	FCGX_Init();
	serve(&board->slot[0]);
	return 0;
}
