/*
 * second_factor.c - an authenticator app for one's own account: begun, proved, and done away with.
 *
 * It counts from the moment on at which a code of it was right, so that nobody locks
 * themselves out with an app that has read nothing.  Beginning, new recovery codes and
 * the end take the password: a browser that was left open is not enough.
 */
#include "core/core.h"

#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "core/identity/recovery_code.h"
#include "core/identity/second_factor.h"
#include "features/second_factor/qr.h"

struct factor {
	bool enabled;
	const char *confirmed_at;
	long long recovery_codes;
};
struct proof {
	const char *password;
};
struct enrolment {
	const char *secret, *uri, *qr;
};
struct confirmation {
	const char *code;
};
struct codes {
	struct list recovery_codes;
};

/* clang-format off */
static const struct shape factor = SHAPE_NAMED("second_factor", struct factor,
	{ FIELD(struct factor, enabled), .doc = "Whether signing in takes a code." },
	{ FIELD_AS(struct factor, confirmed_at, TIME), .nullable = true, .doc = "Since when." },
	{ FIELD(struct factor, recovery_codes), .doc = "How many are unused." });

static const struct shape proof = SHAPE(struct proof,
	{ FIELD(struct proof, password), .min = 1, .max = 128, .required = true,
	    .example = "correct horse battery", .doc = "Of one's own account." });

static const struct shape enrolment = SHAPE(struct enrolment,
	{ FIELD(struct enrolment, secret), .doc = "To type in where no camera is: base32." },
	{ FIELD(struct enrolment, uri), .doc = "otpauth://totp/…" },
	{ FIELD(struct enrolment, qr), .doc = "The same as an image, SVG." });

static const struct shape confirmation = SHAPE(struct confirmation,
	{ FIELD(struct confirmation, code), .min = 1, .max = 40, .required = true, .example = "123456",
	    .doc = "What the app shows." });

static const struct shape codes = SHAPE(struct codes,
	{ FIELD_AS(struct codes, recovery_codes, TEXT), .many = RECOVERY_CODES,
	    .doc = "Each good once, in place of a code. Told now and never again." });
/* clang-format on */

/* --- looking --- */

static int read_factor(struct request *rq)
{
	return reply_row(
	    rq, query(rq,
		    "SELECT f.confirmed_at IS NOT NULL AS enabled, f.confirmed_at,"
		    " (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id"
		    " AND r.used_at IS NULL) AS recovery_codes"
		    " FROM users u LEFT JOIN second_factors f ON f.user_id = u.id WHERE u.id = $1",
		    user_id(rq)));
}

/* --- the password --- */

/* 0 when it is theirs, or the status of the answer. */
static int demand_password(struct request *rq)
{
	const struct proof *in = input(rq);
	int answered = attempt_begin(rq, username(rq));
	const struct rows *rows;

	if (answered != 0)
		return answered;
	rows = query(rq, "SELECT password_hash FROM users WHERE id = $1", user_id(rq));
	if (rows->fate != DONE || rows->count == 0)
		return reply_done(rq, rows);
	switch (password_judge(rq, in->password, rows_text(rows, 0, 0))) {
	case PASSWORD_RIGHT:
		attempt_undo(rq, username(rq));
		return 0;
	case PASSWORD_BUSY:
		attempt_undo(rq, username(rq));
		return 503;
	default:
		break;
	}
	audit(rq, AUDIT_SECOND_FACTOR_FAILED, .subject = "bad_password");
	return reply_refusal(rq, 403, "bad_password", "This is not your password.");
}

/* --- beginning --- */

static int reply_enrolment(struct request *rq, const struct totp_secret *secret)
{
	struct arena *arena = request_arena(rq);
	const char *uri = totp_uri(arena, secret, totp_issuer(rq), username(rq));
	/* A name may be longer than any QR code: then there is the secret to type in. */
	const char *qr = qr_svg(arena, uri, "QR code for an authenticator app");

	return reply_struct(
	    rq, &(struct enrolment){
		    .secret = totp_text(arena, secret), .uri = uri, .qr = qr != NULL ? qr : "" });
}

static int begin(struct request *rq)
{
	struct totp_secret secret;
	const struct rows *begun;
	const char *sealed;
	int answered = demand_password(rq);

	if (answered != 0)
		return answered;
	random_fill(&secret, sizeof(secret));
	sealed = second_factor_seal(rq, user_id(rq), &secret);
	if (sealed == NULL)
		return reply_problem(rq, 503, "There is no key to seal a secret with.");
	/* Begun twice, the second counts: who does not see the first code any more begins again. */
	begun = query(rq,
	    "INSERT INTO second_factors AS f (user_id, sealed) VALUES ($1, $2::bytea)"
	    " ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, created_at = now()"
	    " WHERE f.confirmed_at IS NULL RETURNING user_id",
	    user_id(rq), sealed);
	if (begun->fate == DONE && begun->count == 0)
		return reply_refusal(
		    rq, 409, "totp_enabled", "There is a second factor: disable it first.");
	return reply_enrolment(rq, &secret);
}

/* --- recovery codes --- */

