/* testimony_tell.c - what was seen of a process that hung, as lines for people. */
#include <stdarg.h>
#include <string.h>

#include "supervisor/record/testimony.h"

#define TIDS_SHOWN 4 /* of threads that are alike */

/* A line that grows; what does not fit is cut off. */
struct line {
	char text[TESTIMONY_LINE];
	size_t length;
};

static void add(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);

static void add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(line->text + line->length, room, format, values);
	va_end(values);
	if (length > 0)
		line->length += (size_t)length < room ? (size_t)length : room - 1;
}

static void send(const struct testimony_hearer *hearer, const struct line *line)
{
	hearer->hear(hearer->owner, line->text);
}

/* "thread 4711", "threads 1, 2, 3, 4 and 12 more" */
static void add_tids(struct line *line, const struct testimony_thread *thread)
{
	add(line, "thread%s ", thread->alike > 1 ? "s" : "");
	for (size_t i = 0; i < thread->alike && i < TIDS_SHOWN; i++)
		add(line, "%s%lld", i > 0 ? ", " : "", thread->tid[i]);
	if (thread->alike > TIDS_SHOWN)
		add(line, " and %zu more", thread->alike - TIDS_SHOWN);
}

/* "thread 4711 (web), S, in clock_nanosleep(0x0, 0x0, 0x7f…), wchan hrtimer_nanosleep" */
static void tell_thread(
    const struct testimony_hearer *hearer, const struct testimony_thread *thread)
{
	struct line line = { .length = 0 };

	add_tids(&line, thread);
	add(&line, " (%s), %s", thread->name, thread->state);
	if (thread->call[0] != '\0')
		add(&line, ", in %s", thread->call);
	if (thread->wchan[0] != '\0')
		add(&line, ", wchan %s", thread->wchan);
	if (thread->note[0] != '\0')
		add(&line, "; %s", thread->note);
	send(hearer, &line);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/*
 * "#1 stuck_here+0x15 in app".  Of a function without a name the place in its file
 * is told, and the build of that, so that it can be looked up elsewhere.
 */
static void tell_frame(
    const struct testimony_hearer *hearer, size_t index, const struct testimony_frame *frame)
{
	struct line line = { .length = 0 };

	add(&line, "#%zu ", index);
	if (frame->function[0] != '\0')
		add(&line, "%s+0x%llx in %s", frame->function, (unsigned long long)frame->into,
		    last_part(frame->module));
	else
		add(&line, "?? in %s+0x%llx", frame->module, (unsigned long long)frame->offset);
	if (frame->function[0] == '\0' && frame->build_id[0] != '\0')
		add(&line, ", build %s", frame->build_id);
	send(hearer, &line);
}

static void tell_said(const struct testimony_hearer *hearer, const char *text)
{
	struct line line = { .length = 0 };

	add(&line, "| %s", text);
	send(hearer, &line);
}

void testimony_tell(const struct testimony *testimony, const struct testimony_hearer *hearer)
{
	struct line line = { .length = 0 };

	if (testimony->trouble[0] != '\0') {
		add(&line, "%s", testimony->trouble);
		send(hearer, &line);
	}
	for (size_t i = 0; i < testimony->threads; i++) {
		const struct testimony_thread *thread = &testimony->thread[i];

		tell_thread(hearer, thread);
		for (size_t j = 0; j < thread->frames; j++)
			tell_frame(hearer, j, &thread->frame[j]);
	}
	for (size_t i = 0; i < testimony->lines; i++)
		tell_said(hearer, testimony->said[i]);
}
