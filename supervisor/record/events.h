/*
 * events.h - the flight recorder: what has happened lately, in order.
 *
 * Every birth, death and decision is written down as a struct of numbers and a
 * few words in a ring of fixed size, the oldest giving way to the newest.  So
 * the story of a process can be told after its end, and tests assert on it
 * instead of reading messages.  Like the log, there is one for the program.
 */
#ifndef SUPERVISOR_RECORD_EVENTS_H
#define SUPERVISOR_RECORD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attributes.h"

struct generation;
struct pool;
struct worker;

#define EVENTS_KEPT     2048
#define EVENT_POOL_ROOM 64
#define EVENT_TEXT_ROOM 240

/* A new kind is a line here and its name in events.c. */
enum event_kind {
	EVENT_MASTER_START,
	EVENT_MASTER_READY, /* all pools are */
	EVENT_MASTER_STOP,  /* all shall end; text: who asked, and how fast */
	EVENT_SIGNAL,       /* ostlerd was sent a signal */

	EVENT_SPAWN,         /* a process was made */
	EVENT_SPAWN_FAILED,  /* none could be made; retry_in */
	EVENT_READY,         /* lasted: since its start */
	EVENT_NOT_READY,     /* it was not in time and is asked to end */
	EVENT_CANARY,        /* it has answered the request that it must answer first */
	EVENT_CANARY_FAILED, /* it has not, or not well, and is asked to end */
	EVENT_FINISH,        /* it takes nothing new, and ends when it has finished */
	EVENT_NOT_FINISHED,  /* it was not in time and is asked to end */
	EVENT_STOP,          /* it is asked to end; text: why */
	EVENT_KILL,          /* SIGKILL to its group; text: why */
	EVENT_SAID,    /* text: one of the last lines of a process that fails, before its exit */
	EVENT_EXIT,    /* code, signalled, failed, lasted, retry_in; text: the cause */
	EVENT_RECYCLE, /* it shall be replaced; text: why */
	EVENT_STUCK,   /* a request has taken too long; text: which */
	EVENT_TRACE,   /* it was looked at; lasted; text: why, and its request */
	EVENT_FRAME,   /* behind that: where a thread is, then who has called whom, a line each */

	EVENT_RELOAD,            /* asked for; text: by whom */
	EVENT_RELOAD_REFUSED,    /* the new configuration is wrong; text: the first complaint */
	EVENT_RELOAD_UNCHANGED,  /* this pool stays as it is */
	EVENT_GENERATION_START,  /* a next one is started beside the old */
	EVENT_GENERATION_READY,  /* all of its workers are */
	EVENT_GENERATION_SWITCH, /* it has taken over the address */
	EVENT_GENERATION_DRAIN,  /* the old one begins to drain */
	EVENT_GENERATION_END,    /* the old one has no process any more */
	EVENT_RELOAD_FAILED,     /* taken back; text: why */
	EVENT_RELOAD_DONE,

	EVENT_UPGRADE, /* to a next ostlerd, asked for; text: by whom, and to which program */
	EVENT_UPGRADE_REFUSED, /* nothing has changed; text: why */
	EVENT_UPGRADE_DONE,    /* the next ostlerd has taken over; text: the versions */

	EVENT_POOL_ADDED,
	EVENT_POOL_REMOVED,
	EVENT_SCALE,      /* by a person; text: from how many to how many */
	EVENT_SCALE_UP,   /* by demand; text: the same, what was seen, and why */
	EVENT_SCALE_DOWN, /* likewise */
	EVENT_SCALE_HELD, /* it should be scaled, and is not; text: what was seen, and why not */
	EVENT_DRAIN,      /* asked for by a person */
	EVENT_RESUME,

	EVENT_LOGS_REOPENED,
	EVENT_OUTPUT_LOST, /* lines of workers could not be written; text: how many */
	EVENT_TROUBLE,     /* the environment refused something; text: what */
	EVENT_KINDS
};
extern const char *const event_names[]; /* in enum order, NULL-terminated */

/* What does not apply is 0, and -1 for durations. */
struct event {
	unsigned long long number; /* from 1, without gaps */
	int64_t wall;              /* clock_wall */
	enum event_kind kind;
	char pool[EVENT_POOL_ROOM]; /* "": about ostlerd itself */
	long long generation;
	size_t slot;
	pid_t pid;
	bool signalled, failed;
	int code;         /* EVENT_EXIT: the exit status, or the signal */
	int64_t lasted;   /* microseconds */
	int64_t retry_in; /* microseconds */
	char text[EVENT_TEXT_ROOM];
};

/* An event with its subject filled in, for those who have more to add before they record it. */
struct event event_of_worker(enum event_kind, const struct worker *);
struct event event_of_generation(enum event_kind, const struct generation *);
struct event event_of_pool(enum event_kind, const struct pool *);
struct event event_of_master(enum event_kind);

void event_say(struct event *, const char *format, ...) PRINTF_LIKE(2, 3); /* sets the text */
void event_record(const struct event *); /* number and wall are set here */

/* The usual case in one call: event_worker(EVENT_READY, worker, "after %d tries", tries). */
#define event_worker(kind, worker, ...) event_write(event_of_worker(kind, worker), __VA_ARGS__)
#define event_pool(kind, pool, ...)     event_write(event_of_pool(kind, pool), __VA_ARGS__)
#define event_generation(kind, generation, ...) \
	event_write(event_of_generation(kind, generation), __VA_ARGS__)
#define event_master(kind, ...) event_write(event_of_master(kind), __VA_ARGS__)
void event_write(struct event, const char *format, ...) PRINTF_LIKE(2, 3);

/* How often what has happened to a pool, or to ostlerd itself (""), since the start. */
struct event_tally {
	struct event_tally *next;
	char pool[EVENT_POOL_ROOM];
	unsigned long long count[EVENT_KINDS];
	unsigned long long failures; /* exits that should not have been */
};

/* The one behind TALLY; the first behind NULL; NULL behind the last. */
const struct event_tally *events_tally(const struct event_tally *);

/* Hands all over, or takes them from a master before us: upgrade/state.h. */
struct state;
void events_pass(struct state *);

/* The number of the oldest event that is kept and of the newest; newest < oldest: none yet. */
unsigned long long events_oldest(void);
unsigned long long events_newest(void);

/* The event of that number, which must be kept; stays until the next is recorded. */
const struct event *events_get(unsigned long long number);

#endif
