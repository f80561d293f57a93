/* cgroup_home.c - where our own cgroup is, and whether we may make others below it. */
#include "supervisor/system/cgroup_home.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/text.h"

/* Our own path in the hierarchy of version 2: "0::/path" in /proc/self/cgroup, cgroups(7). */
static bool find_own(char path[static CGROUP_PATH])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[CGROUP_PATH];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
		found = text_starts(line, "0::/");
		line[strcspn(line, "\n")] = '\0';
		if (found)
			strcpy(path, line + strlen("0::"));
	}
	if (file != NULL)
		fclose(file);
	return found;
}

/* Where a mount shows OWN.  Its line of mountinfo, proc(5): "… root place options - type source" */
static bool shows(const char *line, const char *own, char path[static CGROUP_PATH])
{
	char root[CGROUP_PATH], place[CGROUP_PATH];
	size_t length;

	if (strstr(line, " - cgroup2 ") == NULL || strchr(line, '\\') != NULL ||
	    sscanf(line, "%*d %*d %*s %4095s %4095s", root, place) != 2)
		return false;
	length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(own, root, length) != 0 || (own[length] != '/' && own[length] != '\0'))
		return false;
	own += length;
	if (strcmp(own, "/") == 0)
		own = "";
	return snprintf(path, CGROUP_PATH, "%s%s", place, own) < CGROUP_PATH;
}

bool cgroup_home(char path[static CGROUP_PATH])
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char own[CGROUP_PATH], line[2 * CGROUP_PATH];
	bool known = find_own(own), found = false;

	while (known && file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = shows(line, own, path);
	if (file != NULL)
		fclose(file);
	return found;
}

static bool has_mark(const char *path, const char *name)
{
	char value[2];

	return getxattr(path, name, value, sizeof(value)) == 1 && value[0] == '1';
}

/* systemd marks what it has given away; what does not look like a unit of its is nobody's. */
bool cgroup_home_is_taken(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot == NULL || (strcmp(dot, ".service") != 0 && strcmp(dot, ".scope") != 0 &&
			       strcmp(dot, ".slice") != 0))
		return false;
	return !has_mark(path, "trusted.delegate") && !has_mark(path, "user.delegate");
}
