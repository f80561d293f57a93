/* role.c - the names of roles: each is one rung of the ladder that routes ask for. */
#include "core/identity/role.h"

#include <string.h>

#include "core/core.h"

const char *const role_names[] = { "viewer", "user", "manager", "admin", NULL };

static const char *const names[] = {
	[SIGNED_IN] = "viewer", [USER] = "user", [MANAGER] = "manager", [ADMIN] = "admin"
};

enum access role_from_name(const char *name)
{
	for (enum access role = ADMIN; role > ANYONE; role--)
		if (strcmp(names[role], name) == 0)
			return role;
	return ANYONE;
}

const char *role_name(enum access role)
{
	return names[role];
}
