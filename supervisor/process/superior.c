/* superior.c - who has started us and wants to know how we are: systemd(1), by sd_notify(3). */
#include "supervisor/process/superior.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/pool/reload.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/upgrade/state.h"
#include "supervisor/upgrade/upgrade.h"

#define MESSAGE_ROOM 1024
#define STATUS_ROOM  256

/* A message that could not be sent is sent again, as things stand then. */
#define AGAIN (SECOND_US / 10)

/* What he has been told, or is to be told. */
struct account {
	bool ready, reloading, stopping;
	char status[STATUS_ROOM];
	int64_t next_extension, next_watchdog; /* clock_now */
};

struct superior {
	struct sockaddr_un address;
	socklen_t length;
	int fd;
	int64_t extend, watchdog; /* microseconds; watchdog 0: he does not ask for it */
	struct account told;
	bool deaf; /* he did not take the last message, and that has been logged */
};

/* --- how things stand ------------------------------------------------------------------------- */

/* Whether nothing is to be waited for: it has started, has failed to, or waits for one that has. */
static bool is_settled(const struct pools *pools, const struct pool *pool)
{
	enum pool_state state = pool_state(pools, pool);

	if (state != POOL_WAITING)
		return state != POOL_STARTING;
	for (size_t i = 0; i < pools->count; i++)
		if (pool_comes_after(pools, pool, pools->pool[i]) &&
		    pool_state(pools, pools->pool[i]) == POOL_FAILING)
			return true;
	return false;
}

/* A pool that cannot start keeps neither the others from serving nor the unit from being up. */
static bool all_settled(const struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		if (!is_settled(pools, pools->pool[i]))
			return false;
	return true;
}

static size_t count_ready(const struct pools *pools)
{
	size_t count = 0;

	for (size_t i = 0; i < pools->count; i++)
		count += pool_is_ready(pools->pool[i]);
	return count;
}

static size_t count_at_rest(const struct pools *pools)
{
	size_t count = 0;

	for (size_t i = 0; i < pools->count; i++)
		count += pool_is_at_rest(pools->pool[i]);
	return count;
}

/* The first pool that is not as it should be, for the person to look at. */
static const struct pool *first_trouble(const struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++)
		if (!pool_is_ready(pools->pool[i]))
			return pools->pool[i];
	return NULL;
}

static void describe(const struct pools *pools, const struct account *is, char *text)
{
	const struct pool *pool = first_trouble(pools);

	if (is->stopping)
		snprintf(text, STATUS_ROOM, "Stopping: %zu of %zu pools have ended",
		    count_at_rest(pools), pools->count);
	else if (is->reloading)
		snprintf(text, STATUS_ROOM, "%s",
		    upgrade_is_under_way(pools->upgrade) ? "Upgrading" : "Reloading");
	else if (pool == NULL)
		snprintf(text, STATUS_ROOM, "Running: all %zu pools are ready", pools->count);
	else
		snprintf(text, STATUS_ROOM, "%s: %zu of %zu pools are ready; %s is %s",
		    is->ready ? "Degraded" : "Starting", count_ready(pools), pools->count,
		    pool->name, pool_state_names[pool_state(pools, pool)]);
}

/* --- what is said of it ----------------------------------------------------------------------- */

struct message {
	char text[MESSAGE_ROOM];
	size_t length;
};

static void add(struct message *message, const char *format, ...) PRINTF_LIKE(2, 3);

/* All that can be said at once fits. */
static void add(struct message *message, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	message->length += (size_t)vsnprintf(message->text + message->length,
	    sizeof(message->text) - message->length, format, values);
	va_end(values);
}

/* A reload is over with READY=1, as the start is: sd_notify(3). */
static void add_changes(
    struct message *message, const struct account *told, const struct account *is, int64_t now)
{
	if (is->stopping && !told->stopping)
		add(message, "STOPPING=1\n");
	else if (is->reloading && !told->reloading)
		add(message, "RELOADING=1\nMONOTONIC_USEC=%lld\n", (long long)now);
	else if (is->ready && (!told->ready || told->reloading) && !is->reloading && !is->stopping)
		add(message, "READY=1\n");
	if (strcmp(is->status, told->status) != 0)
		add(message, "STATUS=%s\n", is->status);
}

/* His patience is for what hangs; this is at work, and how long that takes is ours to limit. */
static void add_patience(
    struct message *message, const struct superior *superior, struct account *is, int64_t now)
{
	if (is->ready && !is->reloading && !is->stopping) {
		is->next_extension = 0;
		return;
	}
	if (now < is->next_extension)
		return;
	add(message, "EXTEND_TIMEOUT_USEC=%lld\n", (long long)superior->extend * 3);
	is->next_extension = now + superior->extend;
}

