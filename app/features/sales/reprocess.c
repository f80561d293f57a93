/*
 * reprocess.c - the job that reads a month's raw files and puts what they say in its place.
 *
 * Everything is one transaction, the end of the job included: until it commits
 * the report shows the month as it was, and a worker that dies has changed
 * nothing.  Files are streamed: a line at a time into COPY, and what is no sale
 * into a file of rejects, with the reason.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "core/answer/json.h"
#include "core/input/instant.h"
#include "features/sales/sales.h"
#include "store/object.h"

#define COPY_CHUNK    (256 << 10) /* rows are sent by so many bytes */
#define REJECTED      "vendas-rejeitados/%s/%s.csv"
#define REJECT_HEADER "file,line,reason,text\r\n"

const char *const sales_regions[] = { "Norte", "Nordeste", "Centro-Oeste", "Sudeste", "Sul", NULL };

struct sale {
	const char *order_id, *sold_at, *region, *product, *total;
	long long quantity;
};

/* clang-format off */
static const struct shape sale = SHAPE(struct sale,
	{ FIELD(struct sale, order_id), .required = true, .min = 1, .max = 64 },
	{ FIELD_AS(struct sale, sold_at, TIME), .required = true },
	{ FIELD(struct sale, region), .required = true, .one_of = sales_regions },
	{ FIELD(struct sale, product), .required = true, .min = 1, .max = 200 },
	{ FIELD(struct sale, quantity), .required = true, .min = 1, .max = 1000000 },
	{ FIELD_AS(struct sale, total, MONEY), .required = true, .min = 0, .max = 9999999999 });

const struct shape reprocess_shape = SHAPE(struct reprocess,
	{ FIELD_AS(struct reprocess, mes, MONTH), .required = true });
/* clang-format on */

struct work {
	struct request *rq;
	const char *mes;
	struct arena *line; /* reset behind each line: memory stays flat */
	struct csv_reader *reader;
	struct buffer rows, rejects;
	const char *file;         /* the key of the one that is read */
	const char *wrong_header; /* the key of the first that has another */
	int rejects_fd;           /* -1: nothing was rejected yet */
	bool rejects_lost;        /* they cannot be written */
	long long rejects_bytes, loaded, rejected, bytes_done, bytes_all;
};

/* --- what is no sale --- */

static bool write_rejects(struct work *w)
{
	const char *bytes = w->rejects.data;
	size_t left = w->rejects.length;

	if (w->rejects_fd < 0 && left > 0)
		w->rejects_fd = request_scratch_file(w->rq);
	while (left > 0) {
		ssize_t wrote = w->rejects_fd < 0 ? -1 : write(w->rejects_fd, bytes, left);

		w->rejects_lost = wrote < 0;
		if (wrote < 0)
			return false;
		bytes += wrote;
		left -= (size_t)wrote;
	}
	w->rejects_bytes += (long long)w->rejects.length;
	w->rejects.length = 0;
	return true;
}

static bool reject(struct work *w, const struct csv_record *record, const char *why)
{
	struct buffer *out = &w->rejects;

	if (w->rejected++ == 0)
		buffer_add_text(out, REJECT_HEADER);
	csv_add(out, w->file, true);
	csv_add(out, arena_print(w->line, "%lld", record->line), false);
	csv_add(out, why, false);
	csv_add(out, arena_copy(w->line, record->raw, record->raw_length), false);
	buffer_add(out, "\r\n", 2);
	return out->length < COPY_CHUNK || write_rejects(w);
}

/* --- a line --- */

static const char *find_fault(struct work *w, const struct csv_record *record, struct sale *into)
{
	char month[MONTH_TEXT];
	const char *wrong = record->wrong;

	if (wrong == NULL)
		wrong = line_bind(w->line, &sale, record->field, record->count, into);
	if (wrong != NULL)
		return wrong;
	instant_month(into->sold_at, month);
	return strcmp(month, w->mes) == 0 ? NULL : "sold_at is in another month";
}

static void add_row(struct work *w, const struct sale *made)
{
	struct buffer *out = &w->rows;
	char quantity[24];

	snprintf(quantity, sizeof(quantity), "%lld", made->quantity);
	copy_add(out, made->order_id, true);
	copy_add(out, made->sold_at, false);
	copy_add(out, made->region, false);
	copy_add(out, made->product, false);
	copy_add(out, quantity, false);
	copy_add(out, made->total, false);
	copy_end_row(out);
	w->loaded++;
}

static bool send_rows(struct work *w)
{
	bool sent = copy_send(w->rq, &w->rows);

	w->rows.length = 0;
	return sent;
}

static bool take_line(void *of, const struct csv_record *record)
{
	struct work *w = of;
	struct sale made = { 0 };
	const char *wrong;
	bool on = true;

	if (record->line == 1) {
		if (record->raw_length == sizeof(FILE_HEADER) - 1 &&
		    memcmp(record->raw, FILE_HEADER, record->raw_length) == 0)
			return true;
		w->wrong_header = w->file;
		return false;
	}
	wrong = find_fault(w, record, &made);
	if (wrong != NULL)
		on = reject(w, record, wrong);
	else
		add_row(w, &made);
	if (w->rows.length >= COPY_CHUNK)
		on = on && send_rows(w);
	arena_reset(w->line);
	return on;
}

/* --- the files --- */

static bool take_bytes(void *of, const char *bytes, size_t length)
{
	struct work *w = of;

	w->bytes_done += (long long)length;
	job_progress(w->rq, (int)(w->bytes_done * 90 / (w->bytes_all + 1)));
	return !job_cancelled(w->rq) && csv_feed(w->reader, bytes, length);
}

