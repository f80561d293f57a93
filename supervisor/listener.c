/* listener.c - a listening socket and its place in the file system. */
#include "supervisor/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/descriptor.h"
#include "supervisor/lockfile.h"

struct listener {
	struct arena *arena;
	struct address address;
	int fd;
	int lock; /* of a unix socket's path, against a second master; else -1 */
	const char *lock_path;
	const char *temporary; /* until it is published */
	dev_t device;          /* of the published name: is it still ours? */
	ino_t inode;
};

static const char *failed(struct listener *l, const char *what)
{
	return arena_print(l->arena, "cannot %s %s: %s", what, l->address.text, strerror(errno));
}

/*
 * As long as the public path, so that it fits whenever that does: the last
 * byte differs.
 */
static const char *temporary_name(struct arena *arena, const char *path)
{
	size_t length = strlen(path);
	char *name = arena_copy(arena, path, length);

	name[length - 1] = name[length - 1] == '~' ? '+' : '~';
	return name;
}

static bool is_socket(const char *path)
{
	struct stat about;

	return lstat(path, &about) == 0 && S_ISSOCK(about.st_mode);
}

/* Says whether somebody listens at the path: connect(2) is refused only where nobody does. */
static const char *find_live_owner(struct listener *l)
{
	struct stat about;
	int probe;
	int error = 0;

	if (lstat(l->address.path, &about) < 0)
		return errno == ENOENT ? NULL : failed(l, "look at");
	if (!S_ISSOCK(about.st_mode))
		return arena_print(l->arena, "%s exists and is not a socket", l->address.path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return failed(l, "make a socket for");
	if (connect(probe, (struct sockaddr *)&l->address.socket, l->address.length) < 0)
		error = errno;
	close(probe);
	if (error == ECONNREFUSED || error == ENOENT)
		return NULL;
	return arena_print(l->arena, "%s: another process listens there", l->address.path);
}

static const char *lock_path_of(struct listener *l)
{
	l->lock_path = arena_print(l->arena, "%s.lock", l->address.path);
	l->lock = lockfile_take(l->lock_path, 0600);
	if (l->lock >= 0)
		return NULL;
	if (errno == EWOULDBLOCK)
		return arena_print(l->arena, "%s: another ostlerd has it", l->address.path);
	return arena_print(l->arena, "cannot lock %s: %s", l->lock_path, strerror(errno));
}

/* Permissions are set before the name is public: there is no moment with wrong ones. */
static const char *bind_unix(struct listener *l, const struct listener_rights *rights)
{
	struct address place;
	mode_t old_mask;
	int bound;

	l->temporary = temporary_name(l->arena, l->address.path);
	address_of_path(l->temporary, &place);
	if (is_socket(l->temporary))
		unlink(l->temporary); /* of a master that died at this very point */
	old_mask = umask(0177);
	bound = bind(l->fd, (struct sockaddr *)&place.socket, place.length);
	umask(old_mask);
	if (bound < 0) {
		l->temporary = NULL;
		return failed(l, "bind");
	}
	if ((rights->uid != geteuid() || rights->gid != getegid()) &&
	    lchown(l->temporary, rights->uid, rights->gid) < 0)
		return failed(l, "set the owner of");
	if (chmod(l->temporary, rights->mode) < 0)
		return failed(l, "set the permissions of");
	return NULL;
}

static const char *bind_tcp(struct listener *l)
{
	static const int on = 1;

	if (setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return failed(l, "set up");
	/* Said explicitly: what "[::]" takes must not depend on a sysctl. */
	if (l->address.socket.ss_family == AF_INET6 &&
	    setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return failed(l, "set up");
	if (bind(l->fd, (struct sockaddr *)&l->address.socket, l->address.length) < 0)
		return failed(l, "bind");
	return NULL;
}

static const char *make_socket(struct listener *l)
{
	l->fd = descriptor_raise(
	    socket(l->address.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	return l->fd < 0 ? failed(l, "make a socket for") : NULL;
}

static const char *set_up(struct listener *l, const struct listener_rights *rights, int backlog)
{
	const char *wrong = NULL;

	if (l->address.path != NULL) {
		wrong = lock_path_of(l);
		if (wrong == NULL)
			wrong = find_live_owner(l);
	}
	if (wrong == NULL)
		wrong = make_socket(l);
	if (wrong == NULL)
		wrong = l->address.path != NULL ? bind_unix(l, rights) : bind_tcp(l);
	if (wrong == NULL && listen(l->fd, backlog) < 0)
		wrong = failed(l, "listen at");
	return wrong;
}

struct listener *listener_open(struct arena *arena, const struct address *address,
    const struct listener_rights *rights, int backlog, const char **wrong)
{
	struct listener *l = arena_alloc(arena, sizeof(*l));

	*l = (struct listener){ .arena = arena, .address = *address, .fd = -1, .lock = -1 };
	*wrong = set_up(l, rights, backlog);
	if (*wrong != NULL)
		listener_close(&l);
	return l;
}

bool listener_publish(struct listener *l, const char **wrong)
{
	struct stat about;

	*wrong = NULL;
	if (l->temporary == NULL)
		return true;
	if (lstat(l->temporary, &about) < 0 || rename(l->temporary, l->address.path) < 0) {
		*wrong = failed(l, "publish");
		return false;
	}
	l->temporary = NULL;
	l->device = about.st_dev;
	l->inode = about.st_ino;
	return true;
}

int listener_fd(const struct listener *l)
{
	return l->fd;
}

static void remove_public_name(const struct listener *l)
{
	struct stat about;

	if (l->inode != 0 && lstat(l->address.path, &about) == 0 && about.st_ino == l->inode &&
	    about.st_dev == l->device)
		unlink(l->address.path);
}

void listener_close(struct listener **listener)
{
	struct listener *l = *listener;

	if (l == NULL)
		return;
	if (l->temporary != NULL)
		unlink(l->temporary);
	remove_public_name(l);
	if (l->fd >= 0)
		close(l->fd);
	lockfile_drop(l->lock_path, &l->lock);
	*listener = NULL;
}

long listener_backlog_limit(void)
{
	FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");
	long limit;

	if (file == NULL)
		return -1;
	if (fscanf(file, "%ld", &limit) != 1)
		limit = -1;
	fclose(file);
	return limit;
}
