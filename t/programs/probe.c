/*
 * probe.c - a worker that tries what its pool may forbid, and prints how each attempt ends.
 *
 * A line is "ATTEMPT: done" or "ATTEMPT: ENAME".  Attempts with an argument are given on the
 * command line as NAME=ARGUMENT.  Then it waits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int try_setuid(const char *argument)
{
	(void)argument;
	return setuid(0);
}

static int try_packet(const char *argument)
{
	(void)argument;
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int try_trace(const char *argument)
{
	(void)argument;
	if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) < 0)
		return -1;
	waitpid(getppid(), NULL, __WALL);
	return (int)ptrace(PTRACE_DETACH, getppid(), NULL, NULL);
}

static int try_read(const char *path)
{
	return open(path, O_RDONLY);
}

static int try_write(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0600);
}

static int try_remove(const char *path)
{
	return unlink(path);
}

static int try_device(const char *path)
{
	return mknod(path, S_IFCHR | 0600, makedev(1, 3));
}

static int try_owner(const char *path)
{
	return chown(path, 1, 1);
}

static int try_memory(const char *argument)
{
	return mmap(NULL, (size_t)atoll(argument) << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static int try_files(const char *argument)
{
	int wanted = atoi(argument), fd = 0, got[1024], count = 0, error;

	while (count < wanted && (fd = dup(0)) >= 0)
		got[count++] = fd;
	error = errno;
	while (count > 0)
		close(got[--count]);
	errno = error;
	return fd;
}

static int try_processes(const char *argument)
{
	int wanted = atoi(argument), status, error;
	pid_t pid = 0;

	for (int i = 0; i < wanted && pid >= 0; i++) {
		pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
	}
	error = errno;
	signal(SIGUSR1, SIG_IGN);
	kill(0, SIGUSR1); /* ends the children, who have not ignored it */
	while (wait(&status) > 0)
		continue;
	errno = error;
	return pid;
}

/* A file larger than allowed: the signal that comes with it is not wanted here. */
static int try_size(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	signal(SIGXFSZ, SIG_IGN);
	return fd < 0 ? -1 : ftruncate(fd, 1 << 20);
}

static int try_nice(const char *argument)
{
	(void)argument;
	errno = 0;
	return nice(-1) == -1 && errno != 0 ? -1 : 0;
}

/* Runs a program; "done" when it ends with 0. */
static int try_run(const char *path)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return status == 0 ? 0 : -1;
}

static const struct attempt {
	const char *name;
	int (*try)(const char *argument);
} attempts[] = {
	{ "setuid", try_setuid },
	{ "packet", try_packet },
	{ "trace", try_trace },
	{ "read", try_read },
	{ "write", try_write },
	{ "remove", try_remove },
	{ "device", try_device },
	{ "owner", try_owner },
	{ "memory", try_memory },
	{ "files", try_files },
	{ "processes", try_processes },
	{ "size", try_size },
	{ "nice", try_nice },
	{ "run", try_run },
};

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t length = strcspn(argv[i], "=");
		const char *argument = argv[i][length] != '\0' ? argv[i] + length + 1 : "";

		for (size_t j = 0; j < sizeof(attempts) / sizeof(*attempts); j++)
			if (strlen(attempts[j].name) == length &&
			    strncmp(attempts[j].name, argv[i], length) == 0)
				printf("%s: %s\n", argv[i],
				    attempts[j].try(argument) >= 0 ? "done"
								   : strerrorname_np(errno));
	}
	puts("that was all");
	fflush(stdout);
	for (;;)
		pause();
}
