/* table.c - what ostlerd answers, as a person likes to read it. */
#include "supervisor/ctl/table.h"

#include <string.h>

#include "supervisor/control/wire.h"
#include "supervisor/record/tell.h"
#include "supervisor/record/testimony.h"

#define CELL 32
#define WRAP 100 /* columns */

#define POOL_ROW "%-*s  %-8s  %-9s  %9s  %5s  %5s  %5s  %8s  %8s  %8s  %8s  %8s  %8s\n"
#define WORK_ROW "%-*s  %4s  %8s  %-9s  %8s  %4s  %8s  %8s  %8s  %s\n"

/* What came over the socket was said by a worker: it must not speak to the terminal. */
static const char *printable(char *text, size_t room, const char *said)
{
	size_t length = 0;

	for (; *said != '\0' && length < room - 1; said++)
		if ((unsigned char)*said >= ' ' && *said != 0x7f)
			text[length++] = *said;
	text[length] = '\0';
	return text;
}

static int width_of_names(const struct wire_answer *answer)
{
	size_t width = strlen("POOL");

	for (size_t i = 0; i < answer->count; i++)
		if (strlen(answer->pool[i].name) > width)
			width = strlen(answer->pool[i].name);
	return width < 40 ? (int)width : 40;
}

/* A number as a cell; what is not known is a dash. */
static const char *number(char cell[static CELL], double value)
{
	if (value < 0)
		return "-";
	snprintf(cell, CELL, "%.0f", value);
	return cell;
}

static const char *rate(char cell[static CELL], double value)
{
	if (value < 0)
		return "-";
	snprintf(cell, CELL, value < 100 ? "%.1f" : "%.0f", value);
	return cell;
}

static const char *milliseconds(char cell[static CELL], double value)
{
	if (value < 0)
		return "-";
	snprintf(cell, CELL,
	    value < 10     ? "%.2f ms"
	    : value < 1000 ? "%.0f ms"
			   : "%.1f s",
	    value < 1000 ? value : value / 1000);
	return cell;
}

static const char *bytes(char cell[static CELL], double value)
{
	static const char units[] = "BKMGT";
	size_t unit = 0;

	if (value < 0)
		return "-";
	for (; value >= 1024 && unit < sizeof(units) - 2; unit++)
		value /= 1024;
	snprintf(cell, CELL, unit == 0 ? "%.0f %c" : "%.1f %c", value, units[unit]);
	return cell;
}

static void print_pool(FILE *out, int width, const struct wire_pool *pool)
{
	char workers[CELL], busy[CELL], idle[CELL], queue[CELL], pace[CELL], p50[CELL], p95[CELL],
	    p99[CELL], memory[CELL], restarts[CELL];
	long long restarted = 0;
	size_t ready = 0;

	for (size_t i = 0; i < pool->count; i++) {
		ready += strcmp(pool->worker[i].state, "ready") == 0;
		restarted += pool->worker[i].restarts;
	}
	if (pool->max > 0)
		snprintf(workers, sizeof(workers), "%zu/%lld..%lld", ready, pool->min, pool->max);
	else
		snprintf(workers, sizeof(workers), "%zu/%zu", ready, pool->count);
	fprintf(out, POOL_ROW, width, pool->name, pool->kind, pool->state, workers,
	    number(busy, pool->busy), number(idle, pool->idle), number(queue, pool->queue),
	    rate(pace, pool->requests > 0 ? pool->rate : -1), milliseconds(p50, pool->p50),
	    milliseconds(p95, pool->p95), milliseconds(p99, pool->p99), bytes(memory, pool->memory),
	    number(restarts, (double)restarted));
}

void table_print(FILE *out, const struct wire_answer *answer)
{
	int width = width_of_names(answer);

	fprintf(out, "ostlerd %lld is %s\n\n", answer->pid, answer->state);
	fprintf(out, POOL_ROW, width, "POOL", "KIND", "STATE", "READY", "BUSY", "IDLE", "QUEUE",
	    "REQ/S", "P50", "P95", "P99", "MEMORY", "RESTARTS");
	for (size_t i = 0; i < answer->count; i++)
		print_pool(out, width, &answer->pool[i]);
}

/* What it is at; otherwise what it last said of itself. */
static const char *doing(char text[static 256], const struct wire_worker *worker)
{
	char age[TELL_DURATION], route[160];

	if (worker->request_seconds < 0)
		return printable(text, 256, worker->said);
	tell_duration(age, (int64_t)(worker->request_seconds * 1e6));
	printable(route, sizeof(route), worker->route);
	snprintf(text, 256, "%.16s %s for %s", worker->method,
	    route[0] != '\0' ? route : "a request", age);
	return text;
}

