/*
 * clients.c - which of a process's sockets lead to clients of its pool.
 *
 * The lists of all sockets in /proc/net would tell, too, but on a busy machine
 * they have tens of thousands of lines, and the kernel takes a tenth of a second
 * to write one.  A copy of a descriptor costs a microsecond: pidfd_getfd(2).
 */
#include "supervisor/system/clients.h"

#include <dirent.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "supervisor/system/descriptor.h"

struct search {
	pid_t pid;
	int process;                  /* pidfd */
	struct sockaddr_storage name; /* of the listener */
	ino_t listener;
	struct clients *clients;
	bool blind; /* the kernel does not let us see */
};

static bool has_name(int fd, const struct sockaddr_storage *wanted)
{
	struct sockaddr_storage name = { 0 };
	socklen_t length = sizeof(name) - 1;

	if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		return false;
	if (wanted->ss_family == AF_UNIX)
		return name.ss_family == AF_UNIX &&
		       strcmp(((const struct sockaddr_un *)&name)->sun_path,
			   ((const struct sockaddr_un *)wanted)->sun_path) == 0;
	/* A listener of IPv6 may take IPv4, too: the port stands at the same place in both. */
	return (name.ss_family == AF_INET || name.ss_family == AF_INET6) &&
	       ((const struct sockaddr_in *)&name)->sin_port ==
		   ((const struct sockaddr_in *)wanted)->sin_port;
}

/* Whoever reads them and by which call: the kernel has them of TCP, and of nothing else. */
static void count_bytes(int fd, struct client *client)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	client->counted = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
			  size >= offsetof(struct tcp_info, tcpi_bytes_sent) +
				      sizeof(info.tcpi_bytes_sent);
	client->received = info.tcpi_bytes_received;
	client->sent = info.tcpi_bytes_sent;
}

/* The copy is ours for a moment only: a connection that the process closes now ends a bit later. */
static void look_at_socket(struct search *search, int number)
{
	int fd = pidfd_getfd(search->process, number, 0);
	struct stat about;

	if (fd < 0) {
		search->blind = search->blind || errno == EPERM;
		return;
	}
	if (search->clients->count < CLIENTS_MOST && fstat(fd, &about) == 0 &&
	    about.st_ino != search->listener && !descriptor_listens(fd) &&
	    has_name(fd, &search->name)) {
		struct client *client = &search->clients->client[search->clients->count++];

		*client = (struct client){ .fd = number, .inode = about.st_ino };
		if (search->name.ss_family != AF_UNIX)
			count_bytes(fd, client);
	}
	close(fd);
}

static bool is_socket(pid_t pid, const char *number)
{
	char path[300], link[16];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, number);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return false;
	link[length] = '\0';
	return text_starts(link, "socket:[");
}

static bool look_at_all(struct search *search)
{
	const struct dirent *entry;
	char path[32];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)search->pid);
	folder = opendir(path);
	if (folder == NULL)
		return false;
	while (!search->blind && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.' && is_socket(search->pid, entry->d_name))
			look_at_socket(search, atoi(entry->d_name));
	closedir(folder);
	return !search->blind;
}

bool clients_find(pid_t pid, int listener, struct clients *clients)
{
	struct search search = { .pid = pid, .clients = clients };
	socklen_t length = sizeof(search.name) - 1;
	struct stat about;
	bool seen;

	clients->count = 0;
	if (fstat(listener, &about) < 0 ||
	    getsockname(listener, (struct sockaddr *)&search.name, &length) < 0)
		return false;
	search.listener = about.st_ino;
	search.process = pidfd_open(pid, 0);
	if (search.process < 0)
		return false;
	seen = look_at_all(&search);
	close(search.process);
	return seen;
}

bool clients_find_again(pid_t pid, const struct client *known, struct clients *clients)
{
	int process = pidfd_open(pid, 0);
	int fd = process >= 0 ? pidfd_getfd(process, known->fd, 0) : -1;
	struct stat about;

	clients->count = 0;
	if (fd >= 0 && fstat(fd, &about) == 0 && about.st_ino == known->inode) {
		clients->client[clients->count++] = *known;
		if (known->counted)
			count_bytes(fd, &clients->client[0]);
	}
	if (fd >= 0)
		close(fd);
	if (process >= 0)
		close(process);
	return clients->count > 0;
}

bool clients_have(const struct clients *clients, int fd)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->client[i].fd == fd)
			return true;
	return false;
}
