/*
 * user.c - the role by which operators add somebody, and give them a password or a role.
 *
 * It needs nobody who is signed in, only the right to the database, so that there can
 * be a first admin, and a way back in for one who has lost everything.  A password is
 * read from standard input, never from the command line, which every process can see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "core/answer/kept.h"
#include "core/identity/password_rule.h"
#include "core/journey/transact.h"
#include "footing.h"
#include "roles.h"

/* Longer than any password, in bytes, so that one that is too long is told as such. */
#define LINE_MOST 1024

/* What the command line says: user COMMAND NAME [EMAIL] [ROLE]. */
struct order {
	const char *command, *name, *email, *role;
	bool only_first; /* unless there is an admin */
};

static int usage(const struct ostler_program *program)
{
	fprintf(stderr,
	    "usage: %s -c FILE user add NAME EMAIL [ROLE]\n"
	    "       %s -c FILE user first NAME EMAIL\n"
	    "       %s -c FILE user password NAME\n"
	    "       %s -c FILE user role NAME ROLE\n",
	    program->name, program->name, program->name, program->name);
	return EXIT_USAGE;
}

static bool read_order(struct order *order, char **words)
{
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	*order = (struct order){ .command = words[0], .name = count > 1 ? words[1] : NULL };
	if (count < 2)
		return false;
	if (strcmp(order->command, "password") == 0)
		return count == 2;
	if (strcmp(order->command, "role") == 0) {
		order->role = words[2];
		return count == 3;
	}
	order->only_first = strcmp(order->command, "first") == 0;
	if (!order->only_first && strcmp(order->command, "add") != 0)
		return false;
	order->email = words[2];
	order->role = order->only_first ? "admin" : count > 3 ? words[3] : "user";
	return count == 3 || (count == 4 && !order->only_first);
}

/* --- the password --- */

/* A line of the terminal that nobody sees; Ctrl-D gives up. */
static bool read_unseen(const char *prompt, char line[static LINE_MOST])
{
	struct termios before, quiet;
	bool got;

	fputs(prompt, stderr);
	tcgetattr(STDIN_FILENO, &before);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	got = fgets(line, LINE_MOST, stdin) != NULL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	line[strcspn(line, "\r\n")] = '\0';
	return got;
}

static bool read_password(char line[static LINE_MOST])
{
	char again[LINE_MOST] = "";
	bool same;

	line[0] = '\0';
	if (!isatty(STDIN_FILENO)) {
		if (fgets(line, LINE_MOST, stdin) == NULL)
			return false;
		line[strcspn(line, "\r\n")] = '\0';
		return true;
	}
	if (!read_unseen("Password: ", line) || !read_unseen("Once more: ", again))
		return false;
	same = strcmp(line, again) == 0;
	bytes_forget(again, sizeof(again));
	if (!same)
		fputs("These are not the same.\n", stderr);
	return same;
}

/* Its hash; NULL after saying why there is none. */
static const char *take_password(struct request *rq, const struct order *order)
{
	const struct password_owner owner = { .username = order->name, .email = order->email };
	const char *fault, *hash = NULL;
	char line[LINE_MOST];

	if (!read_password(line)) {
		fputs("No password was given.\n", stderr);
		return NULL;
	}
	fault = password_fault(line, &owner);
	if (fault == NULL)
		hash = password_hash(rq->arena, line, &rq->app->passwords);
	bytes_forget(line, sizeof(line));
	if (hash == NULL)
		fprintf(stderr, "The password %s.\n",
		    fault != NULL ? fault : "cannot be hashed: there is no memory for it");
	return hash;
}

/* --- the changes --- */

/* Who does it is on record as the user of this machine. */
#define BY_COMMAND .actor = "(command line)"

static const struct rows *add(struct request *rq, const struct order *order, const char *hash)
{
	const struct rows *rows = query(rq,
	    "INSERT INTO users (username, name, email, role, password_hash, password_changed_at)"
	    " VALUES ($1, left($1, 200), $2, $3, $4, now()) RETURNING id",
	    order->name, order->email, order->role, hash);

	audit(rq, AUDIT_USER_CREATED, BY_COMMAND, .subject = order->name,
	    .details = audit_detail(rq, "role", order->role));
	return rows;
}

