/* child.c - from fork to exec: what a new process does to become a worker. */
#include "supervisor/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/system/confinement.h"
#include "supervisor/system/identity.h"

/*
 * What is ignored stays ignored across exec; a worker must start with nothing
 * but defaults.  The system call itself, because libc's sigaction refuses the
 * two numbers that libc uses for threads, and a parent may have had another libc.
 * After the identity: libc tells its threads of a change by one of those two, and
 * ThreadSanitizer has a thread here.
 */
static bool reset_signals(const struct child_plan *plan)
{
	static const unsigned long usual[8]; /* the kernel's struct: all zero is SIG_DFL */

	(void)plan;
	for (int number = 1; number < _NSIG; number++)
		syscall(SYS_rt_sigaction, number, usual, NULL, _NSIG / 8); /* not KILL and STOP */
	return true;
}

/* A session of its own: Ctrl-C at the terminal reaches the master, who ends all in order. */
static bool leave_session(const struct child_plan *plan)
{
	(void)plan;
	return setsid() >= 0;
}

static bool set_input(const struct child_plan *plan)
{
	int fd = plan->input >= 0 ? plan->input : open("/dev/null", O_RDWR | O_CLOEXEC);

	/* dup2 onto itself would keep close-on-exec; the master's own are all above 2. */
	return fd == STDIN_FILENO ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, STDIN_FILENO) >= 0;
}

static bool set_output(const struct child_plan *plan)
{
	int fd = plan->output >= 0 ? plan->output : open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
		return false;
	/* Past the master: what is printed there by the ten thousand should not go through it. */
	if (plan->direct != NULL)
		fd = open(plan->direct,
		    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0640);
	return fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0;
}

/* Everything else ends with exec, our report pipe too, which is how success is told. */
static bool close_the_rest(const struct child_plan *plan)
{
	(void)plan;
	return close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

static bool keep_scoreboard(const struct child_plan *plan)
{
	return plan->scoreboard < 0 || fcntl(plan->scoreboard, F_SETFD, 0) == 0;
}

static bool set_umask(const struct child_plan *plan)
{
	umask(plan->umask);
	return true;
}

/* Raising a hard limit, and the next three, need the rights that the identity takes away. */
static bool set_limits(const struct child_plan *plan)
{
	return confinement_set_limits(plan->confinement);
}

static bool set_niceness(const struct child_plan *plan)
{
	return confinement_set_niceness(plan->confinement);
}

static bool choose_processors(const struct child_plan *plan)
{
	return confinement_choose_processors(plan->confinement);
}

static bool bound_capabilities(const struct child_plan *plan)
{
	return confinement_bound_capabilities(plan->confinement);
}

static bool take_identity(const struct child_plan *plan)
{
	return identity_take_on(plan->who);
}

/* Of another user there are none left; one who stays root keeps no more than its bounds. */
static bool lower_capabilities(const struct child_plan *plan)
{
	return confinement_lower_capabilities(plan->confinement);
}

static bool enter_directory(const struct child_plan *plan)
{
	return plan->directory == NULL || chdir(plan->directory) == 0;
}

static bool refuse_privileges(const struct child_plan *plan)
{
	return confinement_refuse_privileges(plan->confinement);
}

/* It binds the calling thread alone; here there is no other yet. */
static bool limit_files(const struct child_plan *plan)
{
	return confinement_limit_files(plan->ruleset);
}

/* After the identity, for a change of user clears it: prctl(2). */
static bool follow_master(const struct child_plan *plan)
{
	if (prctl(PR_SET_PDEATHSIG, plan->death_signal) < 0)
		return false;
	if (getppid() != plan->master)
		_exit(127); /* it died before we asked to be told */
	return true;
}

/* Last before exec: until here no signal could end us half made.  A blocked mask is inherited. */
static bool unblock_signals(const struct child_plan *plan)
{
	sigset_t none;

	(void)plan;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool execute(const struct child_plan *plan)
{
	/* execve promises not to change its arguments; its prototype is older than const. */
	execve(plan->program, (char *const *)plan->arguments, plan->environment);
	return false;
}

/* In this order: each step relies on those before it. */
static const struct {
	const char *name;
	bool (*take)(const struct child_plan *);
} steps[] = {
	{ "start a session", leave_session },
	{ "set the input", set_input },
	{ "set the output", set_output },
	{ "close what is not its own", close_the_rest },
	{ "hand over the scoreboard", keep_scoreboard },
	{ "set the umask", set_umask },
	{ "set its limits", set_limits },
	{ "set its niceness", set_niceness },
	{ "choose its processors", choose_processors },
	{ "bound its capabilities", bound_capabilities },
	{ "become its user", take_identity },
	{ "give up capabilities", lower_capabilities },
	{ "enter its directory", enter_directory },
	{ "refuse new privileges", refuse_privileges },
	{ "limit its files", limit_files },
	{ "ask to be told of the master's death", follow_master },
	{ "reset signals", reset_signals },
	{ "unblock signals", unblock_signals },
	{ "execute its program", execute },
};

void child_become(const struct child_plan *plan, int report)
{
	for (int i = 0; i < (int)COUNT(steps); i++) {
		struct child_failure failure = { .step = i };

		if (steps[i].take(plan))
			continue;
		failure.error = errno;
		/* When even this fails, the exit status still tells that something did. */
		if (report >= 0 && write(report, &failure, sizeof(failure)) < 0)
			break;
		break;
	}
	_exit(127);
}

const char *child_step_name(int step)
{
	return step >= 0 && step < (int)COUNT(steps) ? steps[step].name : "start";
}
