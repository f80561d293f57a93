/* in_force.h - what a process is and may do, as the kernel says: proc(5). */
#ifndef SUPERVISOR_SYSTEM_IN_FORCE_H
#define SUPERVISOR_SYSTEM_IN_FORCE_H

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/system/limit.h"

#define IN_FORCE_GROUPS 256 /* the most that are told */
#define IN_FORCE_LIMITS 32

/* Real, effective, saved and of the file system: credentials(7). */
enum { ID_REAL, ID_EFFECTIVE, ID_SAVED, ID_FILE_SYSTEM, ID_KINDS };

struct in_force {
	uid_t uid[ID_KINDS];
	gid_t gid[ID_KINDS];
	gid_t group[IN_FORCE_GROUPS];
	size_t groups;
	unsigned umask;
	bool no_new_privileges;
	int seccomp; /* 0: none, 1: strict, 2: a filter */
	uint64_t bounding, permitted, effective, inheritable, ambient; /* capability.h */
	int niceness, oom_score_adjust;
	char processors[256]; /* "0-3" */
	char cgroup[512];     /* of version 2; "": none is known */
	char directory[4096]; /* "": it may not be looked at */
	struct limit limit[IN_FORCE_LIMITS];
	size_t limits;
};

/* False with errno set: there is no such process. */
bool in_force_read(pid_t, struct in_force *) MUST_CHECK;

#endif
