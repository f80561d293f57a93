/* wire_lines.c - what workers have printed, as it goes over the control socket. */
#include <stdlib.h>

#include "base/clock.h"
#include "supervisor/control/wire.h"
#include "supervisor/control/wire_json.h"
#include "supervisor/output/recent.h"

char *wire_line_printed(const struct recent_line *line, const char *text)
{
	char time[CLOCK_TEXT];
	json_t *object = json_pack("{s:I, s:s, s:s, s:I, s:I, s:o}", "number",
	    (json_int_t)line->number, "time", clock_rfc3339(time, line->wall), "pool", line->pool,
	    "slot", (json_int_t)line->slot, "pid", (json_int_t)line->pid, "line",
	    wire_text(text, line->length));

	if (line->goes_on)
		json_object_set_new(object, "goes_on", json_true());
	return wire_line(object);
}

bool wire_read_printed(
    struct arena *arena, const char *line, size_t length, struct wire_printed *printed)
{
	json_t *object = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	const json_t *text = json_object_get(object, "line");
	bool good = json_is_string(text);

	*printed = (struct wire_printed){
		.slot = wire_member_number(object, "slot"),
		.pid = wire_member_number(object, "pid"),
		.time = wire_member_text(arena, object, "time"),
		.pool = wire_member_text(arena, object, "pool"),
		.goes_on = json_is_true(json_object_get(object, "goes_on")),
	};
	if (good) {
		printed->length = json_string_length(text);
		printed->text = arena_copy(arena, json_string_value(text), printed->length);
	}
	json_decref(object);
	return good;
}
