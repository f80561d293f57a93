/* roles.h - what ostler-app can be: one program, one role per process. */
#ifndef APP_ROLES_H
#define APP_ROLES_H

#include "config.h"

/* Each returns the exit status. */
int role_web(const struct config *);
int role_migrate(const struct config *);
int role_routes(const struct config *);
int role_openapi(const struct config *);
int role_settings(const struct config *);

#endif
