/* processors.c - which processors a process may run on, as "0-3,8": sched_setaffinity(2). */
#include "supervisor/system/processors.h"

#include <ctype.h>
#include <stdlib.h>

/* One number; *TEXT goes behind it.  -1: there is none, or too large a one. */
static long read_number(const char **text)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)**text))
		return -1;
	number = strtol(*text, &end, 10);
	*text = end;
	return number < CPU_SETSIZE ? number : -1;
}

bool processors_parse(const char *text, cpu_set_t *set)
{
	CPU_ZERO(set);
	for (;;) {
		long first = read_number(&text);
		long last = first;

		if (*text == '-') {
			text++;
			last = read_number(&text);
		}
		if (first < 0 || last < first)
			return false;
		for (long i = first; i <= last; i++)
			CPU_SET((size_t)i, set);
		if (*text != ',')
			return *text == '\0';
		text++;
	}
}

bool processors_choose(const cpu_set_t *set)
{
	return sched_setaffinity(0, sizeof(*set), set) == 0;
}

/* The kernel takes what it can of a set and says nothing of the rest. */
int processors_missing(const cpu_set_t *set)
{
	cpu_set_t got;

	CPU_ZERO(&got);
	if (sched_getaffinity(0, sizeof(got), &got) < 0)
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, set) && !CPU_ISSET((size_t)i, &got))
			return i;
	return -1;
}
