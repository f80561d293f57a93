/* client.h - private to control.c and client.c: one who asks over the control socket. */
#ifndef SUPERVISOR_CONTROL_CLIENT_H
#define SUPERVISOR_CONTROL_CLIENT_H

#include "supervisor/control/verbs.h"
#include "supervisor/control/wire.h"

struct state;

/* A place for one. */
struct client {
	struct watch watch; /* fd -1: the place is free */
	struct control *control;
	struct loop *loop;
	struct pools *pools;
	bool may_ask;
	int64_t since, deadline;
	char request[WIRE_REQUEST_MOST];
	size_t received;
	bool talking; /* the request was whole */
	struct conversation talk;
	char *answer; /* what is being sent; NULL: nothing now */
	size_t length, sent;
};

/* Whether there may be one more whose answers go on; of control.c. */
bool control_has_room(const struct control *);

/* Makes the place that of the one who is connected at FD. */
void client_begin(struct client *, int fd);
void client_dismiss(struct client *);

/* Whether the client was told something, and may be told more. */
bool client_goes_on(struct client *);

/* Hands it over, or takes it from a master before us: upgrade/state.h. */
void client_pass(struct state *, struct client *);

#endif
