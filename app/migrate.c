/*
 * migrate.c - the role that brings the database up to the newest migration.
 *
 * Each file NNNN-name.sql of the folder runs once, in the order of its number,
 * in a transaction of its own together with the row that remembers it.  A file
 * that has run must never change: its checksum says so.  An advisory lock lets
 * several migrate at once without harm.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "roles.h"
#include "store/connection.h"

/* A migration may rewrite a table; waiting for another migrate is bounded by the same. */
#define PATIENCE_MS (15 * 60 * 1000)

/* "ostler" as a number: any other program's advisory locks have other keys. */
#define LOCK "7522537132883830130"

struct migration {
	long long number;
	char *name, *sql;
};

struct migrator {
	struct arena *arena;
	struct connection *connection;
	int64_t deadline;
	const char *folder;
	struct migration *migrations;
	size_t count;
};

/* --- the folder --- */

static char *read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "re");
	struct buffer text;
	char part[4096];
	size_t got;

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	buffer_start(&text, arena, sizeof(part));
	while ((got = fread(part, 1, sizeof(part), file)) > 0)
		buffer_add(&text, part, got);
	if (ferror(file))
		die("%s: %s", path, strerror(errno));
	fclose(file);
	if (memchr(text.data, '\0', text.length) != NULL)
		die("%s: has a NUL byte in it: what follows would not run", path);
	buffer_add_char(&text, '\0');
	return text.data;
}

/* "0001-tasks.sql" has the number 1; anything else has none. */
static bool numbered(const char *name, long long *number)
{
	char digits[5] = "";

	if (strspn(name, "0123456789") != 4 || name[4] != '-' || strlen(name) < 10 ||
	    strcmp(name + strlen(name) - 4, ".sql") != 0)
		return false;
	memcpy(digits, name, 4);
	return text_to_integer(digits, number);
}

static int is_sql(const struct dirent *entry)
{
	long long number;

	return numbered(entry->d_name, &number);
}

static void read_folder(struct migrator *m)
{
	struct dirent **entries;
	int found = scandir(m->folder, &entries, is_sql, alphasort);

	if (found < 0)
		die("%s: %s", m->folder, strerror(errno));
	m->count = (size_t)found;
	m->migrations = arena_alloc(m->arena, (m->count + 1) * sizeof(*m->migrations));
	for (int i = 0; i < found; i++) {
		struct migration *migration = &m->migrations[i];
		const char *name = entries[i]->d_name;

		migration->name = arena_copy(m->arena, name, strlen(name));
		migration->sql = read_file(
		    m->arena, arena_print(m->arena, "%s/%s", m->folder, name));
		if (!numbered(name, &migration->number) || migration->number != i + 1)
			die("%s: should have the number %04d: migrations are numbered without a "
			    "gap",
			    name, i + 1);
		free(entries[i]);
	}
	free(entries);
}

/* --- the database --- */

static struct rows *ask(struct migrator *m, const struct statement *statement)
{
	return connection_run(m->connection, m->arena, statement, m->deadline);
}

static void script(struct migrator *m, const char *sql, const char *what)
{
	if (connection_script(m->connection, sql, m->deadline) != DONE)
		die("%s failed; nothing of it was kept", what);
}

static void lock(struct migrator *m)
{
	script(m, "SELECT pg_advisory_lock(" LOCK ")", "waiting for another migrate");
	/* A schema of its own: what is granted on the application's tables does not reach it. */
	script(m,
	    "CREATE SCHEMA IF NOT EXISTS migrations;"
	    "CREATE TABLE IF NOT EXISTS migrations.applied ("
	    " number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
	    " applied_at timestamptz NOT NULL DEFAULT now())",
	    "making the table of migrations");
}

/* Whether MIGRATION has run; dies when what has run is not what stands in the file. */
static bool has_run(struct migrator *m, const struct migration *migration)
{
	struct rows *rows = ask(
	    m, STATEMENT("SELECT name, checksum = encode(sha256(convert_to($2, 'UTF8')), 'hex')"
			 " FROM migrations.applied WHERE number = $1",
		   migration->number, migration->sql));
	bool run = rows->count == 1;

	if (rows->fate != DONE)
		die("cannot read the table of migrations");
	if (run && strcmp(rows_text(rows, 0, 0), migration->name) != 0)
		die("%s: number %04lld has run as %s: never rename a migration", migration->name,
		    migration->number, rows_text(rows, 0, 0));
	if (run && rows_text(rows, 0, 1)[0] != 't')
		die("%s: has run and was changed since: undo that, and write a new migration",
		    migration->name);
	rows_free(rows);
	return run;
}

static void run(struct migrator *m, const struct migration *migration)
{
	struct rows *rows;

	script(m, "BEGIN", "beginning a transaction");
	script(m, migration->sql, migration->name);
	rows = ask(m, STATEMENT("INSERT INTO migrations.applied (number, name, checksum)"
				" VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))",
			  migration->number, migration->name, migration->sql));
	if (rows->fate != DONE)
		die("%s: cannot be remembered; nothing of it was kept", migration->name);
	rows_free(rows);
	script(m, "COMMIT", migration->name);
	log_info("%s: done", migration->name);
}

static void refuse_missing_files(struct migrator *m)
{
	struct rows *rows = ask(
	    m, STATEMENT(
		   "SELECT name FROM migrations.applied WHERE number > $1 ORDER BY number LIMIT 1",
		   (long long)m->count));

	if (rows->fate != DONE)
		die("cannot read the table of migrations");
	if (rows->count > 0)
		die("%s has run but is not in %s: this program is older than the database",
		    rows_text(rows, 0, 0), m->folder);
	rows_free(rows);
}

/* Only the owner can: to everybody else the audit is append-only. */
static void forget_old_audit(struct migrator *m, long long days)
{
	struct rows *rows;

	if (days == 0)
		return;
	rows = ask(m, STATEMENT("SELECT audit_forget($1)", days));
	if (rows->fate != DONE)
		die("cannot delete what is old in the audit");
	log_info("audit: %s lines were older than %lld days", rows_text(rows, 0, 0), days);
	rows_free(rows);
}

int role_migrate(const struct ostler_program *program, const struct config *config, char **words)
{
	struct arena *arena = arena_new(64 << 10);
	const struct connection_options options = { .conninfo = config->migrate_database,
		.application = arena_print(arena, "%s migrate", program->name),
		.statement_timeout_ms = PATIENCE_MS };
	struct migrator m = { .arena = arena,
		.folder = config->migrations,
		.deadline = clock_now() + PATIENCE_MS * INT64_C(1000) };
	size_t ran = 0;

	(void)words;
	read_folder(&m);
	m.connection = connection_open(&options, m.deadline);
	if (m.connection == NULL)
		die("cannot migrate without the database");
	lock(&m);
	refuse_missing_files(&m);
	for (size_t i = 0; i < m.count; i++) {
		if (has_run(&m, &m.migrations[i]))
			continue;
		run(&m, &m.migrations[i]);
		ran++;
	}
	forget_old_audit(&m, config->audit_keep);
	log_info("%zu migrations there, %zu run now", m.count, ran);
	connection_close(&m.connection);
	arena_free(&m.arena);
	return EXIT_SUCCESS;
}
