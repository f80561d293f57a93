/* memory.c - how much memory the machine has left. */
#include "supervisor/system/memory.h"

#include <stdio.h>

long long memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	long long kilobytes = -1;
	char line[128];

	while (file != NULL && kilobytes < 0 && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "MemAvailable: %lld kB", &kilobytes) != 1)
			kilobytes = -1;
	if (file != NULL)
		fclose(file);
	return kilobytes < 0 ? -1 : kilobytes * 1024;
}
