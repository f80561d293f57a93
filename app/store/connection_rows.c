/* connection_rows.c - what a statement has brought, and how it is read. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "store/connection_wire.h"

void wire_log(const char *sql, const PGresult *result)
{
	log_error("database: SQLSTATE %s: %s; in: %.200s",
	    PQresultErrorField(result, PG_DIAG_SQLSTATE),
	    PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), sql);
}

void wire_keep(struct rows *rows, const char *sql, PGresult *result)
{
	const char *constraint;

	rows->result = result;
	if (rows->fate == DONE) {
		rows->count = PQntuples(result);
		rows->columns = PQnfields(result);
	}
	if (rows->fate == CONFLICT) {
		constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
		if (constraint != NULL)
			snprintf(rows->constraint, sizeof(rows->constraint), "%s", constraint);
	}
	if (rows->fate == BROKEN || rows->fate == INVALID)
		wire_log(sql, result);
}

const char *rows_text(const struct rows *rows, int row, int column)
{
	const char *text = PQgetvalue(rows->result, row, column);

	/* libpq gives "" for NULL: only that needs a second question. */
	return *text == '\0' && PQgetisnull(rows->result, row, column) ? NULL : text;
}

long long rows_integer(const struct rows *rows, int row, int column)
{
	const char *text = rows_text(rows, row, column);

	return text != NULL ? strtoll(text, NULL, 10) : 0;
}

int rows_length(const struct rows *rows, int row, int column)
{
	return PQgetlength(rows->result, row, column);
}

const char *rows_column(const struct rows *rows, int column)
{
	return PQfname(rows->result, column);
}

void rows_free(struct rows *rows)
{
	PQclear(rows->result);
	rows->result = NULL;
	rows->count = 0;
}
