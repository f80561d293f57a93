/*
 * object.h - files kept under keys: in a folder, or in a bucket that speaks S3.
 *
 * An object is a stream of bytes of any size, never whole in memory.  It is
 * written whole or not at all: whoever reads meanwhile gets the old one, and a
 * writer that gives up, or dies, has changed nothing.
 *
 * A store may be used by any number of threads at once.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct object_store;

struct object_options {
	const char *where; /* "file:/a/folder", "s3:bucket" or "s3:bucket/prefix" */
	/* The rest is for s3. */
	const char *endpoint; /* "https://host[:port]"; the bucket is the first part of the path */
	const char *region;
	const char *access_key, *secret_key; /* NULL or "": AWS_ACCESS_KEY_ID and AWS_SECRET_… */
	long long timeout_ms; /* of connecting, and of a transfer that stands still */
};

/* Opens it.  NULL: *WRONG says in the arena why it cannot be. */
struct object_store *object_open(
    const struct object_options *, struct arena *, const char **wrong) MUST_CHECK;
void object_close(struct object_store **);

/* How a call ended; what is not DONE, MISSING or CUT has been logged with its reason. */
enum object_fate {
	OBJECT_DONE,
	OBJECT_MISSING,     /* there is no such object */
	OBJECT_CUT,         /* the source or the sink gave up, or the source ended too soon */
	OBJECT_FULL,        /* no room for it */
	OBJECT_REFUSED,     /* the keys or the rights are wrong: trying again is no use */
	OBJECT_UNAVAILABLE, /* trying again may work */
};

/*
 * A key is made of segments of letters, digits and "._-" with a "/" between
 * them; no segment begins with a dot.  255 bytes a segment, OBJECT_KEY_MOST in all.
 */
#define OBJECT_KEY_MOST 700
bool object_key_is_valid(const char *key);

/* Fills BYTES with up to ROOM; returns how many, 0 at the end, -1 to give up. */
typedef long object_source_fn(void *context, char *bytes, size_t room);

/* Takes the next bytes; false gives up. */
typedef bool object_sink_fn(void *context, const char *bytes, size_t length);

/* Writes the next LENGTH bytes of the source under KEY; more than that it is not asked for. */
enum object_fate object_put(struct object_store *, const char *key, long long length,
    object_source_fn *, void *context) MUST_CHECK;

/* Gives the object's bytes to the sink, in order. */
enum object_fate object_get(
    struct object_store *, const char *key, object_sink_fn *, void *context) MUST_CHECK;

/* Removes it; one that is missing is DONE, too, so that it can be done twice. */
enum object_fate object_drop(struct object_store *, const char *key) MUST_CHECK;

struct object {
	const char *key;
	long long bytes;
};

struct object_list {
	struct object *object; /* by key, in byte order */
	size_t count, room;
};

/* Lists the objects whose key begins with PREFIX ("" for all), in the arena. */
enum object_fate object_find(
    struct object_store *, struct arena *, const char *prefix, struct object_list *) MUST_CHECK;

#endif
