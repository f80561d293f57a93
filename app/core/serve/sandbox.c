/*
 * sandbox.c - the system calls that a web worker needs, and no others: seccomp(2).
 *
 * A list of what is allowed, so what a new kernel brings is refused.  A refused
 * call raises SIGSYS in its own thread; the handler writes the call's name and
 * has it return EPERM, so the one request fails and the worker goes on.  Names
 * are looked up beforehand: a handler may call little (signal-safety(7)).
 */
#include "core/serve/sandbox.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

/* The numbers of system calls are below this for many years to come. */
#define CALLS_MOST 1024
#define LINE_ROOM  96

/* A worker that tries without end must not fill the disk. */
#define LINES_MOST 100

static const char *const allowed[] = {
	/* what is open */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
	"pwritev2", "close", "close_range", "lseek", "dup", "dup2", "dup3", "fcntl", "ioctl",
	"fstat", "ftruncate", "fsync", "fdatasync", "flock", "fallocate", "fadvise64", "sendfile",
	"copy_file_range", "splice",
	/* files: where, is for permissions and Landlock to say */
	"open", "openat", "stat", "lstat", "newfstatat", "statx", "fstatfs", "statfs", "access",
	"faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "unlink",
	"unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "umask", "memfd_create",
	/* waiting */
	"poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
	"epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create", "timerfd_settime",
	"timerfd_gettime", "signalfd4", "pipe2", "nanosleep", "clock_nanosleep", "restart_syscall",
	/* connections; which kinds is below */
	"connect", "accept", "accept4", "bind", "getsockname", "getpeername", "sendto", "sendmsg",
	"sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "setsockopt", "getsockopt", "shutdown",
	/* memory and threads */
	"munmap", "mremap", "brk", "madvise", "msync", "mlock", "munlock", "futex",
	"set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "exit", "exit_group",
	"gettid", "membarrier",
	/* signals */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
	"sigaltstack",
	/* asking */
	"getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getresuid",
	"getresgid", "clock_gettime", "clock_getres", "gettimeofday", "time", "getrandom", "uname",
	"sysinfo", "getrusage", "getrlimit", "times", "getcpu"
};

/* One for the process, as the handler is; written before that is set, but for what is atomic. */
static struct {
	char line[CALLS_MOST][LINE_ROOM];
	size_t length[CALLS_MOST];
	int lines;
} refusals;

/* The line is written whole, by one write(2): others write to the same pipe. */
static void refuse(int signal, siginfo_t *about, void *context)
{
	ucontext_t *at = context;
	int call = about->si_syscall;
	int error = errno;

	(void)signal;
	if (__atomic_fetch_add(&refusals.lines, 1, __ATOMIC_RELAXED) < LINES_MOST && call >= 0 &&
	    call < CALLS_MOST &&
	    write(STDERR_FILENO, refusals.line[call], refusals.length[call]) < 0)
		errno = error; /* nobody reads it; that is no reason not to go on */
	at->uc_mcontext.gregs[REG_RAX] = -EPERM;
	errno = error;
}

static void write_lines(void)
{
	for (int i = 0; i < CALLS_MOST; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		refusals.length[i] = (size_t)snprintf(refusals.line[i], LINE_ROOM,
		    "sandbox: system call %s (%d) is refused\n", name != NULL ? name : "?", i);
		free(name);
	}
}

static void allow(
    scmp_filter_ctx filter, const char *name, unsigned count, const struct scmp_arg_cmp *when)
{
	int call = seccomp_syscall_resolve_name(name);
	int failure;

	if (call == __NR_SCMP_ERROR)
		return; /* this machine has no such call */
	failure = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, when);
	if (failure != 0)
		die("sandbox: %s: %s", name, strerror(-failure));
}

/* Calls that are allowed with some arguments only. */
static void allow_some(scmp_filter_ctx filter)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp a_thread = SCMP_A0(
	    SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	const struct scmp_arg_cmp our_own = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
	const struct scmp_arg_cmp its_name = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0);
	const struct scmp_arg_cmp asks[] = { SCMP_A0(SCMP_CMP_EQ, 0, 0),
		SCMP_A2(SCMP_CMP_EQ, 0, 0) };
	int clone3 = seccomp_syscall_resolve_name("clone3");

	/* NETLINK: getaddrinfo(3) asks which addresses this machine has. */
	for (size_t i = 0; i < COUNT(families); i++) {
		const struct scmp_arg_cmp family = SCMP_A0(
		    SCMP_CMP_EQ, (scmp_datum_t)families[i], 0);

		allow(filter, "socket", 1, &family);
		allow(filter, "socketpair", 1, &family);
	}
	allow(filter, "mmap", 1, &no_code);
	allow(filter, "mprotect", 1, &no_code);
	allow(filter, "clone", 1, &a_thread);
	/* What it is to make stands in memory, where no filter can look; libc then takes clone. */
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0) != 0)
		die("sandbox: clone3 cannot be refused");
	allow(filter, "tgkill", 1, &our_own);
	allow(filter, "prctl", 1, &its_name);
	allow(filter, "prlimit64", COUNT(asks), asks);
}

static scmp_filter_ctx make_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);

	if (filter == NULL)
		die("sandbox: no filter can be made");
	for (size_t i = 0; i < COUNT(allowed); i++)
		allow(filter, allowed[i], 0, NULL);
	allow_some(filter);
	/* TSYNC: for the threads that are there already, too. */
	if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) != 0)
		die("sandbox: this kernel cannot bind all threads at once");
	return filter;
}

const char *sandbox_wanted(void)
{
	const char *name = getenv("OSTLER_SANDBOX");

	if (name == NULL || name[0] == '\0')
		return NULL;
	if (strcmp(name, "web") != 0)
		die("OSTLER_SANDBOX=%s: there is no such sandbox; it can be \"web\"", name);
	return name;
}

void sandbox_enter(void)
{
	struct sigaction action = { .sa_sigaction = refuse, .sa_flags = SA_SIGINFO | SA_RESTART };
	scmp_filter_ctx filter = make_filter();
	int failure;

	write_lines();
	sigfillset(&action.sa_mask);
	if (sigaction(SIGSYS, &action, NULL) < 0)
		die("sandbox: SIGSYS: %s", strerror(errno));
	failure = seccomp_load(filter);
	if (failure != 0)
		die("sandbox: cannot be entered: %s", strerror(-failure));
	seccomp_release(filter);
}