static const struct rows *set_password(
    struct request *rq, const struct order *order, const char *hash)
{
	const struct rows *rows = query(rq,
	    "UPDATE users SET password_hash = $2, password_changed_at = now()"
	    " WHERE canonical_name(username) = canonical_name($1) RETURNING id",
	    order->name, hash);

	audit(rq, AUDIT_PASSWORD_CHANGED, BY_COMMAND, .subject = order->name);
	return rows;
}

static const struct rows *set_role(struct request *rq, const struct order *order)
{
	const struct rows *rows = query(rq,
	    "UPDATE users SET role = $2, version = version + 1, updated_at = now()"
	    " WHERE canonical_name(username) = canonical_name($1) RETURNING id",
	    order->name, order->role);

	audit(rq, AUDIT_ROLE_CHANGED, BY_COMMAND, .subject = order->name,
	    .details = audit_detail(rq, "role", order->role));
	return rows;
}

/* What is kept of them elsewhere is wrong now. */
static void follow(struct request *rq, const struct rows *changed)
{
	long long user = rows_integer(changed, 0, 0);

	sessions_end_all(rq, user);
	cache_drop(rq, "users_list");
	cache_drop(rq, arena_print(rq->arena, "user_%lld", user));
}

static int say_failure(const struct request *rq, const struct order *order)
{
	if (rq->failure == CONFLICT)
		fprintf(stderr, "The name, the address or the role cannot be (%s).\n",
		    rq->failed_constraint);
	else if (rq->failure != DONE)
		fputs("The database cannot be asked just now; nothing was changed.\n", stderr);
	else
		fprintf(stderr, "There is no user \"%s\".\n", order->name);
	return EXIT_FAILURE;
}

static int carry_out(struct request *rq, const struct order *order, const char *hash)
{
	const struct rows *changed;

	transact_begin(rq);
	changed = order->email != NULL ? add(rq, order, hash)
		  : hash != NULL       ? set_password(rq, order, hash)
				       : set_role(rq, order);
	if (changed->fate != DONE || changed->count == 0) {
		transact_roll_back(rq);
		return say_failure(rq, order);
	}
	follow(rq, changed);
	transact_commit(rq);
	kept_settle(rq);
	return rq->failure == DONE ? EXIT_SUCCESS : say_failure(rq, order);
}

/* Whether there is an admin; what cannot be known is told by what follows. */
static bool has_admin(struct request *rq)
{
	return query(rq, "SELECT FROM users WHERE role = $1 AND password_hash IS NOT NULL LIMIT 1",
		   "admin")
		   ->count > 0;
}

static int run(struct request *rq, const struct order *order)
{
	const char *hash = NULL;

	if (order->role != NULL && text_index(order->role, role_names) < 0) {
		fprintf(stderr, "There is no role \"%s\".\n", order->role);
		return EXIT_USAGE;
	}
	if (order->only_first && has_admin(rq))
		return EXIT_SUCCESS;
	if (strcmp(order->command, "role") != 0) {
		hash = take_password(rq, order);
		if (hash == NULL)
			return EXIT_FAILURE;
	}
	return carry_out(rq, order, hash);
}

int role_user(const struct ostler_program *program, const struct config *config, char **words)
{
	static const struct route command = { .path = "user", .method = POST };
	struct footing footing;
	struct request *rq;
	struct order order;
	int status;

	if (!read_order(&order, words))
		return usage(program);
	footing_plan(&footing, program, config, "user");
	footing_open(&footing);
	rq = request_new(&footing.app, footing.arena);
	rq->route = &command;
	rq->method = POST;
	trace_start(&rq->trace, NULL, NULL);
	status = run(rq, &order);
	request_end(rq);
	footing_close(&footing);
	return status;
}
