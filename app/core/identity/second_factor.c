/* second_factor.c - what signing in takes beside a password: a code of the app, or one on paper. */
#include "core/identity/second_factor.h"

#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/log.h"
#include "core/answer/problem.h"
#include "core/identity/keyring.h"
#include "core/identity/recovery_code.h"

/* --- at rest --- */

struct resting {
	long long user;
	struct totp_secret secret;
};

#define SEALED (sizeof(struct resting) + SEAL_GROWTH)

const char *second_factor_seal(struct request *rq, long long user, const struct totp_secret *secret)
{
	struct resting plain;
	unsigned char sealed[SEALED];

	if (rq->app->keys == NULL)
		return NULL;
	memset(&plain, 0, sizeof(plain));
	plain.user = user;
	plain.secret = *secret;
	seal(keyring_seal(rq->app->keys), &plain, sizeof(plain), sealed);
	bytes_forget(&plain, sizeof(plain));
	return arena_print(rq->arena, "\\x%s", hex_write(rq->arena, sealed, sizeof(sealed)));
}

bool second_factor_unseal(
    struct request *rq, long long user, const char *hex, struct totp_secret *secret)
{
	struct resting plain;
	unsigned char sealed[SEALED];
	bool opened = rq->app->keys != NULL && hex_read(hex, sealed, sizeof(sealed)) &&
		      unseal(keyring_seal(rq->app->keys), sealed, sizeof(sealed), &plain) &&
		      plain.user == user;

	if (opened)
		*secret = plain.secret;
	else
		log_error(
		    "the second factor of user %lld cannot be opened: is seal.key another?", user);
	bytes_forget(&plain, sizeof(plain));
	return opened;
}

/* --- at sign-in --- */

static int refuse(struct request *rq, long long user, const char *code, const char *detail)
{
	audit(rq, AUDIT_SECOND_FACTOR_FAILED, .actor_id = user, .subject = code);
	return reply_refusal(rq, 401, code, "%s", detail);
}

static int refuse_again(struct request *rq, long long user)
{
	return refuse(
	    rq, user, "totp_replayed", "This code was used already: wait for the next one.");
}

/*
 * The step is written only if it is behind the last one, in one statement: of two requests
 * with the same code at once, whichever processes they meet, one is refused.
 */
static int use_step(struct request *rq, long long user, long long step)
{
	const struct rows *taken = query(rq,
	    "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2"
	    " RETURNING user_id",
	    user, step);

	if (taken->fate != DONE)
		return problem_of_failure(rq);
	return taken->count > 0 ? 0 : refuse_again(rq, user);
}

static int check_code(
    struct request *rq, long long user, const struct rows *factor, const char *code)
{
	struct totp_secret secret;
	enum totp_verdict verdict;
	long long step;

	if (!second_factor_unseal(rq, user, rows_text(factor, 0, 0), &secret))
		return reply_problem(
		    rq, 503, "Codes of the app cannot be checked just now; a recovery code can.");
	verdict = totp_check(&secret, code, time(NULL), rows_integer(factor, 0, 1), &step);
	bytes_forget(&secret, sizeof(secret));
	if (verdict == TOTP_RIGHT)
		return use_step(rq, user, step);
	return verdict == TOTP_REPLAYED ? refuse_again(rq, user)
					: refuse(rq, user, "totp_wrong", "The code is wrong.");
}

static int use_recovery_code(
    struct request *rq, long long user, const unsigned char digest[static DIGEST_BYTES])
{
	const struct rows *used = query(rq,
	    "UPDATE recovery_codes SET used_at = now()"
	    " WHERE user_id = $1 AND code_hash = decode($2, 'hex') AND used_at IS NULL"
	    " RETURNING user_id",
	    user, hex_write(rq->arena, digest, DIGEST_BYTES));

	if (used->fate != DONE)
		return problem_of_failure(rq);
	if (used->count == 0)
		return refuse(
		    rq, user, "totp_wrong", "The recovery code is wrong, or was used already.");
	audit(rq, AUDIT_RECOVERY_CODE_USED, .actor_id = user);
	return rq->failure != DONE ? problem_of_failure(rq) : 0;
}

int second_factor_demand(struct request *rq, long long user, const char *code)
{
	const struct rows *factor = query(rq,
	    "SELECT encode(sealed, 'hex'), last_step FROM second_factors"
	    " WHERE user_id = $1 AND confirmed_at IS NOT NULL",
	    user);
	unsigned char digest[DIGEST_BYTES];

	if (factor->fate != DONE)
		return problem_of_failure(rq);
	if (factor->count == 0)
		return 0;
	if (code == NULL || *code == '\0')
		return reply_refusal(rq, 401, "totp_required",
		    "This account has a second factor: send a code, too.");
	return recovery_code_digest(code, digest) ? use_recovery_code(rq, user, digest)
						  : check_code(rq, user, factor, code);
}
