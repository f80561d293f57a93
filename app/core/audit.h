/*
 * audit.h - the record of who did what, and of what was refused: what a feature says of it.
 *
 *     audit(rq, AUDIT_USER_DELETED, .subject = username);
 *
 * What was done is a statement of the request's transaction, so that the line is
 * there if and only if the deed is.  What was refused is written although the
 * request comes to nothing, before its answer leaves; many that are alike become
 * one line that says how many (core/audit/repeats.h).  The application's role can
 * add and read lines and nothing else (sql/0007-audit.sql).
 */
#ifndef CORE_AUDIT_H
#define CORE_AUDIT_H

/* By these names' texts in audit.c they are known outside, for ever. */
enum audit_kind {
	/* done */
	AUDIT_SIGN_IN,
	AUDIT_SIGN_OUT,
	AUDIT_SESSIONS_ENDED,
	AUDIT_REGISTERED,
	AUDIT_USER_CREATED,
	AUDIT_USER_DELETED,
	AUDIT_ROLE_CHANGED,
	AUDIT_PASSWORD_CHANGED,
	AUDIT_ADDRESS_CHANGED,
	AUDIT_LINK_SENT,
	AUDIT_LINK_USED,
	AUDIT_SECOND_FACTOR_ON,
	AUDIT_SECOND_FACTOR_OFF,
	AUDIT_RECOVERY_CODE_USED,
	AUDIT_TOKEN_ISSUED,
	AUDIT_CLIENT_CREATED,
	AUDIT_CLIENT_CHANGED,
	AUDIT_CLIENT_DELETED,
	/* refused */
	AUDIT_SIGN_IN_FAILED,
	AUDIT_SIGN_IN_DELAYED,
	AUDIT_SECOND_FACTOR_FAILED,
	AUDIT_SESSION_REFUSED,    /* a cookie that can be no session */
	AUDIT_CROSS_SITE_REFUSED, /* a page of another site wanted a change */
	AUDIT_PASSWORD_REFUSED,
	AUDIT_LINK_REFUSED,
	AUDIT_TOKEN_REFUSED,
	AUDIT_TOKEN_REUSED,
	AUDIT_REQUEST_REFUSED, /* any other refusal on a route that is .guarded */
	AUDIT_KINDS
};

/* Their names, in that order, NULL-terminated. */
extern const char *const audit_names[];

struct audit_line {
	enum audit_kind kind;
	const char *subject; /* what it is about; NULL: nothing but the actor */
	const char *actor;   /* NULL: who is signed in */
	long long actor_id;  /* of that user; 0: who is signed in */
	const char *details; /* a JSON object; NULL: none */
};

struct request;

/* Texts must live as long as the request; no secret may be among them. */
#define audit(rq, what, ...) audit_add(rq, &(struct audit_line){ .kind = what, __VA_ARGS__ })
void audit_add(struct request *, const struct audit_line *);

/* {"NAME":"VALUE"}, for .details; what of VALUE is no UTF-8 becomes U+FFFD. */
const char *audit_detail(struct request *, const char *name, const char *value);

#endif
