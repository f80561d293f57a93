/* tail.h - the last words of a worker, from its output file. */
#ifndef SUPERVISOR_TAIL_H
#define SUPERVISOR_TAIL_H

struct worker;

/*
 * Logs the last lines that the pool's output file has got since the worker
 * started; nothing when there is no such file, or there are none.
 */
void tail_tell(const struct worker *);

#endif