/* New ones in the place of any others; stored with the transaction. */
static int reply_codes(struct request *rq)
{
	const char **made = arena_alloc(request_arena(rq), RECOVERY_CODES * sizeof(*made));
	unsigned char digest[DIGEST_BYTES];
	struct buffer digests;

	buffer_start(&digests, request_arena(rq), RECOVERY_CODES * 2 * DIGEST_BYTES + 64);
	for (int i = 0; i < RECOVERY_CODES; i++) {
		made[i] = recovery_code_make(request_arena(rq));
		if (!recovery_code_digest(made[i], digest))
			continue; /* it is one: the test of both says so */
		buffer_print(&digests, "%s%s", i > 0 ? " " : "",
		    hex_write(request_arena(rq), digest, sizeof(digest)));
	}
	buffer_add_char(&digests, '\0');
	query(rq, "DELETE FROM recovery_codes WHERE user_id = $1", user_id(rq));
	query(rq,
	    "INSERT INTO recovery_codes (user_id, code_hash)"
	    " SELECT $1, decode(digest, 'hex') FROM unnest(string_to_array($2, ' ')) AS digest",
	    user_id(rq), (const char *)digests.data);
	return reply_struct(rq, &(struct codes){ .recovery_codes = LIST_OF(made, RECOVERY_CODES) });
}

static int replace_codes(struct request *rq, void *unused)
{
	const struct rows *factor_is_on = query(rq,
	    "SELECT user_id FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL"
	    " FOR UPDATE",
	    user_id(rq));
	if (factor_is_on->fate == DONE && factor_is_on->count == 0)
		return reply_missing(rq);
	(void)unused;
	return reply_codes(rq);
}

static int renew_codes(struct request *rq)
{
	int answered = demand_password(rq);

	return answered != 0 ? answered : together(rq, replace_codes, NULL);
}

/* --- proving --- */

static int refuse_code(struct request *rq)
{
	audit(rq, AUDIT_SECOND_FACTOR_FAILED, .subject = "totp_wrong");
	return reply_fault(rq, "code", "is not what the app should show now");
}

static int confirm(struct request *rq)
{
	const struct confirmation *in = input(rq);
	const struct rows *begun = query(rq,
	    "SELECT encode(sealed, 'hex') FROM second_factors"
	    " WHERE user_id = $1 AND confirmed_at IS NULL FOR UPDATE",
	    user_id(rq));
	struct totp_secret secret;
	enum totp_verdict verdict;
	long long step;

	if (begun->fate != DONE)
		return reply_done(rq, begun);
	if (begun->count == 0)
		return reply_refusal(rq, 409, "totp_not_begun",
		    "There is no second factor that waits to be confirmed.");
	if (!second_factor_unseal(rq, user_id(rq), rows_text(begun, 0, 0), &secret))
		return reply_problem(rq, 503, "The secret cannot be opened: begin again.");
	verdict = totp_check(&secret, in->code, time(NULL), -1, &step);
	bytes_forget(&secret, sizeof(secret));
	if (verdict != TOTP_RIGHT)
		return refuse_code(rq);
	/* The code that proved it is used: it does not sign anybody in. */
	query(rq,
	    "UPDATE second_factors SET confirmed_at = now(), last_step = $2 WHERE user_id = $1",
	    user_id(rq), step);
	audit(rq, AUDIT_SECOND_FACTOR_ON, .subject = username(rq));
	return reply_codes(rq);
}

/* --- the end --- */

static int take_away(struct request *rq, void *unused)
{
	const struct rows *gone = query(
	    rq, "DELETE FROM second_factors WHERE user_id = $1 RETURNING user_id", user_id(rq));

	(void)unused;
	if (gone->fate == DONE && gone->count > 0)
		audit(rq, AUDIT_SECOND_FACTOR_OFF, .subject = username(rq));
	return reply_done(rq, gone);
}

static int disable(struct request *rq)
{
	int answered = demand_password(rq);

	return answered != 0 ? answered : together(rq, take_away, NULL);
}

/* For somebody who has lost the app and the paper; whoever asks has made sure who they are. */
static int disable_for(struct request *rq)
{
	const struct rows *gone = query(rq,
	    "DELETE FROM second_factors f USING users u WHERE f.user_id = $1 AND u.id = f.user_id"
	    " RETURNING u.username",
	    path_id(rq));

	if (gone->fate == DONE && gone->count > 0)
		audit(rq, AUDIT_SECOND_FACTOR_OFF, .subject = rows_text(gone, 0, 0));
	return reply_done(rq, gone);
}

/* Wherever a password is hashed, or guessed at, by whom it is about. */
#define DEAR .quota = QUOTA_EXPENSIVE, .secret = true, .in_person = true

/* clang-format off */
const struct feature second_factor_feature = { .name = "second_factor", .doc = "Signing in with an authenticator app, too.", .routes = ROUTES(
	{ ROUTE(GET, "/api/me/totp", "Whether signing in takes a code", SIGNED_IN, read_factor), .gives = &factor },
	{ ROUTE(POST, "/api/me/totp", "Begin with an authenticator app", SIGNED_IN, begin),
	    .takes = &proof, .gives = &enrolment, DEAR },
	{ ROUTE(POST, "/api/me/totp/confirm", "Show a first code: from then on signing in takes one", SIGNED_IN, confirm),
	    .takes = &confirmation, .gives = &codes, .transaction = true, DEAR },
	{ ROUTE(POST, "/api/me/totp/recovery-codes", "Get new recovery codes; the old ones end", SIGNED_IN, renew_codes),
	    .takes = &proof, .gives = &codes, DEAR },
	{ ROUTE(POST, "/api/me/totp/disable", "Sign in without a code again", SIGNED_IN, disable),
	    .takes = &proof, DEAR },
	{ ROUTE(DELETE, "/users/{id}/totp", "Let somebody who has lost theirs sign in without a code", ADMIN, disable_for),
	    .transaction = true }) };
/* clang-format on */
