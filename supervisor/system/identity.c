/* identity.c - which user and groups a process runs as. */
#include "supervisor/system/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
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

/* Those that were asked for, instead of the user's own.  Returns the name of one that is not, or
 * NULL. */
static const char *take_groups(struct arena *arena, const char *const *names, struct identity *who)
{
	size_t count = 0;

	while (names[count] != NULL)
		count++;
	who->groups = arena_alloc(arena, (count + 1) * sizeof(*who->groups));
	who->group_count = count;
	for (size_t i = 0; i < count; i++)
		if (!identity_find_group(names[i], &who->groups[i]))
			return names[i];
	who->differs = true; /* they are set even if they are our own */
	return NULL;
}

static void take_user(
    struct arena *arena, const struct passwd *entry, bool asked, struct identity *who)
{
	who->uid = entry->pw_uid;
	who->gid = asked ? entry->pw_gid : getegid();
	who->user = arena_copy(arena, entry->pw_name, strlen(entry->pw_name));
	who->home = arena_copy(arena, entry->pw_dir, strlen(entry->pw_dir));
}

static const char *refuse_another(struct arena *arena, const char *what)
{
	const struct passwd *me = getpwuid(geteuid());

	return arena_print(arena, "only root can run a pool as %s; you are %s", what,
	    me != NULL ? me->pw_name : "someone else");
}

const char *identity_find(struct arena *arena, const struct identity_wish *wish,
    struct identity *who, const char **blamed)
{
	const struct passwd *entry = wish->user != NULL ? user_entry(wish->user)
							: getpwuid(geteuid());
	const char *missing = NULL;

	*blamed = wish->user != NULL ? "user" : "group";
	*who = (struct identity){ .uid = geteuid(), .gid = getegid(), .user = "?", .home = "/" };
	if (entry == NULL && wish->user != NULL)
		return arena_print(arena, "there is no user \"%s\"", wish->user);
	if (entry != NULL)
		take_user(arena, entry, wish->user != NULL, who);
	if (wish->group != NULL && !identity_find_group(wish->group, &who->gid)) {
		*blamed = "group";
		return arena_print(arena, "there is no group \"%s\"", wish->group);
	}
	who->differs = who->uid != geteuid() || who->gid != getegid();
	if (who->differs && geteuid() != 0)
		return refuse_another(arena, who->uid != geteuid() ? wish->user : wish->group);
	if (wish->groups == NULL)
		find_groups(arena, who);
	else
		missing = take_groups(arena, wish->groups, who);
	if (wish->groups != NULL)
		*blamed = "groups";
	if (missing != NULL)
		return arena_print(arena, "there is no group \"%s\"", missing);
	if (wish->groups != NULL && geteuid() != 0)
		return refuse_another(arena, "a member of other groups");
	return NULL;
}

const char *identity_user_name(uid_t uid, char name[static IDENTITY_NAME])
{
	const struct passwd *entry = getpwuid(uid);

	if (entry != NULL)
		snprintf(name, IDENTITY_NAME, "%s", entry->pw_name);
	else
		snprintf(name, IDENTITY_NAME, "%u", uid);
	return name;
}

const char *identity_group_name(gid_t gid, char name[static IDENTITY_NAME])
{
	const struct group *entry = getgrgid(gid);

	if (entry != NULL)
		snprintf(name, IDENTITY_NAME, "%s", entry->gr_name);
	else
		snprintf(name, IDENTITY_NAME, "%u", gid);
	return name;
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
