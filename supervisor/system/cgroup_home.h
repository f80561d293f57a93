/* cgroup_home.h - where our own cgroup is, and whether we may make others below it. */
#ifndef SUPERVISOR_SYSTEM_CGROUP_HOME_H
#define SUPERVISOR_SYSTEM_CGROUP_HOME_H

#include <stdbool.h>

#define CGROUP_PATH 4096

/* The folder of our cgroup of version 2.  False: there is none, or it is not mounted where we are.
 */
bool cgroup_home(char path[static CGROUP_PATH]);

/*
 * Whether systemd manages it and has not given it away: who makes cgroups in such a
 * unit all the same may lose them (https://systemd.io/CGROUP_DELEGATION).
 */
bool cgroup_home_is_taken(const char *path);

#endif
