/* transact.h - a request's transaction: its statements happen together or not at all; private to
 * core/. */
#ifndef CORE_JOURNEY_TRANSACT_H
#define CORE_JOURNEY_TRANSACT_H

#include "core/journey/request.h"

/* From here on the request's statements are one transaction; nothing is sent yet. */
void transact_begin(struct request *);

/* For query_run: asks within the transaction. */
struct rows *transact_ask(struct request *, const struct statement *);

/* A statement that goes out with the next that is asked, or with the commit; see transaction_add.
 */
struct rows *transact_add(struct request *, const struct statement *);

/* Sends what was added, so that its rows are there. */
void transact_send(struct request *);

/* Ends the transaction, one way or the other.  A commit that fails is the request's failure. */
void transact_commit(struct request *);
void transact_roll_back(struct request *);

#endif
