/* tell.h - what the person at the terminal reads of the life of workers. */
#ifndef SUPERVISOR_RECORD_TELL_H
#define SUPERVISOR_RECORD_TELL_H

#include "supervisor/pool/verdict.h"

#define TELL_DURATION 32 /* room for tell_duration */

/* "0.4 s", "3 min", "2 h", "5 days" */
const char *tell_duration(char text[static TELL_DURATION], int64_t microseconds);

void tell_started(const struct worker *);
void tell_not_started(const struct worker *, int error, const struct verdict *, int64_t now);
void tell_ready(const struct worker *);
void tell_all_ready(const struct generation *); /* for the first time */
void tell_draining(const struct worker *);
void tell_recycled(const struct worker *, const char *limit);

/* Why a worker is sent its stop signal. */
enum stop_reason {
	REASON_ASKED,
	REASON_IDLE,
	REASON_NOT_READY,
	REASON_CANARY, /* worker->cause says what was wrong with its answer */
	REASON_NOT_FINISHED,
	REASON_STUCK
};
void tell_stopping(const struct worker *, enum stop_reason);
void tell_killing(const struct worker *);
void tell_stuck(const struct worker *, const char *request);

/* Where its threads are; what is more than a hundred lines is counted. */
struct trace;
void tell_trace(const struct worker *, const struct trace *);

/* A process has ended, and what follows from it; with its last words when it failed. */
void tell_ended(const struct pools *, const struct worker *, const struct ending *,
    const struct verdict *, int64_t now);

#endif
