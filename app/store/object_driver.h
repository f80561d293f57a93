/* object_driver.h - what a kind of object store must be able to do; private to object*.c. */
#ifndef STORE_OBJECT_DRIVER_H
#define STORE_OBJECT_DRIVER_H

#include "store/object.h"

/*
 * Keys have been checked when a driver sees them.  The functions promise what
 * those of object.h do; STORE is what open made, used by several threads.
 */
struct object_driver {
	/* WHERE is the option without its "file:" or "s3:". */
	void *(*open)(
	    const struct object_options *, const char *where, struct arena *, const char **wrong);
	void (*close)(void *store);
	enum object_fate (*put)(
	    void *store, const char *key, long long length, object_source_fn *, void *context);
	enum object_fate (*get)(void *store, const char *key, object_sink_fn *, void *context);
	enum object_fate (*drop)(void *store, const char *key);
	/* Adds each object by object_list_add, in any order. */
	enum object_fate (*find)(
	    void *store, struct arena *, const char *prefix, struct object_list *);
};

extern const struct object_driver object_folder; /* object_folder.c */

/* What modules/s3.c exports, under the name OBJECT_S3_SYMBOL. */
extern const struct object_driver object_s3;
#define OBJECT_S3_FILE   "ostler-s3.so"
#define OBJECT_S3_SYMBOL "object_s3"

/* KEY is copied into the arena. */
void object_list_add(struct object_list *, struct arena *, const char *key, long long bytes);

#endif
