/* upgrade.c - from one ostlerd to the next, in the same process. */
#include "supervisor/upgrade/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/output/sink.h"
#include "supervisor/pool/reload.h"
#include "supervisor/process/inquest.h"
#include "supervisor/record/events.h"
#include "supervisor/upgrade/state.h"

#define VERSION_ROOM 64

struct upgrade {
	struct pools *pools;
	struct loop *loop;
	struct upgrade_wish wish;
	unsigned long long number; /* of the last that was asked for */
	enum upgrade_result result;
	char text[EXAMINER_TEXT + 64];
	struct examiner *examiner; /* NULL: it has not begun, or said yes */
	int64_t deadline;
	bool waited;               /* for those who look at workers, at the last turn */
	char before[VERSION_ROOM]; /* the version of the ostlerd before us */
};

struct upgrade *upgrade_new(
    struct arena *arena, struct pools *pools, struct loop *loop, const struct upgrade_wish *wish)
{
	struct upgrade *upgrade = arena_alloc(arena, sizeof(*upgrade));

	*upgrade = (struct upgrade){
		.pools = pools, .loop = loop, .wish = *wish, .result = UPGRADE_FAILED
	};
	return upgrade;
}

void upgrade_free(struct upgrade **upgrade)
{
	if (*upgrade != NULL)
		examiner_free(&(*upgrade)->examiner);
	*upgrade = NULL;
}

static void fail(struct upgrade *upgrade, const char *why)
{
	examiner_free(&upgrade->examiner);
	upgrade->result = UPGRADE_FAILED;
	snprintf(upgrade->text, sizeof(upgrade->text), "%s", why);
	event_master(EVENT_UPGRADE_REFUSED, "%s", why);
	log_warn("upgrade %llu is refused, and nothing has changed: %s", upgrade->number, why);
}

static void fail_with_errno(struct upgrade *upgrade, const char *what)
{
	char why[256];

	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	fail(upgrade, why);
}

bool upgrade_is_under_way(const struct upgrade *upgrade)
{
	return upgrade != NULL &&
	       (upgrade->result == UPGRADE_PENDING || upgrade->result == UPGRADE_ACCEPTED);
}

static const char *find_obstacle(const struct upgrade *upgrade)
{
	if (upgrade_is_under_way(upgrade))
		return "an upgrade is under way already";
	if (upgrade->pools->stopping != STOP_NOT)
		return "all is being stopped";
	if (reload_is_under_way(upgrade->pools->reload))
		return "a reload is under way; ask again when it has ended";
	return NULL;
}

static struct state *write_state(const struct upgrade *upgrade)
{
	struct state *state = state_new();

	upgrade->wish.write(upgrade->wish.owner, state);
	state_end(state);
	return state;
}

static void examine(struct upgrade *upgrade, const struct state *state, int64_t now)
{
	if (state_wrong(state) != NULL) {
		fail(upgrade, state_wrong(state));
		return;
	}
	upgrade->deadline = now + upgrade->wish.patience;
	upgrade->examiner = examiner_begin(upgrade->loop, &upgrade->wish.candidate, state);
	if (upgrade->examiner == NULL)
		fail_with_errno(upgrade, "the next ostlerd cannot be asked");
}

const char *upgrade_ask(struct upgrade *upgrade, const char *who, unsigned long long *number)
{
	const char *obstacle = find_obstacle(upgrade);
	struct state *state;

	event_master(EVENT_UPGRADE, "%s: %s", who, upgrade->wish.candidate.program);
	if (obstacle != NULL) {
		event_master(EVENT_UPGRADE_REFUSED, "%s", obstacle);
		log_warn("%s: no upgrade now: %s", who, obstacle);
		return obstacle;
	}
	*number = ++upgrade->number;
	upgrade->result = UPGRADE_PENDING;
	upgrade->text[0] = '\0';
	log_info("upgrade %llu: asks %s whether it can take over", upgrade->number,
	    upgrade->wish.candidate.program);
	state = write_state(upgrade);
	examine(upgrade, state, clock_now());
	state_free(&state);
	return NULL;
}

bool upgrade_hear_end(struct upgrade *upgrade, pid_t pid, const struct ending *ending)
{
	return upgrade != NULL && examiner_hear_end(upgrade->examiner, pid, ending);
}

