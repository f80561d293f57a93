/* audit.h - writing the audit's lines behind what they tell of; private to core/ and the roles. */
#ifndef CORE_AUDIT_AUDIT_H
#define CORE_AUDIT_AUDIT_H

#include "core/journey/request.h"

/* Behind the last stage, before the answer is complete: writes what the request was refused for. */
void audit_settle(struct request *);

/* Writes what has been counted and is due, or ALL of it, before the process ends. */
void audit_write_counts(struct application *, struct arena *, bool all);

/* Forgets the refusals of an attempt that is made once more, up to those BEFORE it. */
void audit_forget(struct request *, struct audit_note *before);

#endif
