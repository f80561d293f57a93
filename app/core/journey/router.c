/*
 * router.c - a tree of path segments.
 *
 * "/api/tasks" and "/api/tasks/{id}" share the nodes of "api" and "tasks".  At
 * each node a literal segment is tried before a {name}.  There are no patterns
 * and no regular expressions: a path costs what its length costs.
 */
#include "core/journey/router.h"

#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "core/answer/kept_key.h"

struct node {
	const char *segment; /* not NUL-terminated; NULL: a {name} */
	size_t length;
	struct node *first_child, *next_sibling;
	struct node *any;   /* the child that takes any segment */
	struct place place; /* without a path: no route ends here */
};

struct router {
	struct arena *arena;
	struct node root;
};

static struct node *find_child(const struct node *node, const char *segment, size_t length)
{
	for (struct node *child = node->first_child; child != NULL; child = child->next_sibling)
		if (child->length == length && memcmp(child->segment, segment, length) == 0)
			return child;
	return NULL;
}

static struct node *grow(struct arena *arena, struct node *node, const char *segment, size_t length)
{
	struct node *child;

	if (segment[0] == '{') {
		if (node->any == NULL)
			node->any = arena_alloc(arena, sizeof(*node->any));
		return node->any;
	}
	child = find_child(node, segment, length);
	if (child != NULL)
		return child;
	child = arena_alloc(arena, sizeof(*child));
	*child = (struct node){
		.segment = segment, .length = length, .next_sibling = node->first_child
	};
	node->first_child = child;
	return child;
}

static void add(struct router *router, const struct route *route)
{
	struct node *node = &router->root;
	const char *segment = route->path;

	size_t names = 0;

	kept_key_check(route);
	while (*segment == '/') {
		size_t length = strcspn(++segment, "/");

		names += *segment == '{';
		if (names > PATH_NAMES_MOST)
			bug("too many {names} in %s", route->path);
		node = grow(router->arena, node, segment, length);
		segment += length;
	}
	if (node->place.routes[route->method] != NULL)
		bug("two routes for %s %s", method_name(route->method), route->path);
	node->place.routes[route->method] = route;
	node->place.path = route->path;
}

const struct router *router_build(struct arena *arena, const struct feature *const *features)
{
	struct router *router = arena_alloc(arena, sizeof(*router));

	router->arena = arena;
	for (; *features != NULL; features++)
		EACH_ROUTE (route, *features)
			add(router, route);
	return router;
}

const struct place *router_find(const struct router *router, char *path, const char **values)
{
	const struct node *node = &router->root;
	char *value[PATH_NAMES_MOST];
	size_t count = 0;

	/* A literal segment wins over a {name}; there is no way back up from it. */
	while (*path == '/' && node != NULL) {
		size_t length = strcspn(++path, "/");
		const struct node *child = find_child(node, path, length);

		if (child == NULL && length > 0 && node->any != NULL) {
			child = node->any;
			value[count++] = path;
		}
		node = child;
		path += length;
	}
	if (node == NULL || node->place.path == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		value[i][strcspn(value[i], "/")] = '\0';
		values[i] = value[i];
	}
	return &node->place;
}

const char *router_allow(struct arena *arena, const struct place *place)
{
	struct buffer allow;

	buffer_start(&allow, arena, 64);
	for (enum method m = GET; m < METHODS; m++) {
		if (place->routes[m] == NULL)
			continue;
		buffer_print(&allow, "%s, %s", method_name(m), m == GET ? "HEAD, " : "");
	}
	buffer_add_text(&allow, "OPTIONS");
	buffer_add_char(&allow, '\0');
	return allow.data;
}
