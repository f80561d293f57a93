/* fastcgi.c - a FastCGI request and its answer, as bytes. */
#include "supervisor/system/fastcgi.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Types of records, and the role of a program that answers requests. */
enum { BEGIN_REQUEST = 1, END_REQUEST = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, STDERR = 7 };
enum { RESPONDER = 1 };

#define VERSION        1
#define REQUEST_ID     1
#define CONTENT_MOST   65535
#define PROTOCOL_STATE 4 /* where END_REQUEST has it, behind the program's own status */

static void add_record(struct buffer *out, int type, const char *content, size_t length)
{
	const unsigned char head[8] = { VERSION, (unsigned char)type, 0, REQUEST_ID,
		length >> 8 & 0xff, length & 0xff, 0, 0 };

	buffer_add(out, (const char *)head, sizeof(head));
	buffer_add(out, content, length);
}

/* A length is a byte, or four with the highest bit set. */
static void add_length(struct buffer *out, size_t length)
{
	if (length < 128) {
		buffer_add_char(out, (char)length);
		return;
	}
	buffer_add_char(out, (char)(length >> 24 | 0x80));
	buffer_add_char(out, (char)(length >> 16 & 0xff));
	buffer_add_char(out, (char)(length >> 8 & 0xff));
	buffer_add_char(out, (char)(length & 0xff));
}

static void add_param(struct buffer *out, const char *param)
{
	size_t name = strcspn(param, "=");
	const char *value = param + name + (param[name] == '=');

	add_length(out, name);
	add_length(out, strlen(value));
	buffer_add(out, param, name);
	buffer_add_text(out, value);
}

void fastcgi_request(struct buffer *out, const char *const *params)
{
	static const char begin[8] = { 0, RESPONDER }; /* without FCGI_KEEP_CONN */
	struct buffer stream;

	buffer_start(&stream, out->arena, 1024);
	for (; *params != NULL; params++)
		add_param(&stream, *params);
	add_record(out, BEGIN_REQUEST, begin, sizeof(begin));
	for (size_t at = 0; at < stream.length; at += CONTENT_MOST) {
		size_t left = stream.length - at;

		add_record(
		    out, PARAMS, stream.data + at, left < CONTENT_MOST ? left : CONTENT_MOST);
	}
	/* An empty record ends a stream; that of the body has nothing else. */
	add_record(out, PARAMS, "", 0);
	add_record(out, STDIN, "", 0);
}

static void keep(char *room, size_t size, size_t *length, const char *bytes, size_t count)
{
	if (count > size - *length)
		count = size - *length;
	memcpy(room + *length, bytes, count);
	*length += count;
	room[*length] = '\0';
}

/* COUNT bytes of the record's content, of which BEGUN bytes came before. */
static void take_content(
    struct fastcgi_answer *answer, const char *bytes, size_t count, size_t begun)
{
	switch (answer->record[1]) {
	case STDOUT:
		keep(answer->head, FASTCGI_HEAD, &answer->head_length, bytes, count);
		break;
	case STDERR:
		keep(answer->said, FASTCGI_SAID, &answer->said_length, bytes, count);
		break;
	case END_REQUEST:
		if (begun <= PROTOCOL_STATE && begun + count > PROTOCOL_STATE)
			answer->refused = bytes[PROTOCOL_STATE - begun] != 0;
		break;
	default: /* a type we know nothing of is passed over */
		break;
	}
}

/* Returns how many bytes of the head of a record were taken; it may come in pieces, too. */
static size_t take_head(struct fastcgi_answer *answer, const char *bytes, size_t length)
{
	size_t wanted = sizeof(answer->record) - answer->record_length;
	size_t count = length < wanted ? length : wanted;
	const unsigned char *record = answer->record;

	memcpy(answer->record + answer->record_length, bytes, count);
	answer->record_length += count;
	if (answer->record_length == sizeof(answer->record)) {
		answer->content = (size_t)record[4] << 8 | record[5];
		answer->padding = record[6];
	}
	return count;
}

/* The record is whole: the next bytes begin another. */
static void end_record(struct fastcgi_answer *answer)
{
	answer->record_length = 0;
	answer->ended = answer->ended || answer->record[1] == END_REQUEST;
}

bool fastcgi_take(struct fastcgi_answer *answer, const char *bytes, size_t length)
{
	while (length > 0 && !answer->ended) {
		const unsigned char *record = answer->record;
		size_t count;

		if (answer->record_length < sizeof(answer->record)) {
			count = take_head(answer, bytes, length);
			if (record[0] != VERSION)
				return false;
		} else if (answer->content > 0) {
			size_t whole = (size_t)record[4] << 8 | record[5];

			count = length < answer->content ? length : answer->content;
			take_content(answer, bytes, count, whole - answer->content);
			answer->content -= count;
		} else {
			count = length < answer->padding ? length : answer->padding;
			answer->padding -= count;
		}
		bytes += count;
		length -= count;
		if (answer->record_length == sizeof(answer->record) && answer->content == 0 &&
		    answer->padding == 0)
			end_record(answer);
	}
	return true;
}

/* The value of a field of the head, which ends with an empty line; NULL: there is none. */
static const char *find_field(const char *head, const char *name)
{
	size_t length = strlen(name);
	const char *line = head;

	while (line != NULL && *line != '\n' && *line != '\r' && *line != '\0') {
		if (strncasecmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1;
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return NULL;
}

int fastcgi_status(const struct fastcgi_answer *answer)
{
	const char *head = answer->head;
	const char *status = find_field(head, "Status");

	/* A program that only dies often leaves an empty answer, which is none. */
	if (strstr(head, "\n\n") == NULL && strstr(head, "\n\r\n") == NULL &&
	    answer->head_length < FASTCGI_HEAD)
		return 0;
	if (status != NULL)
		return atoi(status);
	return find_field(head, "Location") != NULL ? 302 : 200;
}
