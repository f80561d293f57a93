/* account.h - one's own account, as all files of this feature answer with it. */
#ifndef FEATURES_ACCOUNTS_ACCOUNT_H
#define FEATURES_ACCOUNTS_ACCOUNT_H

#include "core/core.h"
#include "core/identity/password_rule.h"

#define PASSWORD_DOC \
	"None that many people use, and not made of your own name: core/identity/password_rule.h."

extern const struct shape account_shape;

/* What a statement on users returns for it; no password is among it. */
#define ACCOUNT                                                                 \
	"id, username, name, email, role, EXISTS (SELECT FROM second_factors f" \
	" WHERE f.user_id = users.id AND f.confirmed_at IS NOT NULL) AS totp, version"

/* Answers with the first of ROWS, which begin with the columns of ACCOUNT, and the status of the
 * route. */
int reply_account(struct request *, const struct rows *);

extern const struct shape credentials_shape;
handler_fn sign_in, sign_out; /* sign_in.c */

/* Signs in; whoever is let in is answered by WELCOME, with the rows of their account. */
typedef int welcome_fn(struct request *, const struct rows *);
int sign_in_with(struct request *, welcome_fn *welcome);

handler_fn sign_in_by_form, sign_out_by_form; /* forms.c */

extern const struct shape password_change_shape;
handler_fn change_password; /* password.c */

extern const struct shape forgotten_shape, link_asked_shape, reset_shape;
extern const struct job_kind send_link_job, forget_job;
handler_fn ask_for_link, reset_password; /* links.c */

/* The name of an account in a letter, in quotes behind a space; nothing when it could be a message.
 */
const char *account_name(struct request *, const char *username);

/* Within the transaction of the change to EMAIL: whoever reads the address before is told. */
void follow_address(struct request *, const char *email); /* address.c */
extern const struct job_kind address_changed_job;

extern const struct shape signed_in_shape, session_id_shape;
handler_fn list_sessions, end_session, end_all_sessions;
extern const struct job_kind sweep_sessions;

#endif
