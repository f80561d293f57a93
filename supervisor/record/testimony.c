/*
 * testimony.c - what was seen of a process that hung.
 *
 * Between witness and reader it is lines of fields with tabs between them:
 *
 *   thread   TID NAME STATE CALL WCHAN NOTE
 *   frame    FUNCTION INTO MODULE OFFSET BUILD-ID      of the thread above
 *   trouble  TEXT
 */
#include "supervisor/record/testimony.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define FIELDS_MOST 8

/* --- writing ---------------------------------------------------------------------------------- */

/* Names come from the process that is looked at, which may call itself anything. */
static void write_field(FILE *out, const char *text)
{
	putc('\t', out);
	for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
		putc(*c < ' ' || *c == 0x7f ? '?' : *c, out);
}

static void write_number(FILE *out, long long number)
{
	fprintf(out, "\t%lld", number);
}

static void write_frame(FILE *out, const struct testimony_frame *frame)
{
	fputs("frame", out);
	write_field(out, frame->function);
	write_number(out, frame->into);
	write_field(out, frame->module);
	write_number(out, frame->offset);
	write_field(out, frame->build_id);
	putc('\n', out);
}

void testimony_write_thread(FILE *out, const struct testimony_thread *thread)
{
	fputs("thread", out);
	write_number(out, thread->tid[0]);
	write_field(out, thread->name);
	write_field(out, thread->state);
	write_field(out, thread->call);
	write_field(out, thread->wchan);
	write_field(out, thread->note);
	putc('\n', out);
	for (size_t i = 0; i < thread->frames; i++)
		write_frame(out, &thread->frame[i]);
	fflush(out);
}

void testimony_write_trouble(FILE *out, const char *text)
{
	fputs("trouble", out);
	write_field(out, text);
	putc('\n', out);
	fflush(out);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Parts the line, in place.  Fields that are missing are "". */
static void part(char *line, const char *field[static FIELDS_MOST])
{
	for (size_t i = 0; i < FIELDS_MOST; i++) {
		size_t length = strcspn(line, "\t");

		field[i] = line;
		line += length;
		if (*line == '\t')
			*line++ = '\0';
	}
}

static void add_thread(struct arena *arena, struct testimony *testimony, const char *const *field)
{
	struct testimony_thread *thread = &testimony->thread[testimony->threads++];

	thread->tid = arena_alloc(arena, sizeof(*thread->tid));
	thread->tid[0] = strtoll(field[1], NULL, 10);
	thread->alike = 1;
	thread->name = field[2];
	thread->state = field[3];
	thread->call = field[4];
	thread->wchan = field[5];
	thread->note = field[6];
}

static void add_frame(struct arena *arena, struct testimony *testimony, const char *const *field)
{
	struct testimony_thread *thread = &testimony->thread[testimony->threads - 1];
	size_t size = thread->frames * sizeof(*thread->frame);

	thread->frame = arena_grow(arena, thread->frame, size, size + sizeof(*thread->frame));
	thread->frame[thread->frames++] = (struct testimony_frame){ .function = field[1],
		.into = strtoll(field[2], NULL, 10),
		.module = field[3],
		.offset = strtoll(field[4], NULL, 10),
		.build_id = field[5] };
}

static void read_line(struct arena *arena, struct testimony *testimony, char *line)
{
	const char *field[FIELDS_MOST];

	part(line, field);
	if (strcmp(field[0], "thread") == 0)
		add_thread(arena, testimony, field);
	else if (strcmp(field[0], "frame") == 0 && testimony->threads > 0)
		add_frame(arena, testimony, field);
	else if (strcmp(field[0], "trouble") == 0)
		testimony->trouble = field[1];
}

/* The next whole line of *REST, which moves behind it; NULL: there is none. */
static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

/* What a command prints may be anything; what has no newline at its end is a line, too. */
static void read_said(
    struct arena *arena, struct testimony *testimony, const char *text, size_t length)
{
	char *clean = arena_alloc(arena, length * TEXT_CLEAN_GROWTH + 2);
	size_t cleaned = text_clean(clean, text, length);
	char *line;

	for (size_t i = 0; i < cleaned; i++)
		if (clean[i] != '\n' && ((unsigned char)clean[i] < ' ' || clean[i] == 0x7f))
			clean[i] = ' ';
	if (cleaned > 0 && clean[cleaned - 1] != '\n')
		clean[cleaned] = '\n';
	testimony->said = arena_alloc(arena, count_lines(clean) * sizeof(*testimony->said));
	while ((line = next_line(&clean)) != NULL)
		testimony->said[testimony->lines++] = line;
}

/* Up to the blank or bracket behind the name: the arguments differ. */
static bool same_call(const char *a, const char *b)
{
	size_t length = strcspn(a, "(");

	return length == strcspn(b, "(") && strncmp(a, b, length) == 0;
}

static bool are_alike(const struct testimony_thread *a, const struct testimony_thread *b)
{
	if (a->frames != b->frames || !same_call(a->call, b->call) ||
	    strcmp(a->state, b->state) != 0 || strcmp(a->wchan, b->wchan) != 0 ||
	    strcmp(a->note, b->note) != 0)
		return false;
	for (size_t i = 0; i < a->frames; i++)
		if (a->frame[i].into != b->frame[i].into ||
		    a->frame[i].offset != b->frame[i].offset ||
		    strcmp(a->frame[i].function, b->frame[i].function) != 0 ||
		    strcmp(a->frame[i].module, b->frame[i].module) != 0)
			return false;
	return true;
}

static void join(struct arena *arena, struct testimony_thread *thread, long long tid)
{
	size_t size = thread->alike * sizeof(*thread->tid);

	thread->tid = arena_grow(arena, thread->tid, size, size + sizeof(*thread->tid));
	thread->tid[thread->alike++] = tid;
}

static int compare_alike(const void *a, const void *b)
{
	const struct testimony_thread *one = a, *other = b;

	if (one->alike != other->alike)
		return one->alike < other->alike ? -1 : 1;
	return (one->tid[0] > other->tid[0]) - (one->tid[0] < other->tid[0]);
}

static void group(struct arena *arena, struct testimony *testimony)
{
	struct testimony_thread *thread = testimony->thread;
	size_t groups = 0;

	for (size_t i = 0; i < testimony->threads; i++) {
		size_t like = 0;

		while (like < groups && !are_alike(&thread[like], &thread[i]))
			like++;
		if (like < groups)
			join(arena, &thread[like], thread[i].tid[0]);
		else
			thread[groups++] = thread[i];
	}
	testimony->threads = groups;
	qsort(thread, groups, sizeof(*thread), compare_alike);
}

const struct testimony *testimony_read(struct arena *arena, const struct testimony_source *source)
{
	struct testimony *testimony = arena_alloc(arena, sizeof(*testimony));
	char *text = arena_copy(arena, source->text, source->length);
	char *line;

	testimony->trouble = "";
	testimony->thread = arena_alloc(arena, count_lines(text) * sizeof(*testimony->thread));
	while ((line = next_line(&text)) != NULL)
		read_line(arena, testimony, line);
	group(arena, testimony);
	read_said(arena, testimony, source->said, source->said_length);
	return testimony;
}
