/* route.c - the names of a route's columns. */
#include "core/route.h"

#include <string.h>

static const char *const method_names[METHODS] = {
	[GET] = "GET", [POST] = "POST", [PUT] = "PUT", [PATCH] = "PATCH", [DELETE] = "DELETE"
};
static const char *const access_names[] = { [ANYONE] = "anyone",
	[SIGNED_IN] = "signed in",
	[USER] = "user",
	[MANAGER] = "manager",
	[ADMIN] = "admin" };

const char *method_name(enum method method)
{
	return method_names[method];
}

enum method method_from_name(const char *name)
{
	for (enum method m = GET; m < METHODS; m++)
		if (strcmp(method_names[m], name) == 0)
			return m;
	return 0;
}

const char *access_name(enum access access)
{
	return access_names[access];
}

int route_success(const struct route *route)
{
	if (route->status != 0)
		return route->status;
	return route->gives == NULL && route->media == NULL ? 204 : 200;
}

bool route_path_says(const struct route *route, const char *name)
{
	size_t length = strlen(name);

	for (const char *brace = route->path; (brace = strchr(brace, '{')) != NULL;)
		if (strncmp(++brace, name, length) == 0 && brace[length] == '}')
			return true;
	return false;
}

bool route_takes_body(const struct route *route)
{
	if (route->method == GET || route->method == DELETE || route->takes == NULL)
		return false;
	EACH_FIELD (field, route->takes)
		if (!route_path_says(route, field->name))
			return true;
	return false;
}

bool route_takes_files(const struct route *route)
{
	if (route->takes == NULL)
		return false;
	EACH_FIELD (field, route->takes)
		if (field->kind == UPLOAD)
			return true;
	return false;
}

const char *route_takes_media(const struct route *route)
{
	if (route->raw != NULL)
		return route->raw;
	if (route->form)
		return "application/x-www-form-urlencoded";
	return route_takes_files(route) ? "multipart/form-data" : "application/json";
}

bool route_creates(const struct route *route)
{
	int status = route_success(route);

	return route->method == POST && (status == 201 || status == 202) && !route->secret;
}
