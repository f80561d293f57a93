/*
 * repeats.h - refusals that are alike become one line of the audit; decides, and writes nothing.
 *
 * Anybody can be refused as often as they like, and a line for each would be a way
 * to fill the database.  So the first of its kind is written at once, those that
 * are equal to it are counted, and when a minute has gone by the count is written
 * as one line more.  Of one network not more than a few different lines are
 * written in a minute, and of all together not more than the table has places:
 * beyond that they are counted by their kind, and their address as far as it goes.
 * A process that is killed loses what it has counted, never a line that it wrote.
 */
#ifndef CORE_AUDIT_REPEATS_H
#define CORE_AUDIT_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/audit.h"
#include "core/journey/network.h"

/* Bytes of a text that are kept for the line that counts; more is cut. */
#define REPEAT_TEXT 160

/* How many different lines of one network are written in a minute. */
#define REPEATS_OF_ONE 20

/* A line that stands for TIMES others; empty texts are what they did not have in common. */
struct repeated {
	enum audit_kind kind;
	long long actor_id, times;
	char actor[REPEAT_TEXT], subject[REPEAT_TEXT], address[NETWORK_TEXT];
};

struct repeats;

struct repeats *repeats_open(int64_t window_us);
void repeats_close(struct repeats **);

/* True: the line is to be written now.  False: it has been counted.  NOW is a clock_now. */
bool repeats_admit(struct repeats *, const struct audit_line *, const char *address, int64_t now);

/* Whether there is a count to be written; costs a load of an integer. */
bool repeats_are_due(const struct repeats *, int64_t now);

/* Takes one such count out, or any with ALL, before the process ends.  False: no more. */
bool repeats_take(struct repeats *, int64_t now, bool all, struct repeated *) MUST_CHECK;

#endif
