/*
 * module.h - parts of the program that are loaded only by the processes that use them.
 *
 * A client library may bring dozens of others with it.  What few installations
 * and few roles need stands in a shared object of our own that is linked to that
 * library as usual: every other process starts without it and is smaller for it.
 */
#ifndef STORE_MODULE_H
#define STORE_MODULE_H

#include "base/arena.h"

/*
 * Loads FILE, from where the program's run path says modules are, and returns
 * the constant that it exports as SYMBOL.  It stays loaded.  NULL: *WRONG says why.
 */
const void *module_load(
    struct arena *, const char *file, const char *symbol, const char **wrong) MUST_CHECK;

#endif
