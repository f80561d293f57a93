/*
 * state.c - what one ostlerd knows, as bytes for the next one.
 *
 * Behind the head come items: a byte for the kind, one for the length of the name,
 * the name, and a number of 8 bytes or as many bytes as 4 bytes say.  Numbers are
 * in the order of this machine's bytes, for nothing of it ever leaves the machine.
 */
#include "supervisor/upgrade/state.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/upgrade/state_own.h"

#define NO_TEXT UINT32_MAX
#define LOWEST  3 /* descriptor */

enum kind { PART = 'P', NUMBER = 'N', BYTES = 'B', DESCRIPTOR = 'D' };

bool state_is_read(const struct state *state)
{
	return state->read;
}

const char *state_wrong(const struct state *state)
{
	return state->wrong;
}

void state_fail(struct state *state, const char *format, ...)
{
	char text[512];
	va_list values;

	if (state->wrong != NULL)
		return;
	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	state->wrong = arena_copy(state->arena, text, strlen(text));
}

unsigned state_version(const struct state *state)
{
	return (unsigned)state->head.version;
}

uint64_t state_token(const struct state *state)
{
	return state->head.token;
}

static void write_item(struct state *state, enum kind kind, const char *name)
{
	size_t length = strlen(name);

	if (length > UCHAR_MAX)
		bug("the name \"%s\" is too long", name);
	buffer_add_char(&state->out, (char)kind);
	buffer_add_char(&state->out, (char)length);
	buffer_add(&state->out, name, length);
}

static bool take(struct state *state, void *bytes, size_t length)
{
	if (state->wrong != NULL)
		return false;
	if ((size_t)(state->end - state->next) < length) {
		state_fail(state, "the state is cut off in its part %s", state->part);
		return false;
	}
	memcpy(bytes, state->next, length);
	state->next += length;
	return true;
}

/* False: something is wrong, now or before. */
static bool read_item(struct state *state, enum kind kind, const char *name)
{
	char found[UCHAR_MAX + 1];
	unsigned char head[2];

	if (!take(state, head, sizeof(head)) || !take(state, found, head[1]))
		return false;
	found[head[1]] = '\0';
	if (head[0] == (unsigned char)kind && strcmp(found, name) == 0)
		return true;
	for (char *c = found; *c != '\0'; c++)
		*c = *c > ' ' && *c < 0x7f ? *c : '?';
	state_fail(state, "part %s of the state has \"%s\" where \"%s\" is expected", state->part,
	    found, name);
	return false;
}

static uint64_t pass_word(struct state *state, enum kind kind, const char *name, uint64_t word)
{
	if (!state->read) {
		write_item(state, kind, name);
		buffer_add(&state->out, (const char *)&word, sizeof(word));
		return word;
	}
	word = 0;
	if (read_item(state, kind, name))
		take(state, &word, sizeof(word));
	return word;
}

/* The length of the bytes of an item that follow; NO_TEXT: there are none, or something is wrong.
 */
static uint32_t pass_length(struct state *state, const char *name, uint32_t length)
{
	if (!state->read) {
		write_item(state, BYTES, name);
		buffer_add(&state->out, (const char *)&length, sizeof(length));
		return length;
	}
	length = NO_TEXT;
	if (!read_item(state, BYTES, name) || !take(state, &length, sizeof(length)))
		return NO_TEXT;
	return length;
}

static void out_of_range(struct state *state, const char *name)
{
	state_fail(
	    state, "part %s of the state: \"%s\" is no value that it can have", state->part, name);
}

void state_part(struct state *state, const char *name)
{
	if (!state->read)
		write_item(state, PART, name);
	else if (!read_item(state, PART, name))
		return;
	state->part = name;
}

long long state_number(
    struct state *state, const char *name, long long value, long long least, long long most)
{
	value = (long long)pass_word(state, NUMBER, name, (uint64_t)value);
	if (value >= least && value <= most && state->wrong == NULL)
		return value;
	out_of_range(state, name);
	return state->read ? least : value; /* what is written is alive, and stays as it is */
}

/* Each of them takes a byte at least: nobody makes room for more than can come. */
size_t state_count(struct state *state, const char *name, size_t count, size_t most)
{
	count = (size_t)state_number(state, name, (long long)count, 0, (long long)most);
	if (!state->read || count <= (size_t)(state->end - state->next))
		return count;
	out_of_range(state, name);
	return 0;
}

bool state_flag(struct state *state, const char *name, bool flag)
{
	return state_number(state, name, flag, 0, 1) != 0;
}

void state_numbers(struct state *state, const char *name, uint64_t *number, size_t count)
{
	size_t length = count * sizeof(*number);

	state_bytes(state, name, number, &length, length);
	if (length != count * sizeof(*number))
		out_of_range(state, name);
}

const char *state_text(struct state *state, struct arena *arena, const char *name, const char *text)
{
	uint32_t length = pass_length(state, name, text != NULL ? (uint32_t)strlen(text) : NO_TEXT);

	if (!state->read) {
		if (text != NULL)
			buffer_add(&state->out, text, length);
		return text;
	}
	if (length == NO_TEXT)
		return NULL;
	if ((size_t)(state->end - state->next) < length ||
	    memchr(state->next, '\0', length) != NULL) {
		out_of_range(state, name);
		return NULL;
	}
	text = arena_copy(arena, state->next, length);
	state->next += length;
	return text;
}

void state_bytes(struct state *state, const char *name, void *bytes, size_t *length, size_t room)
{
	uint32_t found = pass_length(state, name, (uint32_t)*length);

	if (!state->read) {
		buffer_add(&state->out, bytes, *length);
		return;
	}
	*length = 0;
	if (found > room) /* NO_TEXT, too */
		out_of_range(state, name);
	else if (take(state, bytes, found))
		*length = found;
}

/* --- descriptors ------------------------------------------------------------------------------ */

bool state_keep_descriptors(const struct state *state, bool keep)
{
	for (size_t i = 0; i < state->fds; i++)
		if (fcntl(state->fd[i], F_SETFD, keep ? 0 : FD_CLOEXEC) < 0)
			return false;
	return true;
}

static void list_descriptor(struct state *state, int fd)
{
	if (state->fds == state->room) {
		size_t room = state->room * 2 + 64;

		state->fd = arena_grow(
		    state->arena, state->fd, state->room * sizeof(int), room * sizeof(int));
		state->room = room;
	}
	state->fd[state->fds++] = fd;
}

/* Two who close the same one would close what somebody else has opened between. */
static bool is_listed(const struct state *state, int fd)
{
	for (size_t i = 0; i < state->fds; i++)
		if (state->fd[i] == fd)
			return true;
	return false;
}

int state_descriptor(struct state *state, const char *name, int fd)
{
	long long found = (long long)pass_word(state, DESCRIPTOR, name, (uint64_t)(long long)fd);

	if (!state->read) {
		if (fd >= 0)
			list_descriptor(state, fd);
		return fd;
	}
	if (state->wrong != NULL || found == -1)
		return -1;
	if (found < LOWEST || found > INT_MAX || is_listed(state, (int)found) ||
	    fcntl((int)found, F_SETFD, FD_CLOEXEC) < 0) {
		state_fail(state,
		    "part %s of the state: \"%s\" is descriptor %lld, which is not there",
		    state->part, name, found);
		return -1;
	}
	list_descriptor(state, (int)found);
	return (int)found;
}
