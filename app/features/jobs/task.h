/* task.h - a job as whoever enqueued it sees it: what both files of this feature know. */
#ifndef FEATURES_JOBS_TASK_H
#define FEATURES_JOBS_TASK_H

#include "core/core.h"

/* The {id} of /api/task/{id}, and of the operators' routes. */
struct task_id {
	const char *id;
};

extern const struct shape task_id_shape, task_shape;

/* What people call a state. */
#define STATUS                                                            \
	"CASE state WHEN 'available' THEN 'queued' WHEN 'scheduled' THEN" \
	" 'queued' WHEN 'retryable' THEN 'retrying' WHEN 'discarded'"     \
	" THEN 'failed' ELSE state::text END"

/* The row of a job, waiting or ended; none when there is no such job. */
const struct rows *task_find(struct request *, const char *id);

/* Answers with that row: whatever was asked for is on its way. */
int task_accepted(struct request *, const struct rows *);

/* Cancels it: at once, or, when it runs, as soon as its handler hears of it. */
int task_cancel(struct request *);

handler_fn read_task_state;

#endif
