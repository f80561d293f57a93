/*
 * echo.c - a FastCGI program like many: libfcgi, one request at a time, no care for signals.
 *
 * It answers with the body it was sent, after the seconds that stand in SECONDS
 * and with BYTES bytes more.  Of the paths, /die is not answered at all, and
 * /leak leaves memory behind.
 * With HANG in its environment it never accepts; with FAIL it complains and ends;
 * with BROKEN it starts well and fails at each request: "die", "hang", "error" (a
 * status 500, with complaints on both kinds of error output) or "silence".
 *
 * libfcgi hangs up on a client that has connected and says nothing for 2 s, or has not
 * all of its answer 2 s later.  On a machine that stands still for longer these requests
 * would be lost by nobody's fault, so it is told to wait.
 */
#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void head(const FCGX_Request *request)
{
	FCGX_FPrintF(request->out,
	    "Content-Type: application/octet-stream\r\nX-Generation: %s\r\nX-Pid: %d\r\n\r\n",
	    getenv("OSTLER_GENERATION"), (int)getpid());
}

static void answer_big(const FCGX_Request *request)
{
	const char *bytes = FCGX_GetParam("BYTES", request->envp);
	long left = bytes != NULL ? atol(bytes) : 0;

	for (; left > 0; left--)
		FCGX_PutChar('x', request->out);
}

static void answer_body(const FCGX_Request *request)
{
	const char *told = FCGX_GetParam("CONTENT_LENGTH", request->envp);
	size_t length = told != NULL ? strtoul(told, NULL, 10) : 0;
	char *body = malloc(length + 1);
	int got = body != NULL ? FCGX_GetStr(body, (int)length, request->in) : 0;

	FCGX_PutStr(body, got, request->out);
	free(body);
}

static void leak(size_t bytes)
{
	void *lost = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (lost != MAP_FAILED)
		memset(lost, 1, bytes);
}

static void fail(const FCGX_Request *request, const char *how)
{
	fprintf(stderr, "the request is beyond me\n");
	if (strcmp(how, "die") == 0)
		abort();
	while (strcmp(how, "hang") == 0)
		pause();
	if (strcmp(how, "error") == 0) {
		FCGX_FPrintF(request->err, "the table is gone\n");
		FCGX_FPrintF(request->out, "Status: 500\r\n");
		head(request);
	}
}

static void answer(const FCGX_Request *request)
{
	const char *path = FCGX_GetParam("SCRIPT_NAME", request->envp);
	const char *seconds = FCGX_GetParam("SECONDS", request->envp);

	if (path != NULL && strcmp(path, "/die") == 0)
		abort();
	if (path != NULL && strcmp(path, "/leak") == 0)
		leak(32 << 20);
	if (seconds != NULL)
		usleep((useconds_t)(atof(seconds) * 1e6));
	head(request);
	answer_body(request);
	answer_big(request);
}

int main(void)
{
	FCGX_Request request;

	if (getenv("FAIL") != NULL) {
		fprintf(stderr, "the licence has run out\n");
		return 7;
	}
	while (getenv("HANG") != NULL)
		pause();
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "120000", 0);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "120000", 0);
	FCGX_Init();
	FCGX_InitRequest(&request, 0, 0);
	while (FCGX_Accept_r(&request) >= 0) {
		if (getenv("BROKEN") != NULL)
			fail(&request, getenv("BROKEN"));
		else
			answer(&request);
		FCGX_Finish_r(&request);
	}
	return 0;
}
