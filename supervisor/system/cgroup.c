/* cgroup.c - a control group for each process, so that none of its children gets away. */
#include "supervisor/system/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/system/cgroup_home.h"
#include "supervisor/upgrade/state.h"

struct cgroup {
	struct cgroup *next; /* among those that could not be removed yet */
	struct cgroups *all;
	char *path;
};

struct cgroups {
	const char *path;
	unsigned long made; /* the number of the last one: no two have one name */
	struct cgroup *left;
};

/* --- files of a cgroup ------------------------------------------------------------------------ */

static int open_file(const char *path, const char *name, int flags)
{
	char file[CGROUP_PATH + 32];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	return open(file, flags | O_CLOEXEC);
}

static bool kill_all_in(const char *path)
{
	int fd = open_file(path, "cgroup.kill", O_WRONLY);
	bool done = fd >= 0 && write(fd, "1", 1) == 1;

	if (fd >= 0)
		close(fd);
	return done;
}

static int remove_folder(const char *path, const struct stat *about, int kind, struct FTW *where)
{
	(void)about;
	(void)where;
	if (kind == FTW_DP)
		rmdir(path); /* EBUSY: somebody is still dying in it */
	return 0;
}

/* With those that a worker may have made in it; the files of a cgroup go with it. */
static bool remove_all(const char *path)
{
	if (rmdir(path) == 0)
		return true;
	if (errno == EBUSY)
		nftw(path, remove_folder, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return access(path, F_OK) < 0;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct cgroups *cgroups_open(struct arena *arena, bool insist, const char **wrong)
{
	char folder[CGROUP_PATH];
	struct cgroups *cgroups = arena_alloc(arena, sizeof(*cgroups));
	char *path;
	int fd;

	*wrong = "version 2 of cgroups is not mounted, or not where ostlerd is";
	if (!cgroup_home(folder))
		return NULL;
	*wrong = arena_print(arena, "%s is not delegated (systemd: Delegate=yes)", folder);
	if (!insist && cgroup_home_is_taken(folder))
		return NULL;
	*wrong = arena_print(arena, "%s may not be changed by this user", folder);
	if (faccessat(AT_FDCWD, arena_print(arena, "%s/cgroup.procs", folder), W_OK, AT_EACCESS) <
	    0)
		return NULL;
	path = arena_alloc(arena, strlen(folder) + sizeof("/ostlerd-XXXXXX"));
	strcpy(path, folder);
	strcat(path, "/ostlerd-XXXXXX");
	if (mkdtemp(path) == NULL || chmod(path, 0755) < 0) {
		*wrong = arena_print(arena, "cannot make one in %s: %s", folder, strerror(errno));
		return NULL;
	}
	cgroups->path = path;
	fd = open_file(path, "cgroup.kill", O_WRONLY);
	if (fd >= 0) {
		close(fd);
		return cgroups;
	}
	*wrong = arena_print(arena, "%s has no cgroup.kill (Linux 5.14)", path);
	rmdir(path);
	return NULL;
}

const char *cgroups_path(const struct cgroups *cgroups)
{
	return cgroups->path;
}

static void forget(struct cgroup *cgroup)
{
	free(cgroup->path);
	free(cgroup);
}

void cgroups_tidy(struct cgroups *cgroups)
{
	struct cgroup **link = cgroups != NULL ? &cgroups->left : NULL;

	while (link != NULL && *link != NULL) {
		struct cgroup *cgroup = *link;

		if (!remove_all(cgroup->path)) {
			link = &cgroup->next;
			continue;
		}
		*link = cgroup->next;
		forget(cgroup);
	}
}

void cgroups_close(struct cgroups **cgroups)
{
	struct cgroup *next;

	if (*cgroups == NULL)
		return;
	remove_all((*cgroups)->path);
	for (struct cgroup *cgroup = (*cgroups)->left; cgroup != NULL; cgroup = next) {
		next = cgroup->next;
		forget(cgroup);
	}
	*cgroups = NULL;
}

bool cgroups_any_is_left(const struct cgroups *cgroups)
{
	char text[256];
	ssize_t got;
	int fd = cgroups != NULL ? open_file(cgroups->path, "cgroup.events", O_RDONLY) : -1;

	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return strstr(text, "populated 1") != NULL;
}

void cgroups_kill_all(const struct cgroups *cgroups)
{
	const struct timespec moment = { .tv_nsec = 10 * 1000 * 1000 };

	if (cgroups == NULL)
		return;
	kill_all_in(cgroups->path);
	/* Who sleeps in the kernel dies when he wakes; for ever is too long to wait for a folder.
	 */
	for (int i = 0; i < 200 && !remove_all(cgroups->path); i++)
		nanosleep(&moment, NULL);
}

/* --- one -------------------------------------------------------------------------------------- */

struct cgroup *cgroup_make(struct cgroups *cgroups, const char *name)
{
	struct cgroup *cgroup;
	char path[CGROUP_PATH];

	if (cgroups == NULL)
		return NULL;
	if (snprintf(path, sizeof(path), "%s/%s-%lu", cgroups->path, name, ++cgroups->made) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	cgroup = calloc(1, sizeof(*cgroup));
	if (cgroup == NULL)
		return NULL;
	cgroup->all = cgroups;
	cgroup->path = strdup(path);
	if (cgroup->path != NULL && mkdir(path, 0755) == 0)
		return cgroup;
	forget(cgroup);
	return NULL;
}

/* Where a filter of system calls, as containers have one, does not know clone3(2). */
static void enter(int folder)
{
	int fd = openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(127);
	close(fd);
}

/*
 * The system call itself, for libc's fork knows nothing of cgroups.  What libc does
 * besides is for threads and for locks; we have none of the former, and the child
 * calls nothing that takes the latter.  Moving a child afterwards would make the
 * whole machine's forks wait for milliseconds.
 */
pid_t cgroup_fork(const struct cgroup *cgroup)
{
	struct clone_args how = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int folder = cgroup != NULL ? open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	pid_t pid;
	int error;

	if (folder < 0)
		return fork();
	how.cgroup = (unsigned)folder;
	pid = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
	if (pid < 0 && errno == ENOSYS) {
		pid = fork();
		if (pid == 0)
			enter(folder);
	}
	if (pid == 0)
		return 0; /* the descriptor ends with exec */
	error = errno;
	close(folder);
	errno = error;
	return pid;
}

void cgroup_kill(const struct cgroup *cgroup)
{
	if (cgroup != NULL)
		kill_all_in(cgroup->path);
}

void cgroup_leave(struct cgroup **left)
{
	struct cgroup *cgroup = *left;

	*left = NULL;
	if (cgroup == NULL)
		return;
	cgroup->next = cgroup->all->left;
	cgroup->all->left = cgroup;
	cgroups_tidy(cgroup->all);
}

/* --- from one master to the next -------------------------------------------------------------- */

#define LEFT_MOST 65536

/* A path is opened and removed: it must be one that we have made. */
static bool is_ours(const struct cgroups *cgroups, const char *path)
{
	size_t length = strlen(cgroups->path);

	return path != NULL && strlen(path) < CGROUP_PATH &&
	       strncmp(path, cgroups->path, length) == 0 && path[length] == '/' &&
	       strstr(path + length, "/.") == NULL;
}

struct cgroup *cgroup_pass(struct state *state, struct cgroups *cgroups, struct cgroup *cgroup)
{
	struct arena *arena = arena_new(4096);
	const char *path = state_text(state, arena, "cgroup", cgroup != NULL ? cgroup->path : NULL);

	if (state_is_read(state) && path != NULL) {
		if (cgroups == NULL || !is_ours(cgroups, path))
			state_fail(state, "%s is no cgroup of ours", path);
		cgroup = calloc(1, sizeof(*cgroup));
		if (cgroup == NULL || (cgroup->path = strdup(path)) == NULL)
			die("out of memory for a cgroup");
		cgroup->all = cgroups;
	}
	arena_free(&arena);
	return cgroup;
}

struct cgroups *cgroups_pass(struct state *state, struct arena *arena, struct cgroups *cgroups)
{
	const char *path = state_text(
	    state, arena, "cgroups", cgroups != NULL ? cgroups->path : NULL);
	struct cgroup **link;
	size_t count = 0;

	if (path == NULL)
		return NULL;
	if (state_is_read(state)) {
		cgroups = arena_alloc(arena, sizeof(*cgroups));
		cgroups->path = path;
	}
	if (path[0] != '/' || strlen(path) >= CGROUP_PATH)
		state_fail(state, "%s is no folder of cgroups", path);
	cgroups->made = (unsigned long)state_number(
	    state, "made", (long long)cgroups->made, 0, LONG_MAX);
	link = &cgroups->left;
	for (const struct cgroup *left = cgroups->left; left != NULL; left = left->next)
		count++;
	count = state_count(state, "left", count, LEFT_MOST);
	for (; count > 0 && state_wrong(state) == NULL; count--) {
		*link = cgroup_pass(state, cgroups, *link);
		if (*link == NULL)
			state_fail(state, "a cgroup has no path");
		else
			link = &(*link)->next;
	}
	return cgroups;
}
