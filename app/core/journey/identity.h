/* identity.h - may they who ask, by the role in the route's line. */
#ifndef CORE_JOURNEY_IDENTITY_H
#define CORE_JOURNEY_IDENTITY_H

#include "core/journey/request.h"

/* Whether whoever asks, as far as that is known, has the role that the route takes. */
bool identity_may(const struct request *);

/* 401 when nobody has signed in, else 403. */
int identity_refuse(struct request *);

#endif
