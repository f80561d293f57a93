/* imprint.c - whether the files that processes are made of have changed. */
#include "supervisor/conf/imprint.h"

#include <stddef.h>
#include <sys/stat.h>

#include "supervisor/conf/plan.h"

/* FNV-1a, which is enough where nobody wants to deceive: whoever can, could change the program. */
static uint64_t mix(uint64_t imprint, uint64_t value)
{
	for (int i = 0; i < 64; i += 8)
		imprint = (imprint ^ (value >> i & 0xff)) * UINT64_C(1099511628211);
	return imprint;
}

/* Contents are not read: a deployment may change gigabytes, and the master does not wait. */
static uint64_t add_file(uint64_t imprint, const char *path)
{
	struct stat about;

	if (path == NULL || path[0] != '/' || stat(path, &about) < 0 || !S_ISREG(about.st_mode))
		return mix(imprint, 0);
	imprint = mix(imprint, about.st_dev);
	imprint = mix(imprint, about.st_ino);
	imprint = mix(imprint, (uint64_t)about.st_size);
	imprint = mix(imprint, (uint64_t)about.st_mtim.tv_sec);
	return mix(imprint, (uint64_t)about.st_mtim.tv_nsec);
}

uint64_t imprint_of(const struct plan *plan)
{
	uint64_t imprint = add_file(UINT64_C(14695981039346656037), plan->program);

	for (size_t i = 1; i < plan->conf->command.count; i++)
		imprint = add_file(imprint, plan->conf->command.word[i]);
	return imprint;
}
