/* readiness.c - how a worker is known to be ready, and a look whether it is. */
#include "supervisor/conf/readiness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

/* Words are parted by blanks, without quoting: no shell is involved. */
static struct words split_words(struct arena *arena, const char *text)
{
	char *copy = arena_copy(arena, text, strlen(text));
	const char **word = arena_alloc(arena, (strlen(text) / 2 + 2) * sizeof(*word));
	size_t count = 0;
	char *rest = copy;

	for (char *next = strtok_r(copy, " \t", &rest); next != NULL;
	     next = strtok_r(NULL, " \t", &rest))
		word[count++] = next;
	return (struct words){ .word = word, .count = count };
}

const char *readiness_parse(struct arena *arena, const char *text, struct readiness *ready)
{
	static const char *const simple[] = { "notify", "accept", NULL };
	const char *hint;

	*ready = (struct readiness){ .kind = READY_NOTIFY };
	if (strcmp(text, "notify") == 0)
		return NULL;
	if (strcmp(text, "accept") == 0) {
		ready->kind = READY_ACCEPT;
		return NULL;
	}
	if (text_starts(text, "exec:")) {
		ready->kind = READY_EXEC;
		ready->command = split_words(arena, text + strlen("exec:"));
		return ready->command.count > 0 ? NULL : "needs a command after \"exec:\"";
	}
	if (text_starts(text, "listen:")) {
		ready->kind = READY_LISTEN;
		return address_parse(text + strlen("listen:"), &ready->address);
	}
	hint = text_closest(text, simple);
	if (hint != NULL)
		return arena_print(arena, "cannot be \"%s\"; did you mean \"%s\"?", text, hint);
	return arena_print(
	    arena, "cannot be \"%s\": it is notify, accept, exec:COMMAND or listen:ADDRESS", text);
}

static enum look finish(int *fd, enum look answer)
{
	close(*fd);
	*fd = -1;
	return answer;
}

/* A connection that was under way at the last look. */
static enum look look_again(int *fd)
{
	struct pollfd waiting = { .fd = *fd, .events = POLLOUT };
	int error = 0;
	socklen_t size = sizeof(error);

	if (poll(&waiting, 1, 0) == 0)
		return LOOK_NO;
	if (getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0)
		return finish(fd, LOOK_NO);
	return finish(fd, LOOK_YES);
}

enum look readiness_somebody_listens(const struct address *address, int *fd)
{
	if (*fd >= 0)
		return look_again(fd);
	*fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return LOOK_NO;
	if (connect(*fd, (const struct sockaddr *)&address->socket, address->length) == 0)
		return finish(fd, LOOK_YES);
	if (errno == EINPROGRESS)
		return LOOK_NO;
	/* A unix socket whose queue is full has an owner; he is only slow. */
	return finish(fd, errno == EAGAIN ? LOOK_YES : LOOK_NO);
}

/* /proc/PID/syscall begins with the number of the call and its first argument. */
static enum look thread_waits(pid_t pid, const char *thread)
{
	char path[64], line[64];
	unsigned long first;
	long call;
	FILE *file;
	enum look answer = LOOK_NO;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/syscall", (int)pid, thread);
	file = fopen(path, "re");
	if (file == NULL)
		return errno == EACCES || errno == EPERM ? LOOK_UNKNOWN : LOOK_NO;
	errno = 0;
	if (fgets(line, sizeof(line), file) == NULL)
		answer = errno == EACCES || errno == EPERM ? LOOK_UNKNOWN : LOOK_NO;
	else if (sscanf(line, "%ld 0x%lx", &call, &first) == 2 && first == 0 &&
		 (call == SYS_accept || call == SYS_accept4))
		answer = LOOK_YES;
	fclose(file);
	return answer;
}

enum look readiness_waits_in_accept(pid_t pid)
{
	char path[32];
	DIR *threads;
	const struct dirent *thread;
	enum look answer = LOOK_NO;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (threads == NULL)
		return errno == ENOENT || errno == ESRCH ? LOOK_NO : LOOK_UNKNOWN;
	while (answer == LOOK_NO && (thread = readdir(threads)) != NULL)
		if (thread->d_name[0] != '.')
			answer = thread_waits(pid, thread->d_name);
	closedir(threads);
	return answer;
}
