/*
 * in_force.c - what a process is and may do, as the kernel says: proc(5).
 *
 * /proc/PID/status, limits and stat may be read by everybody, whoever the
 * process belongs to; the working directory only by those who may trace it.
 */
#include "supervisor/system/in_force.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/system/proc.h"

#define STATUS_ROOM 16384

/* What stands behind "NAME:" at the beginning of a line; "" where the kernel has no such line. */
static const char *field(const char *status, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = status; line != NULL; line = strchr(line, '\n')) {
		line += line != status;
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1 + strspn(line + length + 1, "\t ");
	}
	return "";
}

static void read_ids(const char *text, unsigned ids[static ID_KINDS])
{
	if (sscanf(text, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) != ID_KINDS)
		memset(ids, 0xff, ID_KINDS * sizeof(*ids)); /* (uid_t)-1 is nobody's */
}

static void read_groups(const char *text, struct in_force *found)
{
	char *end;

	while (found->groups < IN_FORCE_GROUPS && *text != '\n' && *text != '\0') {
		found->group[found->groups] = (gid_t)strtoul(text, &end, 10);
		if (end == text)
			return;
		found->groups++;
		text = end + strspn(end, " \t");
	}
}

static void copy_line(char *to, size_t room, const char *text)
{
	snprintf(to, room, "%.*s", (int)strcspn(text, "\n"), text);
}

static void read_status(const char *status, struct in_force *found)
{
	read_ids(field(status, "Uid"), found->uid);
	read_ids(field(status, "Gid"), found->gid);
	read_groups(field(status, "Groups"), found);
	found->umask = (unsigned)strtoul(field(status, "Umask"), NULL, 8);
	found->no_new_privileges = field(status, "NoNewPrivs")[0] == '1';
	found->seccomp = atoi(field(status, "Seccomp"));
	found->bounding = strtoull(field(status, "CapBnd"), NULL, 16);
	found->permitted = strtoull(field(status, "CapPrm"), NULL, 16);
	found->effective = strtoull(field(status, "CapEff"), NULL, 16);
	found->inheritable = strtoull(field(status, "CapInh"), NULL, 16);
	found->ambient = strtoull(field(status, "CapAmb"), NULL, 16);
	copy_line(found->processors, sizeof(found->processors), field(status, "Cpus_allowed_list"));
}

/* The name of a program may have blanks and brackets in it: what counts is behind the last one. */
static int read_niceness(const char *stat)
{
	const char *rest = strrchr(stat, ')');

	for (int number = 2; rest != NULL && number < 19; number++) {
		rest = strchr(rest, ' ');
		rest += rest != NULL;
	}
	return rest != NULL ? atoi(rest) : 0;
}

static void read_limits(const char *text, struct in_force *found)
{
	for (size_t i = 0; i < IN_FORCE_LIMITS; i++)
		found->limits += limit_read(text, i, &found->limit[found->limits]);
}

static void read_directory(pid_t pid, struct in_force *found)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	length = readlink(path, found->directory, sizeof(found->directory) - 1);
	found->directory[length > 0 ? length : 0] = '\0';
}

bool in_force_read(pid_t pid, struct in_force *found)
{
	char text[STATUS_ROOM];

	*found = (struct in_force){ .groups = 0 };
	if (!proc_read(pid, "status", text, sizeof(text)))
		return false;
	read_status(text, found);
	if (proc_read(pid, "limits", text, sizeof(text)))
		read_limits(text, found);
	if (proc_read(pid, "stat", text, sizeof(text)))
		found->niceness = read_niceness(text);
	if (proc_read(pid, "oom_score_adj", text, sizeof(text)))
		found->oom_score_adjust = atoi(text);
	if (proc_read(pid, "cgroup", text, sizeof(text)))
		copy_line(found->cgroup, sizeof(found->cgroup), field(text, "0:"));
	read_directory(pid, found);
	return true;
}
