/*
 * modules.h - the files that a process is made of, and which of them holds an address.
 *
 * Read of /proc/PID/maps once: a library that is loaded afterwards is not known.
 */
#ifndef SUPERVISOR_SYSTEM_MODULES_H
#define SUPERVISOR_SYSTEM_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

#define MODULE_BUILD_ID 41 /* hexadecimal digits of SHA-1, as linkers make it, and a NUL */

struct modules;

/* A file, or what the kernel calls "[vdso]"; "" where no file is behind the memory. */
struct module {
	const char *path;
	uint64_t offset; /* of the address, in the file: what addr2line(1) is asked with */
	char build_id[MODULE_BUILD_ID]; /* names the very build of the file; "": it has none */
};

/* NULL with errno set: the kernel does not show it. */
struct modules *modules_read(struct arena *, pid_t) MUST_CHECK;

/* False: nothing is mapped there. */
bool modules_find(const struct modules *, uint64_t address, struct module *) MUST_CHECK;

/*
 * The build id among the notes of an ELF file (LENGTH bytes, elf(5)): false, there is
 * none.  The bytes may be anything.
 */
bool modules_build_id(const void *notes, size_t length, char build_id[static MODULE_BUILD_ID]);

#endif
