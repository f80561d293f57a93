/* fcgi.c - one thread's end of FastCGI. */
#include "core/serve/fcgi.h"

#include <fcgiapp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

struct fcgi {
	FCGX_Request request;
};

void fcgi_init(void)
{
	if (FCGX_Init() != 0)
		die("cannot initialize libfcgi");
}

struct fcgi *fcgi_new(void)
{
	struct fcgi *fcgi = calloc(1, sizeof(*fcgi));

	if (fcgi == NULL || FCGX_InitRequest(&fcgi->request, -1, 0) != 0)
		die("out of memory");
	return fcgi;
}

void fcgi_free(struct fcgi **fcgi)
{
	free(*fcgi);
	*fcgi = NULL;
}

#define PARAMETER(called, member)                                         \
	{                                                                 \
		called, sizeof(called) - 1, offsetof(struct head, member) \
	}

static const struct parameter {
	const char *name;
	size_t length, offset;
} parameters[] = {
	PARAMETER("REQUEST_METHOD", method),
	PARAMETER("REQUEST_URI", uri),
	PARAMETER("CONTENT_TYPE", content_type),
	PARAMETER("CONTENT_LENGTH", content_length),
	PARAMETER("HTTP_HOST", host),
	PARAMETER("HTTP_ORIGIN", origin),
	PARAMETER("HTTP_IF_NONE_MATCH", if_none_match),
	PARAMETER("HTTP_X_REQUEST_ID", request_id),
	PARAMETER("HTTP_TRACEPARENT", traceparent),
	PARAMETER("REMOTE_ADDR", remote_address),
};

/* One pass over what nginx sent: cheaper than asking libfcgi for each by name. */
static void fill_head(struct head *head, char **environment)
{
	*head = (struct head){ 0 };
	for (; *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		size_t length;

		if (equals == NULL || equals[1] == '\0')
			continue;
		length = (size_t)(equals - *environment);
		for (size_t i = 0; i < COUNT(parameters); i++) {
			const struct parameter *p = &parameters[i];

			if (p->length != length || memcmp(p->name, *environment, length) != 0)
				continue;
			*(const char **)((char *)head + p->offset) = equals + 1;
			break;
		}
	}
}

bool fcgi_accept(struct fcgi *fcgi, int fd, struct head *head)
{
	FCGX_Request *request = &fcgi->request;

	/* Handing over a connection: libfcgi takes a kept one as its own (DESIGN, section 4). */
	request->ipcFd = fd;
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) < 0)
		return false;
	fill_head(head, request->envp);
	return true;
}

size_t fcgi_read_body(void *connection, char *bytes, size_t room)
{
	struct fcgi *fcgi = connection;
	int got = FCGX_GetStr(bytes, (int)room, fcgi->request.in);

	return got > 0 ? (size_t)got : 0;
}

void fcgi_write(struct fcgi *fcgi, const char *bytes, size_t length)
{
	FCGX_PutStr(bytes, (int)length, fcgi->request.out);
}

/* A refused body is read up to this, so that the web server is done sending and listens. */
#define UNREAD_MOST (16 << 20)

/*
 * Reads what is left of the request, at least the empty record that ends its
 * body: on a kept connection it would stand before the next request.  A body
 * that goes on beyond UNREAD_MOST is left there: then the connection is not kept.
 */
static bool at_end_of_body(struct fcgi *fcgi)
{
	char rest[8192];
	int left = UNREAD_MOST / sizeof(rest);

	while (left-- > 0)
		if (fcgi_read_body(fcgi, rest, sizeof(rest)) == 0)
			return FCGX_GetError(fcgi->request.in) == 0;
	return false;
}

bool fcgi_finish(struct fcgi *fcgi, bool keep)
{
	FCGX_Request *request = &fcgi->request;
	int fd;

	keep = at_end_of_body(fcgi) && request->keepConnection && keep;
	/* Told to close, libfcgi would wait up to 2 s for the peer to close first: we do it. */
	request->keepConnection = 1;
	FCGX_Finish_r(request);
	fd = request->ipcFd;
	request->ipcFd = -1;
	if (fd < 0)
		return false; /* an error made libfcgi close it */
	if (!keep)
		close(fd);
	return keep;
}
