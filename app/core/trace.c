/* trace.c - which request this is, across processes. */
#include "core/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

#define TRACE_ID_AT 3
#define SPAN_ID_AT  36
#define FLAGS_AT    53
#define LENGTH      55

static bool is_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

static bool all_zero(const char *text, size_t length)
{
	return strspn(text, "0") >= length;
}

bool trace_parent_is_valid(const char *text)
{
	return strlen(text) == LENGTH && strncmp(text, "00-", 3) == 0 &&
	       is_hex(text + TRACE_ID_AT, 32) && text[SPAN_ID_AT - 1] == '-' &&
	       is_hex(text + SPAN_ID_AT, 16) && text[FLAGS_AT - 1] == '-' &&
	       is_hex(text + FLAGS_AT, 2) && !all_zero(text + TRACE_ID_AT, 32) &&
	       !all_zero(text + SPAN_ID_AT, 16);
}

static bool request_id_is_valid(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t length = strspn(text, allowed);

	return length > 0 && length < sizeof(((struct trace *)0)->request_id) &&
	       text[length] == '\0';
}

static void random_hex(char *text, size_t bytes)
{
	unsigned char noise[16];

	if (getrandom(noise, bytes, 0) != (ssize_t)bytes)
		die("no random numbers to be had");
	for (size_t i = 0; i < bytes; i++)
		sprintf(text + 2 * i, "%02x", noise[i]);
}

void trace_start(struct trace *trace, const char *traceparent, const char *request_id)
{
	if (traceparent != NULL && trace_parent_is_valid(traceparent)) {
		memcpy(trace->parent, traceparent, LENGTH + 1);
	} else {
		char trace_id[33], span_id[17];

		random_hex(trace_id, 16);
		random_hex(span_id, 8);
		snprintf(trace->parent, sizeof(trace->parent), "00-%s-%s-00", trace_id, span_id);
	}
	if (request_id != NULL && request_id_is_valid(request_id))
		snprintf(trace->request_id, sizeof(trace->request_id), "%s", request_id);
	else
		snprintf(trace->request_id, sizeof(trace->request_id), "%.32s",
		    trace->parent + TRACE_ID_AT);
}