/* Reads all files into the table.  Not DONE: why, unless the database or the job itself says it. */
static enum object_fate read_files(struct work *w, const struct object_list *files)
{
	for (size_t i = 0; i < files->count; i++) {
		enum object_fate fate;

		w->file = files->object[i].key;
		csv_start(w->reader, take_line, w);
		fate = object_get(request_objects(w->rq), w->file, take_bytes, w);
		if (fate == OBJECT_DONE && !csv_finish(w->reader))
			fate = OBJECT_CUT;
		if (fate != OBJECT_DONE)
			return fate;
	}
	return send_rows(w) && write_rejects(w) ? OBJECT_DONE : OBJECT_CUT;
}

static long read_rejects(void *of, char *bytes, size_t room)
{
	return read(*(const int *)of, bytes, room);
}

/* The key under which the rejects are kept; "" when there are none, NULL when that failed. */
static const char *keep_rejects(struct work *w)
{
	const char *key = arena_print(request_arena(w->rq), REJECTED, w->mes, job_id(w->rq));

	if (w->rejected == 0)
		return "";
	if (lseek(w->rejects_fd, 0, SEEK_SET) < 0 ||
	    object_put(request_objects(w->rq), key, w->rejects_bytes, read_rejects,
		&w->rejects_fd) != OBJECT_DONE)
		return NULL;
	return key;
}

/* --- the job --- */

static enum job_end say_result(struct work *w, const char *rejects)
{
	struct buffer out;

	buffer_start(&out, request_arena(w->rq), 256);
	json_open(&out, '{');
	json_key_text(&out, "mes", w->mes);
	json_key(&out, "loaded");
	json_number(&out, w->loaded);
	json_key(&out, "rejected");
	json_number(&out, w->rejected);
	json_key(&out, "rejects");
	json_text(&out, *rejects != '\0' ? rejects : NULL);
	json_close(&out, '}');
	return job_done_with(w->rq, out.data, out.length);
}

static enum job_end explain(struct work *w, enum object_fate fate)
{
	if (w->wrong_header != NULL)
		return job_refused(
		    w->rq, "%s: the first line must be %s", w->wrong_header, FILE_HEADER);
	if (job_cancelled(w->rq))
		return job_stopped(w->rq);
	if (w->rejects_lost)
		return job_failed(w->rq, "the lines that are no sales cannot be written down");
	if (fate == OBJECT_MISSING)
		return job_failed(w->rq, "%s is gone", w->file);
	return job_failed(w->rq, "%s cannot be read just now", w->file);
}

/* The month is taken away and put in anew; whoever looks meanwhile sees it as it was. */
static enum job_end replace_month(struct work *w, const struct object_list *files)
{
	struct request *rq = w->rq;
	enum object_fate fate;
	const char *rejects;

	/* The job has a time limit of its own. */
	query_later(rq, "SELECT set_config('statement_timeout', $1, true)", "0");
	query_later(rq, "SELECT pg_advisory_xact_lock(hashtext('vendas ' || $1))", w->mes);
	query(rq, "DELETE FROM vendas WHERE mes = $1", w->mes);
	if (!copy_begin(
		rq, "COPY vendas (order_id, sold_at, region, product, quantity, total) FROM STDIN"))
		return job_done(rq);
	fate = read_files(w, files);
	if (fate != OBJECT_DONE)
		return explain(w, fate);
	copy_end(rq);
	rejects = keep_rejects(w);
	if (rejects == NULL)
		return job_failed(rq, "the lines that are no sales cannot be kept");
	if (w->loaded == 0)
		return job_refused(rq,
		    "no line of %lld is a sale of %s; the month is as it was (%s)", w->rejected,
		    w->mes, rejects);
	query(rq, "SELECT vendas_somar($1)", w->mes);
	cache_drop(rq, arena_print(request_arena(rq), MONTH_KEY, w->mes));
	return say_result(w, rejects);
}

static enum job_end reprocess(struct request *rq)
{
	const struct reprocess *in = input(rq);
	struct work w = { .rq = rq, .mes = in->mes, .line = arena_new(32 << 10), .rejects_fd = -1 };
	struct object_list files;
	enum job_end end;

	buffer_start(&w.rejects, request_arena(rq), COPY_CHUNK + CSV_LINE_MOST * 3);
	buffer_start(&w.rows, request_arena(rq), COPY_CHUNK + CSV_LINE_MOST * 2);
	w.reader = arena_alloc(request_arena(rq), sizeof(*w.reader));
	if (request_objects(rq) == NULL)
		end = job_refused(rq, "no object store is configured here");
	else if (object_find(request_objects(rq), request_arena(rq),
		     arena_print(request_arena(rq), FILES_PREFIX, w.mes), &files) != OBJECT_DONE)
		end = job_failed(rq, "the object store cannot be read just now");
	else if (files.count == 0)
		end = job_refused(rq, "there is no file of %s", w.mes);
	else {
		for (size_t i = 0; i < files.count; i++)
			w.bytes_all += files.object[i].bytes;
		end = replace_month(&w, &files);
	}
	arena_free(&w.line);
	return end;
}

const struct job_kind reprocess_job = {
	JOB("vendas.reprocessar", "Put the sales of a month's raw files in its place", reprocess),
	.takes = &reprocess_shape, .max_attempts = 5, .timeout_s = 1800, .unique = "mes"
};