/* Whether it has said yes; otherwise the upgrade has failed. */
static bool judge(struct upgrade *upgrade)
{
	char text[EXAMINER_TEXT];
	const char *wrong = examiner_verdict(upgrade->examiner, text);

	if (wrong != NULL)
		fail(upgrade, wrong);
	else
		examiner_free(&upgrade->examiner);
	return wrong == NULL;
}

/* Returns only if it cannot be done: then everything is as it was. */
static void become(struct upgrade *upgrade, const struct state *state)
{
	const struct candidate *next = &upgrade->wish.candidate;
	int fd = state_seal(state);
	char number[16];
	/* execv promises not to change its arguments; its prototype is older than const. */
	char *arguments[] = { (char *)next->program, (char *)"-c", (char *)next->file,
		(char *)EXAMINER_TAKE, number, NULL };
	int error;

	snprintf(number, sizeof(number), "%d", fd);
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) == 0 && state_keep_descriptors(state, true))
		execv(next->program, arguments);
	error = errno;
	if (fd >= 0)
		close(fd);
	if (!state_keep_descriptors(state, false))
		log_error("descriptors stay open in workers to come: %s", strerror(errno));
	errno = error;
	fail_with_errno(upgrade, next->program);
}

/* From here on nothing is heard and nothing is done: what is examined is what is handed over. */
static void hand_over(struct upgrade *upgrade)
{
	int64_t now = clock_now();
	struct state *state;

	sinks_flush(now);
	state = write_state(upgrade);
	examine(upgrade, state, now);
	if (upgrade->examiner != NULL) {
		examiner_wait(upgrade->examiner, upgrade->deadline);
		if (judge(upgrade))
			become(upgrade, state);
	}
	state_free(&state);
}

/*
 * Who is being looked at for hanging is seen by a process of ours, whose words would be
 * lost; and who asked for it is to hear of its end first, which takes a turn more.
 */
static bool must_wait(struct upgrade *upgrade)
{
	bool now = inquests_are_under_way(upgrade->pools->inquests);
	bool before = upgrade->waited;

	upgrade->waited = now;
	return now || before;
}

/* The next ostlerd can, and it is our turn. */
static int64_t go_on(struct upgrade *upgrade, int64_t now)
{
	if (!must_wait(upgrade))
		hand_over(upgrade);
	else if (upgrade->waited && now >= upgrade->deadline)
		fail(upgrade, "workers are being traced all the time");
	else if (upgrade->waited)
		return upgrade->deadline;
	return now;
}

int64_t upgrade_tick(struct upgrade *upgrade, int64_t now)
{
	if (!upgrade_is_under_way(upgrade))
		return LOOP_FOREVER;
	if (upgrade->pools->stopping != STOP_NOT) {
		fail(upgrade, "all is being stopped");
	} else if (upgrade->result == UPGRADE_ACCEPTED) {
		return go_on(upgrade, now);
	} else if (examiner_has_ended(upgrade->examiner)) {
		/* Who waits for no more than this is told first. */
		if (judge(upgrade))
			upgrade->result = UPGRADE_ACCEPTED;
	} else if (now >= upgrade->deadline) {
		judge(upgrade);
	} else {
		return upgrade->deadline;
	}
	return now;
}

enum upgrade_result upgrade_result(
    const struct upgrade *upgrade, unsigned long long number, const char **text)
{
	*text = number == upgrade->number ? upgrade->text : "it was long ago";
	return number == upgrade->number ? upgrade->result : UPGRADE_FAILED;
}

void upgrade_pass(struct state *state, struct upgrade *upgrade)
{
	char version[VERSION_ROOM] = OSTLER_VERSION;
	size_t length = strlen(version);

	state_part(state, "upgrade");
	upgrade->number = (unsigned long long)state_number(
	    state, "number", (long long)upgrade->number, 0, INT64_MAX);
	state_bytes(state, "version", version, &length, sizeof(version) - 1);
	version[length] = '\0';
	if (state_is_read(state))
		memcpy(upgrade->before, version, sizeof(version));
}

void upgrade_finish(struct upgrade *upgrade)
{
	upgrade->result = UPGRADE_DONE;
	snprintf(upgrade->text, sizeof(upgrade->text), "from ostlerd %s to ostlerd %s",
	    upgrade->before, OSTLER_VERSION);
	event_master(EVENT_UPGRADE_DONE, "%s", upgrade->text);
	log_info("upgrade %llu: done, %s", upgrade->number, upgrade->text);
}
