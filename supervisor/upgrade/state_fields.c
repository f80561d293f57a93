/* state_fields.c - the members of a struct, by a table, in a state that is written or read. */
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/upgrade/state.h"

static uint64_t load(const struct state_field *field, const void *member)
{
	uint64_t number = 0;
	int32_t small;

	if (field->size == sizeof(uint64_t)) {
		memcpy(&number, member, sizeof(number));
		return number;
	}
	memcpy(&small, member, sizeof(small));
	return field->form == STATE_SIGNED ? (uint64_t)(int64_t)small : (uint32_t)small;
}

static void store(const struct state_field *field, uint64_t number, void *member)
{
	uint32_t small = (uint32_t)number;

	if (field->size == sizeof(number))
		memcpy(member, &number, sizeof(number));
	else
		memcpy(member, &small, sizeof(small));
}

/* A number of 8 bytes without a sign goes by its bits, so all of them fit. */
static long long least_of(const struct state_field *field)
{
	if (field->least != 0 || field->most != 0)
		return field->least;
	if (field->size == sizeof(uint64_t))
		return LLONG_MIN;
	return field->form == STATE_SIGNED ? INT32_MIN : 0;
}

static long long most_of(const struct state_field *field)
{
	if (field->least != 0 || field->most != 0)
		return field->most;
	if (field->size == sizeof(uint64_t))
		return LLONG_MAX;
	return field->form == STATE_SIGNED ? INT32_MAX : UINT32_MAX;
}

static void pass_number(struct state *state, const struct state_field *field, void *member)
{
	uint64_t number;

	if (field->size != sizeof(uint32_t) && field->size != sizeof(uint64_t))
		bug("%s has %zu bytes", field->name, field->size);
	number = (uint64_t)state_number(
	    state, field->name, (long long)load(field, member), least_of(field), most_of(field));
	if (state_is_read(state) && state_wrong(state) == NULL)
		store(field, number, member);
}

static void pass_characters(struct state *state, const struct state_field *field, char *member)
{
	size_t length = state_is_read(state) ? 0 : strnlen(member, field->size - 1);

	state_bytes(state, field->name, member, &length, field->size - 1);
	if (!state_is_read(state))
		return;
	member[length] = '\0';
	if (strlen(member) != length)
		state_fail(state, "\"%s\" of the state has a NUL in it", field->name);
}

void state_fields(struct state *state, const struct state_field *fields, void *object)
{
	for (const struct state_field *field = fields; field->name != NULL; field++) {
		void *member = (char *)object + field->offset;

		if (state_version(state) < field->since)
			continue;
		if (field->form == STATE_CHARACTERS)
			pass_characters(state, field, member);
		else if (field->form == STATE_BOOLEAN)
			*(bool *)member = state_flag(state, field->name, *(bool *)member);
		else
			pass_number(state, field, member);
	}
}
