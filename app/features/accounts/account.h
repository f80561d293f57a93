/* account.h - one's own account, as all files of this feature answer with it. */
#ifndef FEATURES_ACCOUNTS_ACCOUNT_H
#define FEATURES_ACCOUNTS_ACCOUNT_H

#include "core/core.h"

#define PASSWORD_LEAST 8
#define PASSWORD_MOST  128

extern const struct shape account_shape;

/* What a statement on users returns for it; no password is among it. */
#define ACCOUNT                                                                 \
	"id, username, name, email, role, EXISTS (SELECT FROM second_factors f" \
	" WHERE f.user_id = users.id AND f.confirmed_at IS NOT NULL) AS totp, version"

/* Answers with the first of ROWS, which begin with the columns of ACCOUNT, and the status of the
 * route. */
int reply_account(struct request *, const struct rows *);

extern const struct shape credentials_shape;
handler_fn sign_in, sign_out;

#endif
