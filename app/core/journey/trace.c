/*
 * trace.c - which request this is, across processes.
 *
 * A traceparent that breaks a rule is as good as none (W3C Trace Context, 3.2.2.3):
 * it is replaced, never repaired, so that nothing of it reaches a head or a log.
 * The ids of both headers are copied by a list of letters that are harmless there.
 */
#include "core/journey/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

#define LENGTH 55

static bool is_hex(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	return true;
}

static bool all_zero(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != '0')
			return false;
	return true;
}

bool trace_parent_is_valid(const char *text)
{
	return strlen(text) == LENGTH && strncmp(text, "00-", 3) == 0 &&
	       is_hex(text + TRACE_ID_AT, 32) && text[TRACE_SPAN_ID_AT - 1] == '-' &&
	       is_hex(text + TRACE_SPAN_ID_AT, 16) && text[TRACE_FLAGS_AT - 1] == '-' &&
	       is_hex(text + TRACE_FLAGS_AT, 2) && !all_zero(text + TRACE_ID_AT, 32) &&
	       !all_zero(text + TRACE_SPAN_ID_AT, 16);
}

static bool is_id_letter(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_';
}

/* Copies an id of 1 to 64 harmless characters; false: it is none.  One pass, for every request. */
static bool copy_request_id(char *to, const char *text)
{
	size_t length = 0;

	for (; is_id_letter(text[length]); length++) {
		if (length == sizeof(((struct trace *)0)->request_id) - 1)
			return false;
		to[length] = text[length];
	}
	to[length] = '\0';
	return length > 0 && text[length] == '\0';
}

static void random_hex(char *text, size_t bytes)
{
	unsigned char noise[16];

	if (getrandom(noise, bytes, 0) != (ssize_t)bytes)
		die("no random numbers to be had");
	for (size_t i = 0; i < bytes; i++)
		sprintf(text + 2 * i, "%02x", noise[i]);
}

/* Who begins one, here or in nginx/requests.conf, makes the span's id of the trace's: the parent
 * that this names is nowhere to be found. */
bool trace_begins_here(const struct trace *trace)
{
	return memcmp(trace->parent + TRACE_ID_AT, trace->parent + TRACE_SPAN_ID_AT, 15) == 0 &&
	       trace->parent[TRACE_SPAN_ID_AT + 15] == '1';
}

void trace_start(struct trace *trace, const char *traceparent, const char *request_id)
{
	if (traceparent != NULL && trace_parent_is_valid(traceparent)) {
		memcpy(trace->parent, traceparent, LENGTH + 1);
	} else {
		char trace_id[33];

		random_hex(trace_id, 16);
		snprintf(
		    trace->parent, sizeof(trace->parent), "00-%s-%.15s1-00", trace_id, trace_id);
	}
	if (request_id == NULL || !copy_request_id(trace->request_id, request_id))
		snprintf(trace->request_id, sizeof(trace->request_id), "%.32s",
		    trace->parent + TRACE_ID_AT);
}
