/* identity.c - which user and groups a process runs as. */
#include "supervisor/system/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define GROUPS_MOST 1024

/* A number is looked up as such, so that a user without a name can be given too. */
static const struct passwd *user_entry(const char *name)
{
	const struct passwd *entry = getpwnam(name);
	long long number;

	if (entry == NULL && text_to_integer(name, &number) && number >= 0 && number < UINT32_MAX)
		entry = getpwuid((uid_t)number);
	return entry;
}

bool identity_find_user(const char *name, uid_t *uid)
{
	const struct passwd *entry = user_entry(name);

	if (entry != NULL)
		*uid = entry->pw_uid;
	return entry != NULL;
}

bool identity_find_group(const char *name, gid_t *gid)
{
	const struct group *entry = getgrnam(name);
	long long number;

	if (entry == NULL && text_to_integer(name, &number) && number >= 0 && number < UINT32_MAX)
		entry = getgrgid((gid_t)number);
	if (entry != NULL)
		*gid = entry->gr_gid;
	return entry != NULL;
}

static void find_groups(struct arena *arena, struct identity *who)
{
	gid_t groups[GROUPS_MOST];
	int count = GROUPS_MOST;

	if (getgrouplist(who->user, who->gid, groups, &count) < 0)
		count = GROUPS_MOST; /* the most that fit were written */
	who->groups = arena_alloc(arena, (size_t)count * sizeof(*groups));
	memcpy(who->groups, groups, (size_t)count * sizeof(*groups));
	who->group_count = (size_t)count;
}

const char *identity_find(
    struct arena *arena, const char *user, const char *group, struct identity *who)
{
	const struct passwd *entry = user != NULL ? user_entry(user) : getpwuid(geteuid());

	*who = (struct identity){ .uid = geteuid(), .gid = getegid(), .user = "?", .home = "/" };
	if (entry == NULL && user != NULL)
		return arena_print(arena, "there is no user \"%s\"", user);
	if (entry != NULL) {
		who->uid = entry->pw_uid;
		who->gid = user != NULL ? entry->pw_gid : getegid();
		who->user = arena_copy(arena, entry->pw_name, strlen(entry->pw_name));
		who->home = arena_copy(arena, entry->pw_dir, strlen(entry->pw_dir));
	}
	if (group != NULL && !identity_find_group(group, &who->gid))
		return arena_print(arena, "there is no group \"%s\"", group);
	who->differs = who->uid != geteuid() || who->gid != getegid();
	if (who->differs && geteuid() != 0)
		return arena_print(arena, "only root can run a pool as %s; you are %s",
		    who->uid != geteuid() ? user : group,
		    getpwuid(geteuid()) != NULL ? getpwuid(geteuid())->pw_name : "someone else");
	find_groups(arena, who);
	return NULL;
}

bool identity_take_on(const struct identity *who)
{
	if (!who->differs)
		return true;
	if (setgroups(who->group_count, who->groups) < 0 ||
	    setresgid(who->gid, who->gid, who->gid) < 0 ||
	    setresuid(who->uid, who->uid, who->uid) < 0)
		return false;
	if (who->uid != 0 && setuid(0) == 0) {
		errno = EPERM;
		return false;
	}
	return true;
}
