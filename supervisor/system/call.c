/* call.c - the system call that a thread is in, and its name, of which libseccomp has a table. */
#include "supervisor/system/call.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "supervisor/system/proc.h"

bool call_read(pid_t pid, const char *file, struct call *call, bool *refused)
{
	char text[256];

	*call = (struct call){ .number = -1 };
	*refused = false;
	if (!proc_read(pid, file, text, sizeof(text))) {
		*refused = errno == EACCES || errno == EPERM;
		return false;
	}
	if (sscanf(text, "%ld 0x%lx 0x%lx 0x%lx", &call->number, &call->argument[0],
		&call->argument[1], &call->argument[2]) != 1 + CALL_ARGUMENTS)
		call->number = -1;
	return true;
}

const char *call_name(long number, char name[static CALL_NAME])
{
	char *found = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), (int)number);

	if (found != NULL)
		snprintf(name, CALL_NAME, "%s", found);
	else
		snprintf(name, CALL_NAME, "call %ld", number);
	free(found);
	return name;
}
