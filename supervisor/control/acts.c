/* acts.c - the verbs that change something in the life of pools: reload, scale, drain … */
#include "supervisor/control/acts.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "supervisor/pool/autoscale.h"
#include "supervisor/pool/generation.h"
#include "supervisor/pool/lifecycle.h"
#include "supervisor/pool/reload.h"
#include "supervisor/record/events.h"
#include "supervisor/upgrade/upgrade.h"

static char *refuse(const struct pool *pool, const char *why)
{
	char message[256];

	snprintf(message, sizeof(message), "%s: %s", pool->name, why);
	return wire_error(message);
}

static char *refuse_unknown(const char *name)
{
	char message[128];

	snprintf(message, sizeof(message), "there is no pool \"%s\"", name);
	return wire_error(message);
}

/* Whether the configuration names it now is known later; who waits is told then. */
static char *refuse_coming(const char *name)
{
	char message[256];

	snprintf(message, sizeof(message),
	    "there is no pool \"%s\"; one that is new in the configuration comes with a reload "
	    "of all, or with --wait",
	    name);
	return wire_error(message);
}

static char *say_failure(unsigned long long number, const char *why)
{
	char message[4096];

	snprintf(message, sizeof(message), "reload %llu has failed:\n%s", number,
	    why != NULL ? why : "");
	return wire_error(message);
}

/* The position of the conversation is the number of the reload, whose end it waits for. */
static char *tell_result(struct conversation *talk)
{
	bool drained = strcmp(talk->request.until, "drained") == 0;
	const char *why;
	char message[64];

	talk->goes_on = false;
	switch (reload_result(talk->pools->reload, talk->position, &why)) {
	case RELOAD_FAILED:
		return say_failure(talk->position, why);
	case RELOAD_SWITCHED:
		if (drained)
			break;
		/* fall through */
	case RELOAD_DRAINED:
		snprintf(message, sizeof(message), "reload %llu: %s", talk->position,
		    drained ? "done, and the old processes have ended" : "done");
		return wire_say(message);
	case RELOAD_PENDING:
		break;
	}
	talk->goes_on = true;
	return NULL;
}

/* A pool that is not there yet may be in the new configuration. */
static char *ask(struct conversation *talk, enum reload_kind kind)
{
	const char *pool = talk->request.pool;
	struct reload_wish wish = { .kind = kind, .pool = pool[0] != '\0' ? pool : NULL };
	char message[64];

	if (talk->position != 0)
		return tell_result(talk);
	if (pool[0] != '\0' && talk->request.until[0] == '\0' &&
	    pools_find(talk->pools, pool) == NULL)
		return refuse_coming(pool);
	wish.who = "ostlerctl";
	talk->position = reload_ask(talk->pools->reload, &wish);
	if (talk->request.until[0] != '\0') {
		talk->goes_on = true;
		return NULL;
	}
	snprintf(message, sizeof(message), "reload %llu is asked for", talk->position);
	return wire_say(message);
}

char *act_reload(struct conversation *talk)
{
	return ask(talk, talk->request.pool[0] != '\0' ? RELOAD_ANYWAY : RELOAD_CHANGED);
}

/* Without a name, all that can be done without an interruption. */
char *act_restart(struct conversation *talk)
{
	return ask(talk, talk->request.pool[0] != '\0' ? RELOAD_RESTART : RELOAD_ANYWAY);
}

char *act_scale(struct conversation *talk)
{
	struct pool *pool = pools_find(talk->pools, talk->request.pool);
	const char *wrong;
	char message[128];

	if (pool == NULL)
		return refuse_unknown(talk->request.pool);
	wrong = lifecycle_scale(pool, talk->request.number, clock_now());
	if (wrong != NULL)
		return refuse(pool, wrong);
	snprintf(message, sizeof(message), "%s: %zu workers%s", pool->name,
	    generation_staying(pool->generation),
	    autoscale_is_on(pool) ? " now; their number follows demand" : "");
	return wire_say(message);
}

char *act_drain(struct conversation *talk)
{
	const char *name = talk->request.pool;
	struct pool *pool = pools_find(talk->pools, name);
	const char *wrong;

	if (name[0] == '\0')
		return lifecycle_drain_all(talk->pools, clock_now()) > 0
			   ? wire_say("all FastCGI pools take nothing new")
			   : wire_error("there is no FastCGI pool");
	if (pool == NULL)
		return refuse_unknown(name);
	wrong = lifecycle_drain(pool, clock_now());
	return wrong != NULL ? refuse(pool, wrong) : wire_say("it takes nothing new");
}

/* One reload for all that are drained. */
char *act_resume(struct conversation *talk)
{
	const char *name = talk->request.pool;
	struct reload_wish wish = { .kind = RELOAD_RESTART, .who = "ostlerctl resume" };

	if (talk->position != 0)
		return tell_result(talk);
	if (name[0] != '\0' && pools_find(talk->pools, name) == NULL)
		return refuse_unknown(name);
	for (size_t i = 0; i < talk->pools->count; i++) {
		const struct pool *pool = talk->pools->pool[i];

		wish.pool = pool->name;
		if (!pool->drained || (name[0] != '\0' && strcmp(pool->name, name) != 0))
			continue;
		event_pool(EVENT_RESUME, pool, "takes requests again, with its next generation");
		talk->position = reload_ask(talk->pools->reload, &wish);
	}
	if (talk->position == 0)
		return wire_error("no such pool is drained");
	talk->goes_on = talk->request.until[0] != '\0';
	return talk->goes_on ? NULL : wire_say("it starts again");
}

/* Who waits to the end is answered by the next ostlerd, to which the conversation goes over. */
static char *tell_upgrade(struct conversation *talk)
{
	const char *text;
	char message[EXAMINER_TEXT + 128];

	talk->goes_on = false;
	switch (upgrade_result(talk->pools->upgrade, talk->position, &text)) {
	case UPGRADE_FAILED:
		snprintf(message, sizeof(message),
		    "the upgrade is refused, and nothing has changed: %s", text);
		return wire_error(message);
	case UPGRADE_ACCEPTED:
		if (talk->request.until[0] != '\0')
			break;
		return wire_say("the next ostlerd has been asked, and takes over now");
	case UPGRADE_DONE:
		snprintf(message, sizeof(message), "upgrade %llu: done, %s", talk->position, text);
		return wire_say(message);
	case UPGRADE_PENDING:
		break;
	}
	talk->goes_on = true;
	return NULL;
}

char *act_upgrade(struct conversation *talk)
{
	const char *obstacle;

	if (talk->position != 0)
		return tell_upgrade(talk);
	obstacle = upgrade_ask(talk->pools->upgrade, "ostlerctl", &talk->position);
	if (obstacle != NULL)
		return wire_error(obstacle);
	return tell_upgrade(talk);
}