static void print_worker(FILE *out, int width, const struct wire_pool *pool, size_t index)
{
	const struct wire_worker *worker = &pool->worker[index];
	char slot[CELL], pid[CELL], age[TELL_DURATION], busy[CELL], requests[CELL], memory[CELL],
	    restarts[CELL], does[256];

	tell_duration(age, (int64_t)(worker->seconds * 1e6));
	fprintf(out, WORK_ROW, width, index == 0 ? pool->name : "",
	    number(slot, (double)worker->slot),
	    number(pid, worker->pid != 0 ? (double)worker->pid : -1), worker->state, age,
	    number(busy, worker->busy), number(requests, worker->requests),
	    bytes(memory, worker->memory), number(restarts, (double)worker->restarts),
	    doing(does, worker));
}

void table_print_workers(FILE *out, const struct wire_answer *answer, const char *only)
{
	int width = width_of_names(answer);

	fprintf(out, WORK_ROW, width, "POOL", "SLOT", "PID", "STATE", "SINCE", "BUSY", "REQUESTS",
	    "MEMORY", "RESTARTS", "DOES");
	for (size_t i = 0; i < answer->count; i++)
		for (size_t j = 0; j < answer->pool[i].count; j++)
			if (only[0] == '\0' || strcmp(only, answer->pool[i].name) == 0)
				print_worker(out, width, &answer->pool[i], j);
}

/* Words in lines of WRAP columns at most, all but the first indented as far as that begins. */
static void print_wrapped(FILE *out, int indent, const char *text)
{
	int column = indent;

	while (*text != '\0') {
		int length = (int)strcspn(text, " ");

		if (column > indent && column + 1 + length > WRAP) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			column += fprintf(out, " ");
		}
		column += fprintf(out, "%.*s", length, text);
		text += length + (text[length] == ' ');
	}
	fputc('\n', out);
}

void table_print_rights(FILE *out, const struct wire_shown *shown, bool first)
{
	char text[8192];

	fprintf(out, "%s%s %lld (%lld), generation %lld, %s\n", first ? "" : "\n", shown->pool,
	    shown->slot, shown->pid, shown->generation, shown->state);
	for (size_t i = 0; i < shown->count; i++) {
		fprintf(out, "  %-15s ", shown->trait[i].name);
		print_wrapped(out, 18, printable(text, sizeof(text), shown->trait[i].text));
	}
}

/* "2026-11-22T09:00:00.000Z  exit  web 2 (4711): was ended by signal 9; again in 1.0 s" */
void table_print_event(FILE *out, const struct wire_event *event)
{
	char wait[TELL_DURATION], text[sizeof(event->text)];

	fprintf(out, "%s  %-17s", event->time, event->name);
	if (event->pool[0] != '\0')
		fprintf(out, " %s", event->pool);
	if (event->slot != 0)
		fprintf(out, " %lld", event->slot);
	if (event->pid != 0)
		fprintf(out, " (%lld)", event->pid);
	if (event->text[0] != '\0')
		fprintf(out, ": %s", printable(text, sizeof(text), event->text));
	if (event->retry_in > 0)
		fprintf(
		    out, "; again in %s", tell_duration(wait, (int64_t)(event->retry_in * 1e6)));
	fputc('\n', out);
}

/* A terminal must not be spoken to by workers: control characters are shown as \xNN. */
void table_print_line(FILE *out, const struct wire_printed *printed)
{
	fprintf(
	    out, "%s %s %lld (%lld) | ", printed->time, printed->pool, printed->slot, printed->pid);
	for (size_t i = 0; i < printed->length; i++) {
		unsigned char byte = (unsigned char)printed->text[i];

		if (byte == '\t' || (byte >= ' ' && byte != 0x7f))
			fputc(byte, out);
		else
			fprintf(out, "\\x%02x", byte);
	}
	fputs(printed->goes_on ? "\\\n" : "\n", out);
}

static void print_seen(void *owner, const char *line)
{
	char text[TESTIMONY_LINE * 4];
	bool inner = line[0] == '#' || line[0] == '|';

	fprintf(owner, "%s%s\n", inner ? "    " : "", printable(text, sizeof(text), line));
}

/* "web 2 (4711), asked: GET /slow for 31.0 s; seen in 0.03 s", and what was seen */
void table_print_trace(FILE *out, const struct trace *trace)
{
	struct testimony_hearer hearer = { .hear = print_seen, .owner = out };
	char text[512];

	fprintf(out, "%s %lld (%lld), %s%s%s; %s %.2f s\n", trace->pool, trace->slot, trace->pid,
	    trace->reason, trace->request[0] != '\0' ? ": " : "",
	    printable(text, sizeof(text), trace->request),
	    trace->cut ? "cut short after" : "seen in", trace->seconds);
	testimony_tell(trace->testimony, &hearer);
}
