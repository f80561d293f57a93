/*
 * capability.c - the privileges of root, one by one: capabilities(7).
 *
 * libcap knows the names.  What is done between fork and exec is done by system
 * calls, for libcap's functions allocate.
 */
#include "supervisor/system/capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BITS 64

int capability_find(const char *name)
{
	char full[CAPABILITY_NAME + 4];
	cap_value_t number;

	/* libcap takes numbers, too; a person who writes one has not said what he wants. */
	snprintf(full, sizeof(full), "%s%s", strncasecmp(name, "cap_", 4) == 0 ? "" : "cap_", name);
	return cap_from_name(full, &number) == 0 ? number : -1;
}

const char *capability_name(int number, char name[static CAPABILITY_NAME])
{
	char *known = cap_to_name(number);

	if (known != NULL && strncasecmp(known, "cap_", 4) == 0)
		snprintf(name, CAPABILITY_NAME, "%s", known + 4);
	else
		snprintf(name, CAPABILITY_NAME, "%d", number);
	cap_free(known);
	return name;
}

uint64_t capability_all(void)
{
	uint64_t all = 0;

	for (int i = 0; i < BITS && prctl(PR_CAPBSET_READ, i) >= 0; i++)
		all |= UINT64_C(1) << i;
	return all;
}

bool capability_bound(uint64_t kept)
{
	for (int i = 0; i < BITS; i++) {
		int has = prctl(PR_CAPBSET_READ, i);

		if (has < 0)
			return errno == EINVAL; /* the kernel has no more of them */
		/* What is gone already needs no right to be dropped. */
		if (has == 1 && (kept >> i & 1) == 0 && prctl(PR_CAPBSET_DROP, i) < 0)
			return false;
	}
	return true;
}

bool capability_lower(uint64_t kept)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, set) < 0)
		return false;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t mask = (uint32_t)(kept >> (32 * i));

		set[i].effective &= mask;
		set[i].permitted &= mask;
		/* Else exec would give a root program more than the bounding set: it adds these. */
		set[i].inheritable &= mask;
	}
	return syscall(SYS_capset, &head, set) == 0;
}
