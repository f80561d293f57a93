/* place.c - the right to the path of a unix socket, which one generation leaves to the next. */
#include "supervisor/system/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "supervisor/system/address.h"
#include "supervisor/system/lockfile.h"
#include "supervisor/upgrade/state.h"

struct place {
	unsigned holders;
	int lock;
	char lock_path[ADDRESS_PATH_MAX + sizeof(".lock")];
};

static struct place *make(void)
{
	struct place *place = calloc(1, sizeof(*place));

	if (place == NULL)
		die("out of memory");
	place->holders = 1;
	place->lock = -1;
	return place;
}

struct place *place_take(struct arena *arena, const char *path, const char **wrong)
{
	struct place *place = make();

	*wrong = NULL;
	snprintf(place->lock_path, sizeof(place->lock_path), "%s.lock", path);
	place->lock = lockfile_take(place->lock_path, 0600);
	if (place->lock >= 0)
		return place;
	if (errno == EWOULDBLOCK)
		*wrong = arena_print(
		    arena, "%s: another ostlerd has it; end that, or choose another path", path);
	else
		*wrong = arena_print(
		    arena, "cannot lock %s: %s", place->lock_path, strerror(errno));
	free(place);
	return NULL;
}

struct place *place_hold(struct place *place)
{
	place->holders++;
	return place;
}

void place_leave(struct place **left)
{
	struct place *place = *left;

	*left = NULL;
	if (place == NULL || --place->holders > 0)
		return;
	lockfile_drop(place->lock_path, &place->lock);
	free(place);
}

static const struct state_field fields[] = {
	{ STATE_FIELD(struct place, lock_path) },
	{ 0 },
};

struct place *place_pass(struct state *state, struct place *place)
{
	if (state_is_read(state))
		place = make();
	state_fields(state, fields, place);
	place->lock = state_descriptor(state, "lock", place->lock);
	if (place->lock < 0)
		state_fail(state, "there is no lock on %s", place->lock_path);
	return place;
}
