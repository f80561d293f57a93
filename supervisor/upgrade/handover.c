/* handover.c - all that one ostlerd hands over to the next, in its order. */
#include "supervisor/upgrade/handover.h"

#include "base/log.h"
#include "supervisor/control/control.h"
#include "supervisor/output/capture.h"
#include "supervisor/output/recent.h"
#include "supervisor/output/sink.h"
#include "supervisor/pool/reload.h"
#include "supervisor/process/notify.h"
#include "supervisor/process/superior.h"
#include "supervisor/record/events.h"
#include "supervisor/record/ledger.h"
#include "supervisor/system/cgroup.h"
#include "supervisor/upgrade/estate.h"
#include "supervisor/upgrade/state.h"

static const struct state_field fields[] = {
	{ STATE_FIELD(struct handover, looked) },
	{ STATE_FIELD(struct handover, all_ready_told) },
	{ 0 },
};

static enum log_level present_level(void)
{
	enum log_level level = LOG_DEBUG;

	while (level < LOG_ERROR && !log_wants(level))
		level++;
	return level;
}

/* A reload may have changed it since the start. */
static void pass_log(struct state *state)
{
	long long level = state_number(state, "log level", present_level(), LOG_DEBUG, LOG_ERROR);
	bool json = state_flag(state, "log is json", log_is_json());

	if (state_is_read(state) && state_wrong(state) == NULL)
		log_setup((enum log_level)level, json ? LOG_JSON : LOG_TEXT);
}

static void pass_records(struct state *state, struct handover *h)
{
	sinks_pass(state);
	recent_pass(state);
	events_pass(state);
	ledgers_pass(state, h->spawner->ledgers);
	captures_pass(state, h->spawner->captures);
}

static void pass_pools(struct state *state, struct handover *h)
{
	struct estate estate = {
		.arena = h->arena, .pools = h->pools, .spawner = h->spawner, .started = h->edition
	};

	state_part(state, "cgroups");
	h->spawner->cgroups = cgroups_pass(state, h->arena, h->spawner->cgroups);
	estate_pass(state, &estate);
	h->edition = estate.started;
}

/* What is known of earlier wishes, for those who ask for their ends. */
static void pass_wishes(struct state *state, struct handover *h)
{
	const struct conf *conf = edition_conf(h->edition);

	if (state_is_read(state)) {
		h->wish.patience = conf->upgrade_timeout * 1000;
		h->pools->reload = reload_new(h->pools, h->loop, h->wish.candidate.file, conf);
		h->pools->upgrade = upgrade_new(h->arena, h->pools, h->loop, &h->wish);
	}
	reload_pass(state, h->pools->reload);
	upgrade_pass(state, h->pools->upgrade);
}

static void pass_speakers(struct state *state, struct handover *h)
{
	h->superior = superior_pass(state, h->arena, h->superior);
	if (state_is_read(state)) {
		h->notify = notify_take_over(state, h->arena, h->loop, h->pools);
		h->control = control_take_over(state, h->arena, h->loop, h->pools);
	} else {
		notify_hand_over(state, h->notify);
		control_hand_over(state, h->control);
	}
	guardian_pass(state, h->spawner->guardian, &h->guardian);
}

void handover_pass(struct state *state, struct handover *h)
{
	state_part(state, "ostlerd");
	state_fields(state, fields, h);
	h->pid_file = state_descriptor(state, "pid file", h->pid_file);
	pass_log(state);
	pass_records(state, h);
	pass_pools(state, h);
	if (state_wrong(state) != NULL)
		return;
	pass_wishes(state, h);
	pass_speakers(state, h);
}
