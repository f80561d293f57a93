/*
 * csv.c - rows as comma-separated values, for whoever opens them in a spreadsheet.
 *
 * A table has no objects in it: the handler asks the database for the columns
 * that the lines shall have, and what they are called there stands in the first.
 */
#include "base/csv.h"

#include "core/answer/problem.h"
#include "core/input/accept.h"
#include "core/journey/request.h"

#define MEDIA "text/csv"

bool csv_asked(const struct request *rq)
{
	return rq->route->csv && accept_prefers(rq->head.accept, MEDIA, "application/json");
}

static void end_line(struct buffer *out)
{
	buffer_add(out, "\r\n", 2);
}

int reply_csv(struct request *rq, const struct rows *rows, const char *name)
{
	struct buffer *out = &rq->response.body;

	if (rq->failure != DONE)
		return problem_of_failure(rq);
	for (int column = 0; column < rows->columns; column++)
		csv_add(out, rows_column(rows, column), column == 0);
	end_line(out);
	for (int row = 0; row < rows->count; row++) {
		for (int column = 0; column < rows->columns; column++) {
			const char *text = rows_text(rows, row, column);

			csv_add(out, text != NULL ? text : "", column == 0);
		}
		end_line(out);
	}
	reply_header(rq, "Content-Disposition",
	    arena_print(rq->arena, "attachment; filename=\"%s.csv\"", name));
	rq->response.media = MEDIA "; charset=utf-8; header=present";
	return rq->response.status = 200;
}
