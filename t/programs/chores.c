/*
 * chores.c - a program of one feature that has work for later, good and bad.
 *
 * The tests of the queue and `make bench-jobs` use it; its table, in which an
 * effect leaves its trace, is made by t/lib/Ostler/Chores.pm.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "core/core.h"
#include "program.h"

struct chore {
	const char *name;
	long long ms;
};
struct monthly {
	const char *mes, *note;
};
struct order {
	const char *kind, *args, *run_at;
	long long delay_ms, count;
	bool fail;
};
struct made {
	const char *id;
};
struct person {
	long long id;
	const char *name, *role;
};

/* clang-format off */
static const struct shape chore = SHAPE(struct chore,
	{ FIELD(struct chore, name), .min = 1, .max = 100, .required = true },
	{ FIELD(struct chore, ms), .min = 0, .max = 600000, .preset = "0" });

static const struct shape monthly = SHAPE(struct monthly,
	{ FIELD_AS(struct monthly, mes, MONTH), .required = true },
	{ FIELD(struct monthly, note), .max = 100 });

static const struct shape order = SHAPE(struct order,
	{ FIELD(struct order, kind), .max = 100, .preset = "chores.note" },
	{ FIELD(struct order, args), .max = 10000, .preset = "{\"name\":\"x\"}" },
	{ FIELD_AS(struct order, run_at, TIME) },
	{ FIELD(struct order, delay_ms), .min = 0, .max = 86400000 },
	{ FIELD(struct order, count), .min = 1, .max = 10000000, .preset = "1" },
	{ FIELD(struct order, fail), .preset = "false" });

static const struct shape made = SHAPE(struct made, { FIELD(struct made, id) });
static const struct shape person = SHAPE(struct person,
	{ FIELD(struct person, id) }, { FIELD(struct person, name) }, { FIELD(struct person, role) });
/* clang-format on */

/* --- handlers --- */

static void pause_ms(long long ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (ms > 0 && nanosleep(&pause, &pause) < 0)
		;
}

/* What a job has done, once for each time that it did it. */
static void leave_trace(struct request *rq)
{
	const struct chore *in = input(rq);

	query(rq, "INSERT INTO effects (job, name, attempt) VALUES ($1::uuid, $2, $3::bigint)",
	    job_id(rq), in->name, job_attempt(rq));
}

static enum job_end nothing(struct request *rq)
{
	return job_done(rq);
}

static enum job_end note(struct request *rq)
{
	const struct chore *in = input(rq);

	/* One of many that look like it. */
	if (strcmp(in->name, "poison") == 0)
		raise(SIGKILL);
	leave_trace(rq);
	pause_ms(in->ms);
	return job_done(rq);
}

static enum job_end take_long(struct request *rq)
{
	static const char slept[] = "{\"slept\":true}";
	const struct chore *in = input(rq);

	for (long long ms = 0; ms < in->ms; ms += 10) {
		if (job_cancelled(rq))
			return job_stopped(rq);
		job_progress(rq, (int)(ms * 100 / in->ms));
		pause_ms(10);
	}
	leave_trace(rq);
	return job_done_with(rq, slept, sizeof(slept) - 1);
}

/* Hears nobody. */
static enum job_end be_stuck(struct request *rq)
{
	const struct chore *in = input(rq);

	leave_trace(rq);
	pause_ms(in->ms);
	return job_done(rq);
}

static enum job_end kill_worker(struct request *rq)
{
	(void)rq;
	raise(SIGKILL);
	return JOB_FAILED;
}

static enum job_end fail(struct request *rq)
{
	leave_trace(rq);
	return job_failed(rq, "no luck with \"%s\"", ((const struct chore *)input(rq))->name);
}

static enum job_end fail_first(struct request *rq)
{
	if (job_attempt(rq) == 1)
		return job_failed(rq, "not yet");
	leave_trace(rq);
	return job_done(rq);
}

static enum job_end refuse(struct request *rq)
{
	return job_refused(rq, "rather not");
}

static enum job_end ask_nonsense(struct request *rq)
{
	query(rq, "SELECT nothing FROM nowhere WHERE 1 = $1", 1);
	return job_done(rq);
}

static enum job_end say_nonsense(struct request *rq)
{
	return job_done_with(rq, "{nonsense", 9);
}

static enum job_end note_month(struct request *rq)
{
	const struct monthly *in = input(rq);

	query(rq, "INSERT INTO effects (job, name, attempt) VALUES ($1::uuid, $2, 1)", job_id(rq),
	    in->mes);
	return job_done(rq);
}

/* Says when it began and ended, on its own: for how many there were at once. */
static enum job_end overlap(struct request *rq)
{
	const struct chore *in = input(rq);

	query(rq, "INSERT INTO effects (job, name, attempt) VALUES ($1::uuid, 'begin', 1)",
	    job_id(rq));
	pause_ms(in->ms);
	query(
	    rq, "INSERT INTO effects (job, name, attempt) VALUES ($1::uuid, 'end', 1)", job_id(rq));
	return job_done(rq);
}

/* --- what there is to do --- */

