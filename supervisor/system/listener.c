/* listener.c - a listening socket and its place in the file system. */
#include "supervisor/system/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/system/place.h"
#include "supervisor/upgrade/state.h"

struct listener {
	struct arena *arena;  /* its own */
	struct arena *speech; /* for what is wrong, while a caller waits for it */
	unsigned holders;
	struct address address;
	int fd;
	struct place *place;   /* of a unix socket that is ours */
	const char *temporary; /* until it is published */
	bool inherited, shut, public;
	dev_t device; /* of its name: is that still ours?  0: it has none */
	ino_t inode;
};

static const char *failed(struct listener *l, const char *what)
{
	return arena_print(l->speech, "cannot %s %s: %s", what, l->address.text, strerror(errno));
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
		return arena_print(l->speech, "%s exists and is not a socket", l->address.path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return failed(l, "make a socket for");
	if (connect(probe, (struct sockaddr *)&l->address.socket, l->address.length) < 0)
		error = errno;
	close(probe);
	if (error == ECONNREFUSED || error == ENOENT)
		return NULL;
	return arena_print(l->speech,
	    "%s: another process listens there; end it, or choose another path", l->address.path);
}

/* From a generation of ours the place is had without asking: its socket is alive, of course. */
static const char *take_place(struct listener *l, const struct listener *beside)
{
	const char *wrong;

	if (beside != NULL && beside->place != NULL) {
		l->place = place_hold(beside->place);
		return NULL;
	}
	l->place = place_take(l->speech, l->address.path, &wrong);
	return wrong != NULL ? wrong : find_live_owner(l);
}

static bool remember_file(struct listener *l)
{
	struct stat about;

	if (lstat(l->temporary, &about) < 0)
		return false;
	l->device = about.st_dev;
	l->inode = about.st_ino;
	return true;
}

/* Permissions are set before the name is public: there is no moment with wrong ones. */
static const char *bind_unix(struct listener *l, const struct listener_rights *rights)
{
	struct address place;
	mode_t old_mask;
	int bound;

	l->temporary = temporary_name(l->arena, l->address.path);
	address_of_path(l->temporary, &place);
	/* Of a master that died at this very point, or of a generation that failed and still ends.
	 */
	if (is_socket(l->temporary))
		unlink(l->temporary);
	old_mask = umask(0177);
	bound = bind(l->fd, (struct sockaddr *)&place.socket, place.length);
	umask(old_mask);
	if (bound < 0) {
		l->temporary = NULL;
		return failed(l, "bind");
	}
	if (!remember_file(l))
		return failed(l, "look at");
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

static const char *set_up(struct listener *l, const struct listener_wish *wish)
{
	const char *wrong = NULL;

	if (l->address.path != NULL)
		wrong = take_place(l, wish->beside);
	if (wrong == NULL)
		wrong = make_socket(l);
	if (wrong == NULL)
		wrong = l->address.path != NULL ? bind_unix(l, wish->rights) : bind_tcp(l);
	if (wrong == NULL && listen(l->fd, wish->backlog) < 0)
		wrong = failed(l, "listen at");
	return wrong;
}

/* The address with its texts in the listener's own arena, for the configuration may go. */
static struct listener *make(int fd, const struct address *address)
{
	struct arena *arena = arena_new(512);
	struct listener *l = arena_alloc(arena, sizeof(*l));

	*l = (struct listener){ .arena = arena, .holders = 1, .address = *address, .fd = fd };
	l->address.text = arena_copy(arena, address->text, strlen(address->text));
	if (address->path != NULL)
		l->address.path = arena_copy(arena, address->path, strlen(address->path));
	return l;
}

static struct listener *share(struct listener *l, int backlog)
{
	l->holders++;
	if (!l->inherited)
		listen(l->fd, backlog); /* a second listen(2) only changes the backlog */
	return l;
}

struct listener *listener_open(
    struct arena *arena, const struct listener_wish *wish, const char **wrong)
{
	struct listener *beside = wish->beside;
	struct listener *l;

	*wrong = NULL;
	if (beside != NULL && (beside->inherited || beside->address.path == NULL))
		return share(beside, wish->backlog);
	l = make(-1, wish->address);
	l->speech = arena;
	*wrong = set_up(l, wish);
	if (*wrong != NULL)
		listener_close(&l);
	return l;
}

struct listener *listener_adopt(int fd, const struct address *address)
{
	struct listener *l = make(fd, address);

	l->inherited = true;
	l->public = true;
	return l;
}

bool listener_publish(struct arena *arena, struct listener *l, const char **wrong)
{
	*wrong = NULL;
	l->speech = arena;
	l->public = true;
	if (l->temporary == NULL)
		return true;
	if (rename(l->temporary, l->address.path) < 0) {
		*wrong = failed(l, "publish");
		return false;
	}
	l->temporary = NULL;
	return true;
}

int listener_fd(const struct listener *l)
{
	return l->fd;
}

bool listener_is_public(const struct listener *l)
{
	return l->public;
}

bool listener_is_shared(const struct listener *l)
{
	return l->holders > 1;
}

bool listener_is_inherited(const struct listener *l)
{
	return l->inherited;
}

bool listener_is_shut(const struct listener *l)
{
	return l->shut;
}

const struct address *listener_address(const struct listener *l)
{
	return &l->address;
}

const char *listener_path(const struct listener *l)
{
	return l->temporary != NULL ? l->temporary : l->address.path;
}

/* Readable means that accept(2) would have something: of a socket that listens, its queue. */
bool listener_has_waiting(const struct listener *l)
{
	struct pollfd queue = { .fd = l->fd, .events = POLLIN };

	return !l->shut && poll(&queue, 1, 0) > 0 && (queue.revents & POLLIN) != 0;
}

void listener_withdraw(struct listener *l)
{
	const char *path = listener_path(l);
	struct stat about;

	if (l->inode != 0 && lstat(path, &about) == 0 && about.st_ino == l->inode &&
	    about.st_dev == l->device)
		unlink(path);
	l->temporary = NULL;
	l->inode = 0;
}

void listener_shut(struct listener *l)
{
	if (l->inherited || l->holders > 1)
		bug("%s is shut down though others have it", l->address.text);
	shutdown(l->fd, SHUT_RDWR);
	l->shut = true;
}

void listener_close(struct listener **listener)
{
	struct listener *l = *listener;
	struct arena *arena;

	*listener = NULL;
	if (l == NULL || --l->holders > 0)
		return;
	if (!l->inherited)
		listener_withdraw(l);
	if (l->fd >= 0)
		close(l->fd);
	place_leave(&l->place);
	arena = l->arena; /* holds the listener itself */
	arena_free(&arena);
}

struct listener *listener_hold(struct listener *l)
{
	l->holders++;
	return l;
}

bool listener_is_held(const struct listener *l)
{
	return l->holders > 0;
}

static const struct state_field fields[] = {
	{ STATE_FIELD(struct listener, inherited) },
	{ STATE_FIELD(struct listener, shut) },
	{ STATE_FIELD(struct listener, public) },
	{ STATE_FIELD(struct listener, device) },
	{ STATE_FIELD(struct listener, inode) },
	{ 0 },
};

static bool has_place(const struct listener *l)
{
	return l->place != NULL;
}

/* The first of the list that has the same place: itself, when it is the first. */
static size_t first_at_place(struct listener *const *list, size_t index)
{
	size_t first = 0;

	while (list[first]->place != list[index]->place)
		first++;
	return first;
}

static void pass_place(struct state *state, struct listener **list, size_t index)
{
	struct listener *l = list[index];
	size_t first = state_is_read(state) ? 0 : first_at_place(list, index);

	first = (size_t)state_number(state, "place of", (long long)first, 0, (long long)index);
	if (first == index)
		l->place = place_pass(state, l->place);
	else if (state_is_read(state) && list[first]->place != NULL)
		l->place = place_hold(list[first]->place);
}

void listener_pass(struct state *state, struct listener **list, size_t index)
{
	struct address address = { .length = 0 };
	struct listener *l = list[index];

	if (!state_is_read(state))
		address = l->address;
	else
		l = list[index] = make(-1, &(struct address){ .text = "" });
	address_pass(state, l->arena, &address);
	l->address = address;
	l->fd = state_descriptor(state, "socket", l->fd);
	l->temporary = state_text(state, l->arena, "temporary", l->temporary);
	state_fields(state, fields, l);
	if (state_flag(state, "has place", has_place(l)))
		pass_place(state, list, index);
	if (!state_is_read(state))
		return;
	l->holders = 0;
	if (l->fd < 0 || (!l->shut && !descriptor_listens(l->fd)))
		state_fail(
		    state, "%s: the socket that was handed over does not listen", l->address.text);
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
