/* shown.c - a client that has shown its secret, in Authorization: Basic or in the form. */
#include "features/tokens/shown.h"

#include "base/crypto.h"
#include "core/identity/role.h"
#include "core/input/formats.h"
#include "features/tokens/basic.h"

int oauth_refuse(struct request *rq, int status, const char *error, const char *description)
{
	return reply_refusal(rq, status, error, "%s", description);
}

/*
 * RFC 6749, 5.2, and RFC 9110, 15.5.2: a 401 says how to do better.  ID goes on record if it could
 * be one: anybody can send any text.
 */
static int refuse_client(struct request *rq, const char *id)
{
	audit(rq, AUDIT_TOKEN_REFUSED, .subject = "client",
	    .actor = id != NULL && uuid_is_valid(id) ? id : NULL);
	reply_challenge(rq, "Basic realm=\"oauth\", charset=\"UTF-8\"");
	return oauth_refuse(
	    rq, 401, "invalid_client", "The client is unknown, or its secret is wrong.");
}

/* --- who is it --- */

static const char *lower_role(const char *one, const char *other)
{
	return role_from_name(one) < role_from_name(other) ? one : other;
}

static bool has_secret(struct request *rq, const struct rows *rows, const char *secret)
{
	const char *given_hash = secret_digest(request_arena(rq), secret);

	return rows_length(rows, 0, 0) == (int)strlen(given_hash) &&
	       bytes_are_same(rows_text(rows, 0, 0), given_hash, strlen(given_hash));
}

/* 0, or the status of the answer. */
static int find_client(struct request *rq, const struct credentials *sent, struct shown *client)
{
	const struct rows *rows;

	if (!uuid_is_valid(sent->id))
		return refuse_client(rq, sent->id);
	rows = query(rq,
	    "SELECT '\\x' || encode(c.secret_hash, 'hex'), c.user_id, u.username, c.role, u.role,"
	    " c.scope, c.refresh, c.id FROM api_clients c JOIN users u ON u.id = c.user_id"
	    " WHERE c.client_id = $1::uuid",
	    sent->id);
	if (rows->fate != DONE)
		return reply_done(rq, rows);
	if (rows->count == 0 || !has_secret(rq, rows, sent->secret))
		return refuse_client(rq, sent->id);
	*client = (struct shown){ .id = sent->id,
		.user_id = rows_text(rows, 0, 1),
		.username = rows_text(rows, 0, 2),
		.role = lower_role(rows_text(rows, 0, 3), rows_text(rows, 0, 4)),
		.scope = rows_text(rows, 0, 5),
		.refresh = rows_text(rows, 0, 6)[0] == 't',
		.number = rows_integer(rows, 0, 7) };
	return 0;
}

/* One way or the other, never both (RFC 6749, 2.3). */
int shown_find(struct request *rq, const struct token_request *in, struct shown *client)
{
	struct credentials sent = { in->client_id, in->client_secret };

	if (request_authorization(rq) != NULL) {
		if (in->client_secret != NULL)
			return oauth_refuse(rq, 400, "invalid_request",
			    "The secret stands in Authorization and in the body.");
		if (!basic_read(request_arena(rq), request_authorization(rq), &sent))
			return refuse_client(rq, NULL);
		if (in->client_id != NULL && strcmp(in->client_id, sent.id) != 0)
			return oauth_refuse(rq, 400, "invalid_request", "There are two client_id.");
	}
	if (sent.id == NULL || sent.secret == NULL)
		return refuse_client(rq, sent.id);
	return find_client(rq, &sent, client);
}
