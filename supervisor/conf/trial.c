/* trial.c - what a new generation is asked before it serves: the settings canary…. */
#include "supervisor/conf/trial.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/conf/conf.h"
#include "supervisor/system/fastcgi.h"

#define STATUS_LEAST 100
#define STATUS_MOST  599

/* "200", or "200-399" */
static const char *read_range(struct arena *arena, const char *text, struct trial_plan *plan)
{
	int end = 0;

	if (sscanf(text, "%3d%n", &plan->least, &end) == 1 && text[end] == '\0')
		plan->most = plan->least;
	else if (sscanf(text, "%3d-%3d%n", &plan->least, &plan->most, &end) != 2 ||
		 text[end] != '\0')
		end = 0;
	if (end > 0 && plan->least >= STATUS_LEAST && plan->most <= STATUS_MOST &&
	    plan->least <= plan->most && strspn(text, "0123456789-") == strlen(text))
		return NULL;
	return arena_print(arena,
	    "canary_status must be a status or a range of them, as \"200\" or \"200-399\", "
	    "not \"%s\"",
	    text);
}

static const char *check_path(struct arena *arena, const char *path)
{
	if (path[0] != '/')
		return arena_print(arena, "canary must begin with a slash, not \"%s\"", path);
	for (const char *c = path; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return "canary cannot have a blank or a control character in it";
	return NULL;
}

static const char *check_params(struct arena *arena, const struct words *params)
{
	for (size_t i = 0; i < params->count; i++)
		if (strcspn(params->word[i], "=") == 0 || strchr(params->word[i], '=') == NULL)
			return arena_print(
			    arena, "canary_params: \"%s\" is not NAME=value", params->word[i]);
	return NULL;
}

static bool is_given(const struct words *params, const char *param)
{
	size_t name = strcspn(param, "=") + 1;

	for (size_t i = 0; i < params->count; i++)
		if (strncmp(params->word[i], param, name) == 0)
			return true;
	return false;
}

/*
 * What a web server would say of a GET: RFC 3875, section 4.1, what nginx adds to
 * it, and REDIRECT_STATUS, without which php-cgi refuses to answer.
 */
static const char *const *make_params(struct arena *arena, const struct pool_conf *conf)
{
	size_t path = strcspn(conf->canary, "?");
	const char *query = conf->canary + path + (conf->canary[path] == '?');
	const char *const usual[] = { "REQUEST_METHOD=GET", "GATEWAY_INTERFACE=CGI/1.1",
		"SERVER_PROTOCOL=HTTP/1.1", "SERVER_SOFTWARE=ostlerd", "SERVER_NAME=localhost",
		"SERVER_ADDR=127.0.0.1", "SERVER_PORT=80", "REMOTE_ADDR=127.0.0.1", "REMOTE_PORT=0",
		"HTTP_HOST=localhost", "HTTP_USER_AGENT=ostlerd", "REDIRECT_STATUS=200",
		arena_print(arena, "REQUEST_URI=%s", conf->canary),
		arena_print(arena, "SCRIPT_NAME=%.*s", (int)path, conf->canary),
		arena_print(arena, "DOCUMENT_URI=%.*s", (int)path, conf->canary),
		arena_print(arena, "QUERY_STRING=%s", query) };
	const struct words *given = &conf->canary_params;
	const char **param = arena_alloc(arena, (COUNT(usual) + given->count + 1) * sizeof(*param));
	size_t count = 0;

	for (size_t i = 0; i < COUNT(usual); i++)
		if (!is_given(given, usual[i]))
			param[count++] = usual[i];
	for (size_t i = 0; i < given->count; i++)
		param[count++] = given->word[i];
	return param;
}

const char *trial_make(
    struct arena *arena, const struct pool_conf *conf, struct trial_plan *plan, const char **name)
{
	struct buffer request;
	const char *wrong;

	*plan = (struct trial_plan){ .request = NULL };
	*name = "canary_status";
	wrong = read_range(arena, conf->canary_status, plan);
	if (wrong == NULL) {
		*name = "canary_params";
		wrong = check_params(arena, &conf->canary_params);
	}
	if (wrong == NULL && conf->canary != NULL) {
		*name = "canary";
		wrong = check_path(arena, conf->canary);
	}
	if (wrong != NULL || conf->canary == NULL)
		return wrong;
	buffer_start(&request, arena, 1024);
	fastcgi_request(&request, make_params(arena, conf));
	plan->request = request.data;
	plan->length = request.length;
	return NULL;
}
