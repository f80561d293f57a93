/*
 * stuck.c - a FastCGI program that hangs where it is told to, in functions with telling names.
 *
 *     /pid              answers its process id
 *     /stuck/SECONDS    sleeps so long in stuck_here(), whatever signals come, then answers
 *     /spin             computes in spins_here() for ever
 *     /blocked/SECONDS  waits so long for another thread, in waits_for_lock_here(), then answers
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

HERE static int spins_here(void)
{
	unsigned long turns = 0;

	while (always)
		turns++;
	return (int)turns;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *holds_lock_here(void *seconds)
{
	pthread_mutex_lock(&lock);
	sleep_for(*(double *)seconds);
	pthread_mutex_unlock(&lock);
	return NULL;
}

HERE static int waits_for_lock_here(double seconds)
{
	pthread_t holder;

	pthread_create(&holder, NULL, holds_lock_here, &seconds);
	sleep_for(0.05);
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
	if (sscanf(target, "/blocked/%lf", &seconds) == 1)
		return waits_for_lock_here(seconds);
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