static void add_watchdog(
    struct message *message, const struct superior *superior, struct account *is, int64_t now)
{
	if (superior->watchdog == 0 || now < is->next_watchdog)
		return;
	add(message, "WATCHDOG=1\n");
	is->next_watchdog = now + superior->watchdog;
}

/* Never waits: a manager that reads nothing must not hold up the workers. */
static bool send_to(struct superior *superior, const struct message *message)
{
	if (sendto(superior->fd, message->text, message->length - 1, MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&superior->address, superior->length) >= 0) {
		superior->deaf = false;
		return true;
	}
	if (!superior->deaf)
		log_warn("the service manager does not take what it is told: %s", strerror(errno));
	superior->deaf = true;
	return false;
}

static int64_t next_time(const struct superior *superior, int64_t now)
{
	const struct account *told = &superior->told;
	int64_t next = LOOP_FOREVER;

	if (told->next_extension != 0)
		next = told->next_extension;
	if (superior->watchdog != 0 && told->next_watchdog < next)
		next = told->next_watchdog;
	return next > now ? next : now;
}

int64_t superior_tick(struct superior *superior, const struct pools *pools, int64_t now)
{
	struct message message = { .length = 0 };
	struct account is;

	if (superior == NULL)
		return LOOP_FOREVER;
	is = superior->told;
	is.stopping = pools->stopping != STOP_NOT;
	is.ready = is.ready || (!is.stopping && all_settled(pools));
	/* Before the first READY=1 there is nothing that could be loaded again. */
	is.reloading = is.ready && !is.stopping &&
		       (reload_is_under_way(pools->reload) || upgrade_is_under_way(pools->upgrade));
	describe(pools, &is, is.status);
	add_changes(&message, &superior->told, &is, now);
	add_patience(&message, superior, &is, now);
	add_watchdog(&message, superior, &is, now);
	if (message.length > 0 && !send_to(superior, &message))
		return now + AGAIN;
	superior->told = is;
	return next_time(superior, now);
}

/* --- who he is -------------------------------------------------------------------------------- */

/* A path, or a name in the abstract namespace behind an '@': unix(7). */
static bool find_address(struct superior *superior, const char *name)
{
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length >= sizeof(superior->address.sun_path))
		return false;
	superior->address.sun_family = AF_UNIX;
	memcpy(superior->address.sun_path, name, length);
	if (name[0] == '@')
		superior->address.sun_path[0] = '\0';
	superior->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return true;
}

/* Twice as often as he must hear of us: sd_watchdog_enabled(3). */
static int64_t find_watchdog(void)
{
	const char *pid = getenv("WATCHDOG_PID"), *time = getenv("WATCHDOG_USEC");
	long long number, microseconds;

	if (time == NULL || !text_to_integer(time, &microseconds) || microseconds <= 0)
		return 0;
	if (pid != NULL && (!text_to_integer(pid, &number) || number != getpid()))
		return 0;
	return microseconds > 1 ? microseconds / 2 : 1;
}

struct superior *superior_open(struct arena *arena, int64_t extend)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct superior *superior = NULL;

	if (name != NULL && name[0] != '\0') {
		superior = arena_alloc(arena, sizeof(*superior));
		*superior =
		    (struct superior){ .fd = -1, .extend = extend, .watchdog = find_watchdog() };
		if (find_address(superior, name))
			superior->fd = descriptor_raise(
			    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		if (superior->fd < 0) {
			log_warn("NOTIFY_SOCKET=%s: nobody can be told there", name);
			superior = NULL;
		}
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return superior;
}

void superior_close(struct superior **superior)
{
	if (*superior == NULL)
		return;
	close((*superior)->fd);
	*superior = NULL;
}

static const struct state_field fields[] = {
	{ STATE_FIELD(struct superior, extend) },
	{ STATE_FIELD(struct superior, watchdog) },
	{ STATE_FIELD(struct superior, deaf) },
	{ STATE_FIELD(struct superior, told.ready) },
	{ STATE_FIELD(struct superior, told.reloading) },
	{ STATE_FIELD(struct superior, told.stopping) },
	{ STATE_FIELD(struct superior, told.status) },
	{ STATE_FIELD(struct superior, told.next_extension) },
	{ STATE_FIELD(struct superior, told.next_watchdog) },
	{ 0 },
};

struct superior *superior_pass(struct state *state, struct arena *arena, struct superior *superior)
{
	size_t length = superior != NULL ? superior->length : 0;

	state_part(state, "superior");
	if (!state_flag(state, "superior", superior != NULL))
		return NULL;
	if (state_is_read(state))
		superior = arena_alloc(arena, sizeof(*superior));
	state_bytes(state, "address", &superior->address, &length, sizeof(superior->address));
	superior->length = (socklen_t)length;
	superior->fd = state_descriptor(state, "socket", superior->fd);
	state_fields(state, fields, superior);
	return superior;
}
