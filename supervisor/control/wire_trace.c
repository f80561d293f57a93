/* wire_trace.c - what was seen of a process that hangs, as it goes over the control socket. */
#include <string.h>

#include "supervisor/control/wire.h"
#include "supervisor/control/wire_json.h"
#include "supervisor/record/testimony.h"

static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' ? wire_text(text, strlen(text)) : json_null();
}

static json_t *describe_frame(const struct testimony_frame *frame)
{
	return json_pack("{s:o, s:I, s:o, s:I, s:o}", "function", text_or_null(frame->function),
	    "into", (json_int_t)frame->into, "module", text_or_null(frame->module), "offset",
	    (json_int_t)frame->offset, "build_id", text_or_null(frame->build_id));
}

static json_t *describe_thread(const struct testimony_thread *thread)
{
	json_t *tids = json_array(), *frames = json_array();

	for (size_t i = 0; i < thread->alike; i++)
		json_array_append_new(tids, json_integer((json_int_t)thread->tid[i]));
	for (size_t i = 0; i < thread->frames; i++)
		json_array_append_new(frames, describe_frame(&thread->frame[i]));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tids", tids, "name",
	    text_or_null(thread->name), "state", text_or_null(thread->state), "syscall",
	    text_or_null(thread->call), "wchan", text_or_null(thread->wchan), "note",
	    text_or_null(thread->note), "frames", frames);
}

char *wire_trace(const struct trace *trace)
{
	const struct testimony *testimony = trace->testimony;
	json_t *threads = json_array(), *lines = json_array();

	for (size_t i = 0; i < testimony->threads; i++)
		json_array_append_new(threads, describe_thread(&testimony->thread[i]));
	for (size_t i = 0; i < testimony->lines; i++)
		json_array_append_new(
		    lines, wire_text(testimony->said[i], strlen(testimony->said[i])));
	return wire_line(json_pack("{s:o, s:I, s:I, s:I, s:s, s:o, s:f, s:b, s:o, s:o, s:o}",
	    "pool", text_or_null(trace->pool), "slot", (json_int_t)trace->slot, "pid",
	    (json_int_t)trace->pid, "generation", (json_int_t)trace->generation, "reason",
	    trace->reason, "request", text_or_null(trace->request), "seconds", trace->seconds,
	    "cut", trace->cut, "trouble", text_or_null(testimony->trouble), "threads", threads,
	    "command", lines));
}

/* --- as ostlerctl reads it -------------------------------------------------------------------- */

static void read_frame(struct arena *arena, const json_t *object, struct testimony_frame *frame)
{
	*frame = (struct testimony_frame){ .function = wire_member_text(arena, object, "function"),
		.into = wire_member_number(object, "into"),
		.module = wire_member_text(arena, object, "module"),
		.offset = wire_member_number(object, "offset"),
		.build_id = wire_member_text(arena, object, "build_id") };
}

static void read_thread(struct arena *arena, const json_t *object, struct testimony_thread *thread)
{
	const json_t *tids = json_object_get(object, "tids");
	const json_t *frames = json_object_get(object, "frames");

	*thread = (struct testimony_thread){ .alike = json_array_size(tids),
		.name = wire_member_text(arena, object, "name"),
		.state = wire_member_text(arena, object, "state"),
		.call = wire_member_text(arena, object, "syscall"),
		.wchan = wire_member_text(arena, object, "wchan"),
		.note = wire_member_text(arena, object, "note"),
		.frames = json_array_size(frames) };
	thread->tid = arena_alloc(arena, (thread->alike + 1) * sizeof(*thread->tid));
	for (size_t i = 0; i < thread->alike; i++)
		thread->tid[i] = json_integer_value(json_array_get(tids, i));
	thread->frame = arena_alloc(arena, (thread->frames + 1) * sizeof(*thread->frame));
	for (size_t i = 0; i < thread->frames; i++)
		read_frame(arena, json_array_get(frames, i), &thread->frame[i]);
}

static const struct testimony *read_testimony(struct arena *arena, const json_t *object)
{
	const json_t *threads = json_object_get(object, "threads");
	const json_t *lines = json_object_get(object, "command");
	struct testimony *testimony = arena_alloc(arena, sizeof(*testimony));

	testimony->trouble = wire_member_text(arena, object, "trouble");
	testimony->threads = json_array_size(threads);
	testimony->thread = arena_alloc(
	    arena, (testimony->threads + 1) * sizeof(*testimony->thread));
	for (size_t i = 0; i < testimony->threads; i++)
		read_thread(arena, json_array_get(threads, i), &testimony->thread[i]);
	testimony->lines = json_array_size(lines);
	testimony->said = arena_alloc(arena, (testimony->lines + 1) * sizeof(*testimony->said));
	for (size_t i = 0; i < testimony->lines; i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		testimony->said[i] = line != NULL ? arena_copy(arena, line, strlen(line)) : "";
	}
	return testimony;
}

bool wire_read_trace(struct arena *arena, const char *line, size_t length, struct trace *trace)
{
	json_t *object = json_loadb(line, length, 0, NULL);
	bool good = json_is_array(json_object_get(object, "threads"));

	*trace = (struct trace){ .pool = wire_member_text(arena, object, "pool"),
		.slot = wire_member_number(object, "slot"),
		.pid = wire_member_number(object, "pid"),
		.generation = wire_member_number(object, "generation"),
		.reason = wire_member_text(arena, object, "reason"),
		.request = wire_member_text(arena, object, "request"),
		.seconds = json_number_value(json_object_get(object, "seconds")),
		.cut = json_is_true(json_object_get(object, "cut")),
		.testimony = read_testimony(arena, object) };
	json_decref(object);
	return good;
}
