/* landlock.c - which files a process may see and change, whoever it is: landlock(7). */
#include "supervisor/system/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later than the headers of Debian 12: by their numbers in the kernel's interface. */
#define TRUNCATE  (UINT64_C(1) << 14) /* version 3 */
#define IOCTL_DEV (UINT64_C(1) << 15) /* version 5 */

#define READING \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITING_FILE \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE | IOCTL_DEV)
#define WRITING                                                                       \
	(WRITING_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |            \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |              \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
/* New devices are for nobody. */
#define EVERYTHING \
	(READING | WRITING | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

/* All that can be asked of a path that is no folder. */
#define OF_A_FILE (WRITING_FILE | LANDLOCK_ACCESS_FS_EXECUTE)

int landlock_version(void)
{
	long version = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

/* What a kernel of that version can refuse; it refuses to be asked for more. */
static uint64_t known(int version)
{
	uint64_t rights = EVERYTHING;

	if (version < 2)
		rights &= ~(uint64_t)LANDLOCK_ACCESS_FS_REFER;
	if (version < 3)
		rights &= ~TRUNCATE;
	if (version < 5)
		rights &= ~IOCTL_DEV;
	return rights;
}

static bool allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	struct stat about;
	bool good;
	int error;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT;
	good = fstat(rule.parent_fd, &about) == 0;
	if (good && !S_ISDIR(about.st_mode))
		rule.allowed_access &= OF_A_FILE;
	good = good &&
	       syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	error = errno;
	close(rule.parent_fd);
	errno = error;
	return good;
}

static bool allow_all(int ruleset, const char *const *paths, uint64_t rights, const char **at)
{
	for (; *paths != NULL; paths++)
		if (!allow(ruleset, *paths, rights)) {
			*at = *paths;
			return false;
		}
	return true;
}

int landlock_open(const struct landlock_paths *paths, const char **at)
{
	static const char *const devices[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
		"/dev/urandom", NULL };
	static const char *const none[] = { NULL };
	uint64_t rights = known(landlock_version());
	struct landlock_ruleset_attr all = { .handled_access_fs = rights };
	int ruleset, error;

	*at = NULL;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return -1;
	if (allow_all(ruleset, devices, WRITING & rights, at) &&
	    allow_all(ruleset, paths->readable->word != NULL ? paths->readable->word : none,
		READING & rights, at) &&
	    allow_all(ruleset, paths->writable->word != NULL ? paths->writable->word : none,
		WRITING & rights, at))
		return ruleset;
	error = errno;
	close(ruleset);
	errno = error;
	return -1;
}

bool landlock_enter(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
}
