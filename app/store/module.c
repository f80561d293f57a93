/*
 * module.c - parts of the program that are loaded only by the processes that use them.
 *
 * A name found at run time is checked by nobody but this file, so a module
 * exports a single one: a constant whose type both sides know from one header.
 */
#include "store/module.h"

#include <dlfcn.h>

const void *module_load(
    struct arena *arena, const char *file, const char *symbol, const char **wrong)
{
	void *module = dlopen(file, RTLD_NOW | RTLD_LOCAL); /* all that is missing shows now */
	const void *found = module != NULL ? dlsym(module, symbol) : NULL;

	if (found == NULL)
		*wrong = arena_print(arena, "cannot load a module: %s", dlerror());
	return found;
}
