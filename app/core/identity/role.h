/* role.h - the names of roles, as the table of users has them. */
#ifndef CORE_IDENTITY_ROLE_H
#define CORE_IDENTITY_ROLE_H

#include "core/route.h"

/* What somebody of the role NAME may at most; ANYONE: there is no such role. */
enum access role_from_name(const char *name);

/* "viewer", "user", "manager" or "admin"; NULL of ANYONE, which is no role. */
const char *role_name(enum access);

#endif
