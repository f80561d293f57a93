/*
 * journey.h - what happens to a request, stage by stage.
 *
 * The stages stand in one const table in journey.c: reading it is reading what
 * the server does.
 */
#ifndef CORE_JOURNEY_H
#define CORE_JOURNEY_H

#include "core/journey/request.h"

/* Takes a request through all stages; its response is complete afterwards. */
void journey_run(struct request *);

/* After the answer has left: logs it and frees what the request held. */
void journey_end(struct request *);

/*
 * The stages that are files of their own.  Each returns 0 to go on, or the
 * status of the answer that it has made.
 */
int stage_cross_site(struct request *); /* cross_site.c */
int stage_bind(struct request *);       /* inputs.c */
int stage_front(struct request *);      /* front.c */
int stage_condition(struct request *);  /* condition.c */
int stage_once(struct request *);       /* once.c */
int stage_validate(struct request *);   /* inputs.c */
int stage_handle(struct request *);     /* handle.c */

#endif
