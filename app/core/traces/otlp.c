/*
 * otlp.c - spans as OTLP's JSON.
 *
 * The JSON form of protobuf, where ids are hexadecimal and 64-bit numbers are texts:
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
#include "core/traces/otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/answer/json.h"

#define ID 17 /* 16 digits and a NUL */

static void write_attribute(struct buffer *out, const char *key, const char *kind, const char *text)
{
	json_open(out, '{');
	json_key_text(out, "key", key);
	json_key_open(out, "value", '{');
	json_key_text(out, kind, text);
	json_close(out, '}');
	json_close(out, '}');
}

/* The NUL-terminated text at *AT, which then is behind it; NULL: the record ends before. */
static const char *next_text(const struct span_record *record, size_t *at)
{
	const char *text = record->text + *at;
	size_t left = *at < record->length ? record->length - *at : 0;
	size_t length = strnlen(text, left);

	if (length == left)
		return NULL;
	*at += length + 1;
	return text;
}

static void write_attributes(struct buffer *out, const struct span_record *record, size_t at)
{
	const char *key, *value;

	json_key_open(out, "attributes", '[');
	while ((key = next_text(record, &at)) != NULL && at < record->length) {
		bool is_number = record->text[at++] == 'n';

		value = next_text(record, &at);
		if (value == NULL)
			break;
		write_attribute(out, key, is_number ? "intValue" : "stringValue", value);
	}
	json_close(out, ']');
}

static void write_time(struct buffer *out, const char *key, int64_t us)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64 "000", us);
	json_key_text(out, key, text);
}

static void write_id(struct buffer *out, const char *key, uint64_t id)
{
	char text[ID];

	snprintf(text, sizeof(text), "%016" PRIx64, id);
	json_key_text(out, key, text);
}

static void write_span(struct buffer *out, const struct span_record *record)
{
	size_t at = 0;
	const char *name = next_text(record, &at);

	json_open(out, '{');
	json_key(out, "traceId");
	json_bytes(out, record->trace_id, sizeof(record->trace_id));
	write_id(out, "spanId", record->id);
	if (record->parent != 0)
		write_id(out, "parentSpanId", record->parent);
	json_key_text(out, "name", name != NULL ? name : "");
	json_key(out, "kind");
	json_number(out, record->kind);
	write_time(out, "startTimeUnixNano", record->began);
	write_time(out, "endTimeUnixNano", record->ended);
	write_attributes(out, record, at);
	json_key_open(out, "status", '{');
	if (record->failed) {
		json_key(out, "code");
		json_number(out, 2); /* STATUS_CODE_ERROR */
	}
	json_close(out, '}');
	json_close(out, '}');
}

void otlp_write(struct buffer *out, const struct otlp_resource *resource,
    const struct span_record *const *records, size_t count)
{
	json_open(out, '{');
	json_key_open(out, "resourceSpans", '[');
	json_open(out, '{');
	json_key_open(out, "resource", '{');
	json_key_open(out, "attributes", '[');
	write_attribute(out, "service.name", "stringValue", resource->service);
	write_attribute(out, "service.version", "stringValue", resource->version);
	write_attribute(out, "service.instance.id", "stringValue", resource->instance);
	json_close(out, ']');
	json_close(out, '}');
	json_key_open(out, "scopeSpans", '[');
	json_open(out, '{');
	json_key_open(out, "scope", '{');
	json_key_text(out, "name", "ostler");
	json_close(out, '}');
	json_key_open(out, "spans", '[');
	for (size_t i = 0; i < count; i++)
		write_span(out, records[i]);
	for (const char *end = "]}]}]}"; *end != '\0'; end++)
		json_close(out, *end);
}
