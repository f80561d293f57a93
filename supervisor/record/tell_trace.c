/* tell_trace.c - where the threads of a worker are that hangs: in the log and among the events. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/record/events.h"
#include "supervisor/record/tell.h"
#include "supervisor/record/testimony.h"

/* A program of a hundred threads must not push all else out of the recorder. */
#define LINES_MOST 100

struct telling {
	const struct worker *worker;
	enum log_level level;
	size_t lines;
};

static void tell_line(void *owner, const char *line)
{
	struct telling *telling = owner;

	if (telling->lines++ >= LINES_MOST)
		return;
	event_worker(EVENT_FRAME, telling->worker, "%s", line);
	log_message(telling->level, "%s: trace: %s", telling->worker->name, line);
}

static void tell_head(const struct worker *worker, const struct trace *trace, enum log_level level)
{
	struct event event = event_of_worker(EVENT_TRACE, worker);

	event.lasted = (int64_t)(trace->seconds * (double)SECOND_US);
	event_say(&event, "%s%s%s%s", trace->reason, trace->request[0] != '\0' ? ": " : "",
	    trace->request, trace->cut ? "; cut short" : "");
	event_record(&event);
	log_message(level, "%s: where pid %d is: %s", worker->name, (int)worker->pid, event.text);
}

void tell_trace(const struct worker *worker, const struct trace *trace)
{
	enum log_level level = strcmp(trace->reason, "asked") == 0 ? LOG_INFO : LOG_WARN;
	struct telling telling = { .worker = worker, .level = level };
	struct testimony_hearer hearer = { .hear = tell_line, .owner = &telling };

	tell_head(worker, trace, level);
	testimony_tell(trace->testimony, &hearer);
	if (telling.lines > LINES_MOST)
		event_worker(EVENT_FRAME, worker, "and %zu more lines", telling.lines - LINES_MOST);
}
