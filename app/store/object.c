/* object.c - files kept under keys: which kind of store, and what holds for all of them. */
#include "store/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/module.h"
#include "store/object_driver.h"

struct object_store {
	const struct object_driver *driver;
	void *opened;
};

/* The driver that WHERE asks for, and in *REST what it leaves for that. */
static const struct object_driver *find_driver(
    struct arena *arena, const char *where, const char **rest, const char **wrong)
{
	if (text_starts(where, "file:")) {
		*rest = where + strlen("file:");
		return &object_folder;
	}
	if (text_starts(where, "s3:")) {
		*rest = where + strlen("s3:");
		return module_load(arena, OBJECT_S3_FILE, OBJECT_S3_SYMBOL, wrong);
	}
	*wrong = arena_print(
	    arena, "must be \"file:/a/folder\" or \"s3:bucket\", not \"%s\"", where);
	return NULL;
}

struct object_store *object_open(
    const struct object_options *options, struct arena *arena, const char **wrong)
{
	const char *rest = NULL;
	const struct object_driver *driver = find_driver(arena, options->where, &rest, wrong);
	struct object_store *store;

	if (driver == NULL)
		return NULL;
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		die("out of memory");
	store->driver = driver;
	store->opened = driver->open(options, rest, arena, wrong);
	if (store->opened != NULL)
		return store;
	free(store);
	return NULL;
}

void object_close(struct object_store **store)
{
	if (*store == NULL)
		return;
	(*store)->driver->close((*store)->opened);
	free(*store);
	*store = NULL;
}

bool object_key_is_valid(const char *key)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";

	if (strlen(key) > OBJECT_KEY_MOST)
		return false;
	for (;;) {
		size_t length = strspn(key, plain);

		/* A dot in front is "..", or the name of a file that is being written. */
		if (length == 0 || length > 255 || key[0] == '.')
			return false;
		key += length;
		if (*key == '\0')
			return true;
		if (*key++ != '/')
			return false;
	}
}

/* Keys are made by features of what they have checked: another one is a mistake of ours. */
static void insist(const char *key)
{
	if (!object_key_is_valid(key))
		bug("\"%s\" is no key of an object", key);
}

enum object_fate object_put(struct object_store *store, const char *key, long long length,
    object_source_fn *source, void *context)
{
	insist(key);
	return store->driver->put(store->opened, key, length, source, context);
}

enum object_fate object_get(
    struct object_store *store, const char *key, object_sink_fn *sink, void *context)
{
	insist(key);
	return store->driver->get(store->opened, key, sink, context);
}

enum object_fate object_drop(struct object_store *store, const char *key)
{
	enum object_fate fate;

	insist(key);
	fate = store->driver->drop(store->opened, key);
	return fate == OBJECT_MISSING ? OBJECT_DONE : fate;
}

void object_list_add(
    struct object_list *list, struct arena *arena, const char *key, long long bytes)
{
	if (list->count == list->room) {
		size_t room = list->room > 0 ? list->room * 2 : 32;

		list->object = arena_grow(arena, list->object, list->room * sizeof(struct object),
		    room * sizeof(struct object));
		list->room = room;
	}
	list->object[list->count++] = (struct object){ .key = arena_copy(arena, key, strlen(key)),
		.bytes = bytes };
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct object *)a)->key, ((const struct object *)b)->key);
}

enum object_fate object_find(
    struct object_store *store, struct arena *arena, const char *prefix, struct object_list *list)
{
	enum object_fate fate;

	*list = (struct object_list){ 0 };
	fate = store->driver->find(store->opened, arena, prefix, list);
	/* A folder walks its files in an order of its own, a bucket in byte order. */
	if (list->count > 1)
		qsort(list->object, list->count, sizeof(struct object), by_key);
	return fate;
}
