/* answer.h - the last stage, reply: what every answer has, whoever made it. */
#ifndef CORE_ANSWER_H
#define CORE_ANSWER_H

#include "core/journey/request.h"

/* Completes rq->response.head; turns a GET into a 304 when the client has the answer. */
void answer_complete(struct request *);

#endif