/* clang-format off */
static const struct job_kind
	fast = { JOB("chores.fast", "Do nothing", nothing), .takes = &chore, .idempotent = true },
	plain = { JOB("chores.plain", "Do nothing, once", nothing), .takes = &chore },
	noted = { JOB("chores.note", "Leave a trace", note), .takes = &chore, .backoff_s = 1, .backoff_most_s = 1 },
	again = { JOB("chores.again", "Leave a trace each time", note), .takes = &chore, .idempotent = true },
	slow = { JOB("chores.slow", "Take long, and tell how far it is", take_long), .takes = &chore },
	stuck = { JOB("chores.stuck", "Hear nobody", be_stuck), .takes = &chore, .timeout_s = 1, .max_attempts = 2,
		.backoff_s = 1 },
	poison = { JOB("chores.poison", "Kill the worker", kill_worker), .takes = &chore, .max_attempts = 2 },
	failing = { JOB("chores.fail", "Fail", fail), .takes = &chore, .max_attempts = 3, .backoff_s = 1, .backoff_most_s = 1 },
	doomed = { JOB("chores.doomed", "Fail for good", fail), .takes = &chore, .max_attempts = 1, .idempotent = true },
	second = { JOB("chores.second", "Fail the first time", fail_first), .takes = &chore, .backoff_s = 1 },
	refused = { JOB("chores.refuse", "Refuse", refuse), .takes = &chore },
	wrong = { JOB("chores.wrong", "Ask the database nonsense", ask_nonsense), .takes = &chore, .max_attempts = 1 },
	nonsense = { JOB("chores.nonsense", "Have a result that is no JSON", say_nonsense), .takes = &chore, .idempotent = true },
	month = { JOB("chores.month", "Once a month", note_month), .takes = &monthly, .unique = "mes" },
	urgent = { JOB("chores.urgent", "Before all others", note), .takes = &chore, .priority = 1 },
	single = { JOB("chores.single", "One at a time", overlap), .takes = &chore, .idempotent = true, .running_most = 1 },
	trickle = { JOB("chores.trickle", "Five in a second", note), .takes = &chore, .per_second = 5 };
/* clang-format on */

/* --- how it gets there --- */

static int order_one(struct request *rq)
{
	const struct order *in = input(rq);
	const char *wrong = NULL, *id = enqueue_named(rq, in->kind, in->args, &wrong);

	return wrong != NULL ? reply_problem(rq, 422, "%s", wrong) : reply_task(rq, id);
}

static int order_later(struct request *rq)
{
	const struct order *in = input(rq);
	const struct chore later = { .name = "later" };

	return reply_task(
	    rq, enqueue_when(rq, &noted, &later,
		    &(struct enqueue_wishes){ .run_at = in->run_at, .delay_ms = in->delay_ms }));
}

/* An order and its chore are there together, or neither. */
static int order_with_effect(struct request *rq)
{
	const struct order *in = input(rq);
	const struct chore with = { .name = "together" };
	const char *id = enqueue(rq, &noted, &with);

	query(rq, "INSERT INTO effects (job, name, attempt) VALUES ($1::uuid, 'order', 0)", id);
	if (in->fail)
		return reply_problem(rq, 409, "Rather not.");
	return reply_task(rq, id);
}

/* What does not fit its shape is our own mistake, and is told before it is in the queue. */
static int order_wrongly(struct request *rq)
{
	const struct chore nameless = { .ms = 1 };

	return reply_task(rq, enqueue(rq, &noted, &nameless));
}

#define AT_ONCE 1000

static int order_many(struct request *rq)
{
	const struct order *in = input(rq);
	struct chore chores[AT_ONCE];
	const struct job_kind *kind = strcmp(in->kind, "chores.plain") == 0  ? &plain
				      : strcmp(in->kind, "chores.note") == 0 ? &noted
									     : &fast;
	char text[64];
	bool well = true;

	for (size_t i = 0; i < AT_ONCE; i++)
		chores[i] = (struct chore){ .name = "many" };
	for (long long done = 0; done < in->count && well; done += AT_ONCE)
		well = enqueue_many(rq, kind, chores,
		    in->count - done < AT_ONCE ? (size_t)(in->count - done) : AT_ONCE);
	snprintf(text, sizeof(text), "{\"id\":\"%lld\"}", in->count);
	return reply_json(rq, 200, text, strlen(text));
}

/* The pages ask it, and these have no accounts. */
static int who(struct request *rq)
{
	return reply_row(
	    rq, query(rq, "SELECT id, name, role FROM users WHERE id = $1", user_id(rq)));
}

/* clang-format off */
static const struct feature chores = { .name = "chores", .doc = "Work for later.",
	.jobs = JOBS(&fast, &plain, &noted, &again, &slow, &stuck, &poison, &failing, &doomed, &second, &refused, &wrong,
	    &nonsense, &month, &urgent, &single, &trickle),
	.crons = CRONS({ .name = "chores.yearly", .spec = "0 0 1 1 *", .kind = &noted, .args = "{\"name\":\"new year\"}" }),
	.routes = ROUTES(
	{ ROUTE(POST, "/order", "Enqueue by name", ANYONE, order_one), .takes = &order, .gives = &made, .status = 202 },
	{ ROUTE(GET, "/api/me", "Who asks", SIGNED_IN, who), .gives = &person, .personal = true },
	{ ROUTE(POST, "/later", "Enqueue for later", ANYONE, order_later), .takes = &order, .gives = &made, .status = 202 },
	{ ROUTE(POST, "/mine", "Enqueue for later, as who asks", USER, order_later), .takes = &order, .gives = &made, .status = 202 },
	{ ROUTE(POST, "/together", "Enqueue with an effect", ANYONE, order_with_effect),
	    .takes = &order, .gives = &made, .status = 202, .transaction = true },
	{ ROUTE(POST, "/wrongly", "Enqueue what does not fit", ANYONE, order_wrongly), .gives = &made, .status = 202 },
	{ ROUTE(POST, "/many", "Enqueue many", ANYONE, order_many), .takes = &order, .gives = &made }) };
/* clang-format on */

extern const struct feature jobs_feature; /* the operators' routes */

static const struct ostler_program program = { .name = "ostler-app-chores",
	.features = FEATURES(&chores, &jobs_feature) };

int main(int argc, char **argv)
{
	return ostler_main(argc, argv, &program);
}
