/*
 * password.c - what is stored of passwords, and whether one is right.
 *
 * The one place where a request has a password hashed.  That is dear on purpose, in
 * time and in memory, so only so many are at once, over all processes (base/slots.h);
 * who finds no slot in time is told to come again, and nothing else is slower for it.
 */
#include "base/clock.h"
#include "base/slots.h"
#include "core/answer/problem.h"
#include "core/identity/password_rule.h"
#include "core/journey/request.h"

/* Which slot, or -1: none was free in time.  Roles that serve nobody have none to take. */
#define NO_SLOTS (-2)

static int take_slot(struct request *rq)
{
	const struct hashing *hashing = &rq->app->hashing;

	if (hashing->slots == NULL)
		return NO_SLOTS;
	return slots_take(hashing->slots, clock_now() + hashing->wait_ms * 1000);
}

static void give_back_slot(struct request *rq, int slot)
{
	if (slot != NO_SLOTS)
		slots_give_back(rq->app->hashing.slots, slot);
}

static int answer_busy(struct request *rq)
{
	return reply_refusal(rq, 503, "too_busy",
	    "Too many passwords are being checked just now: come again in a moment.");
}

/* NULL: there is no slot, or no memory. */
static const char *make_hash(struct request *rq, const char *password)
{
	const char *hash = NULL;
	int slot = take_slot(rq);

	if (slot == -1)
		return NULL;
	hash = password_hash(rq->arena, password, &rq->app->passwords);
	give_back_slot(rq, slot);
	return hash;
}

const char *password_keep(struct request *rq, const char *password)
{
	const char *hash = make_hash(rq, password);

	if (hash == NULL)
		answer_busy(rq);
	return hash;
}

enum password_verdict password_judge(struct request *rq, const char *password, const char *hash)
{
	/* Nobody knows a password of the decoy, so what counts is the time that it takes. */
	const char *checked = hash != NULL ? hash : password_decoy(rq->arena, &rq->app->passwords);
	int slot = take_slot(rq);
	bool fits;

	if (slot == -1) {
		answer_busy(rq);
		return PASSWORD_BUSY;
	}
	fits = password_fits(checked, password);
	give_back_slot(rq, slot);
	return fits && hash != NULL ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

const char *password_renewed(struct request *rq, const char *password, const char *hash)
{
	return password_is_cheap(hash, &rq->app->passwords) ? make_hash(rq, password) : NULL;
}

int password_refuse(
    struct request *rq, const char *field, const char *password, const struct password_owner *owner)
{
	const char *fault = password_fault(password, owner);

	return fault != NULL ? reply_fault(rq, field, fault) : 0;
}
