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

bool fcgi_accept(struct fcgi *fcgi, int fd, struct head *head)
{
	FCGX_Request *request = &fcgi->request;

	/* Handing over a connection: libfcgi takes a kept one as its own. */
	request->ipcFd = fd;
	request->keepConnection = 1;
	if (FCGX_Accept_r(request) < 0)
		return false;
	head_fill(head, request->envp);
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
