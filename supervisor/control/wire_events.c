/* wire_events.c - events as they go over the control socket: a line of JSON each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/control/wire.h"
#include "supervisor/control/wire_json.h"
#include "supervisor/record/events.h"

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text[0] != '\0')
		json_object_set_new(object, name, wire_text(text, strlen(text)));
}

static void set_number(json_t *object, const char *name, long long number)
{
	if (number != 0)
		json_object_set_new(object, name, json_integer(number));
}

static void set_seconds(json_t *object, const char *name, int64_t microseconds)
{
	if (microseconds >= 0)
		json_object_set_new(object, name, wire_seconds(microseconds));
}

static void set_ending(json_t *object, const struct event *event)
{
	json_object_set_new(
	    object, event->signalled ? "signal" : "status", json_integer(event->code));
	json_object_set_new(object, "failed", json_boolean(event->failed));
}

static json_t *describe(const struct event *event)
{
	char time[CLOCK_TEXT];
	json_t *object = json_pack("{s:I, s:s, s:s}", "number", (json_int_t)event->number, "time",
	    clock_rfc3339(time, event->wall), "event", event_names[event->kind]);

	set_text(object, "pool", event->pool);
	set_number(object, "generation", event->generation);
	set_number(object, "slot", (long long)event->slot);
	set_number(object, "pid", event->pid);
	if (event->kind == EVENT_EXIT)
		set_ending(object, event);
	set_seconds(object, "seconds", event->lasted);
	set_seconds(object, "retry_in", event->retry_in);
	set_text(object, "text", event->text);
	return object;
}

char *wire_events(const struct event *const *list, size_t count)
{
	char *text = wire_nothing();
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		text = wire_append(text, &length, wire_line(describe(list[i])));
	return text;
}

static void copy(char *room, size_t size, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	snprintf(room, size, "%s", text != NULL ? text : "");
}

bool wire_read_event(const char *line, size_t length, struct wire_event *event)
{
	json_t *object = json_loadb(line, length, 0, NULL);
	bool good = json_is_string(json_object_get(object, "event"));

	*event = (struct wire_event){
		.number = wire_member_number(object, "number"),
		.generation = wire_member_number(object, "generation"),
		.slot = wire_member_number(object, "slot"),
		.pid = wire_member_number(object, "pid"),
		.retry_in = -1,
	};
	if (json_is_number(json_object_get(object, "retry_in")))
		event->retry_in = json_number_value(json_object_get(object, "retry_in"));
	copy(event->time, sizeof(event->time), object, "time");
	copy(event->name, sizeof(event->name), object, "event");
	copy(event->pool, sizeof(event->pool), object, "pool");
	copy(event->text, sizeof(event->text), object, "text");
	json_decref(object);
	return good;
}
