/*
 * arena.c - pieces cut from blocks, one behind the other.
 *
 * A block that is full stays in a list until the reset; the next one has twice
 * its room, so that a large answer costs few of them.  The last piece taken may
 * grow where it stands, which makes a buffer that is written at the end of an
 * arena as cheap as an array.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"

#define ALIGNMENT sizeof(max_align_t)

struct block {
	struct block *older;
	size_t room, used;
	max_align_t bytes[];
};

struct arena {
	struct block *newest;
	size_t keep;       /* the first block has this room and survives resets */
	size_t shared_map; /* bytes mapped, when the arena is one shared mapping */
};

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static struct block *block_new(size_t room, struct block *older)
{
	struct block *block = malloc(sizeof(*block) + room);

	if (block == NULL)
		die("out of memory (%zu bytes)", room);
	*block = (struct block){ .older = older, .room = room };
	return block;
}

struct arena *arena_new(size_t keep)
{
	struct arena *arena = malloc(sizeof(*arena));

	if (arena == NULL)
		die("out of memory");
	keep = aligned(keep);
	*arena = (struct arena){ .newest = block_new(keep, NULL), .keep = keep };
	return arena;
}

struct arena *arena_new_shared(size_t limit)
{
	size_t map = aligned(sizeof(struct arena)) + sizeof(struct block) + aligned(limit);
	/* NORESERVE: pages that are never touched cost nothing. */
	char *start = mmap(
	    NULL, map, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct arena *arena = (struct arena *)start;
	struct block *block;

	if (start == MAP_FAILED)
		return NULL;
	block = (struct block *)(start + aligned(sizeof(struct arena)));
	*block = (struct block){ .room = aligned(limit) };
	*arena = (struct arena){ .newest = block, .keep = block->room, .shared_map = map };
	return arena;
}

static struct block *block_with_room(struct arena *arena, size_t size)
{
	struct block *newest = arena->newest;
	size_t room;

	if (newest->room - newest->used >= size)
		return newest;
	if (arena->shared_map != 0)
		die("out of shared memory (%zu bytes)", arena->keep);
	room = newest->room * 2;
	arena->newest = block_new(room > size ? room : size, newest);
	return arena->newest;
}

static void *take(struct arena *arena, size_t size)
{
	struct block *block;
	void *piece;

	if (size > SIZE_MAX / 4)
		die("out of memory (%zu bytes)", size);
	size = aligned(size);
	block = block_with_room(arena, size);
	piece = (char *)block->bytes + block->used;
	block->used += size;
	return piece;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(take(arena, size), 0, size);
}

void *arena_grow(struct arena *arena, void *p, size_t old, size_t size)
{
	struct block *block = arena->newest;
	char *end = (char *)block->bytes + block->used;
	size_t more = aligned(size) - aligned(old);
	void *moved;

	if (p != NULL && (char *)p + aligned(old) == end && block->room - block->used >= more) {
		block->used += more;
		return p;
	}
	moved = take(arena, size);
	if (p != NULL)
		memcpy(moved, p, old);
	return moved;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = take(arena, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
	struct block *block = arena->newest;
	char *text = (char *)block->bytes + block->used;
	size_t left = block->room - block->used;
	va_list values, again;
	int length;

	/* Into what is left of the block; only text that does not fit is formatted twice. */
	va_start(values, format);
	va_copy(again, values);
	length = vsnprintf(text, left, format, values);
	if (length < 0)
		bug("arena_print: bad format %s", format);
	text = take(arena, (size_t)length + 1);
	if ((size_t)length >= left)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(values);
	return text;
}

static void free_newer_than_first(struct arena *arena)
{
	while (arena->newest->older != NULL) {
		struct block *older = arena->newest->older;

		free(arena->newest);
		arena->newest = older;
	}
}

void arena_reset(struct arena *arena)
{
	free_newer_than_first(arena);
	arena->newest->used = 0;
}

void arena_free(struct arena **arena)
{
	if (*arena == NULL)
		return;
	if ((*arena)->shared_map != 0) {
		munmap(*arena, (*arena)->shared_map);
	} else {
		free_newer_than_first(*arena);
		free((*arena)->newest);
		free(*arena);
	}
	*arena = NULL;
}
