/* media.c - what Content-Type says of a body. */
#include "core/input/media.h"

#include <string.h>
#include <strings.h>

/* Of a token (RFC 9110, section 5.6.2). */
#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

struct parameter {
	const char *name, *value;
	size_t name_length, value_length;
};

/* The length of the value TEXT begins with, its quotes included; 0 when there is none. */
static size_t value_length(const char *text)
{
	size_t length = 1;

	if (text[0] != '"')
		return strspn(text, TOKEN);
	for (; text[length] != '"'; length++) {
		if (text[length] == '\\' && text[length + 1] != '\0')
			length++;
		if (text[length] == '\0')
			return 0;
	}
	return length + 1;
}

/*
 * Reads the parameter behind AT, "; name=value", and returns where the next one
 * begins: at the end that is '\0'.  NULL when this is no parameter.
 */
static const char *read_parameter(const char *at, struct parameter *parameter)
{
	size_t length;

	*parameter = (struct parameter){ 0 };
	at += strspn(at, " \t");
	if (*at != ';')
		return NULL;
	at += 1 + strspn(at + 1, " \t");
	parameter->name = at;
	parameter->name_length = strspn(at, TOKEN);
	/* "; ;" and a ';' at the end are allowed. */
	if (parameter->name_length == 0)
		return *at == ';' || *at == '\0' ? at : NULL;
	at += parameter->name_length;
	length = *at == '=' ? value_length(at + 1) : 0;
	if (length == 0)
		return NULL;
	parameter->value = at + 1 + (at[1] == '"');
	parameter->value_length = length - 2 * (at[1] == '"');
	at += 1 + length;
	return at + strspn(at, " \t");
}

static bool is_named(const struct parameter *parameter, const char *name)
{
	return parameter->name_length == strlen(name) &&
	       strncasecmp(parameter->name, name, parameter->name_length) == 0;
}

static bool is_utf8(const struct parameter *parameter)
{
	return parameter->value_length == 5 && strncasecmp(parameter->value, "utf-8", 5) == 0;
}

bool media_is(const char *content_type, const char *media)
{
	size_t length = strlen(media);
	struct parameter parameter;

	if (content_type == NULL || strncasecmp(content_type, media, length) != 0)
		return false;
	content_type += length;
	content_type += strspn(content_type, " \t");
	while (*content_type != '\0') {
		content_type = read_parameter(content_type, &parameter);
		if (content_type == NULL)
			return false;
		if (is_named(&parameter, "charset") && !is_utf8(&parameter))
			return false;
	}
	return true;
}

const char *media_parameter(const char *content_type, const char *name, size_t *length)
{
	struct parameter parameter;

	content_type += strcspn(content_type, ";");
	while (content_type != NULL && *content_type != '\0') {
		content_type = read_parameter(content_type, &parameter);
		if (!is_named(&parameter, name))
			continue;
		*length = parameter.value_length;
		return parameter.value;
	}
	return NULL;
}
