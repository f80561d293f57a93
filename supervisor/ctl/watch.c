/* watch.c - draws something anew every second, as top(1) does. */
#include "supervisor/ctl/watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "supervisor/ctl/wish.h"

/* ECMA-48: home; erase to the end of the line; erase what is below. */
#define HOME       "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_REST "\033[J"

/* Bytes of the line at TEXT that fit in so many COLUMNS: a character of UTF-8 takes one. */
static size_t fitting(const char *text, size_t length, unsigned columns)
{
	size_t bytes = 0;

	for (unsigned used = 0; bytes < length; bytes++) {
		bool begins = ((unsigned char)text[bytes] & 0xC0) != 0x80;

		if (begins && used++ == columns)
			break;
	}
	return bytes;
}

static void show_on_terminal(const char *text, const struct winsize *size)
{
	fputs(HOME, stdout);
	for (unsigned row = 1; *text != '\0' && row < size->ws_row; row++) {
		size_t length = strcspn(text, "\n");

		fwrite(text, 1, fitting(text, length, size->ws_col), stdout);
		fputs(ERASE_LINE "\n", stdout);
		text += length + (text[length] == '\n');
	}
	fputs(ERASE_REST, stdout);
}

static void show(const char *text)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
	    size.ws_row > 0 && size.ws_col > 0)
		show_on_terminal(text, &size);
	else
		printf("%s\n", text);
	fflush(stdout);
}

static int draw_once(
    const struct wish *wish, int (*draw)(const struct wish *, FILE *out), char **text)
{
	struct wish asked = *wish;
	size_t length;
	FILE *out = open_memstream(text, &length);
	int status;

	if (out == NULL)
		return EXIT_REFUSED;
	asked.arena = arena_new(65536);
	status = draw(&asked, out);
	arena_free(&asked.arena);
	fclose(out);
	return status;
}

int watch_draw(const struct wish *wish, int (*draw)(const struct wish *, FILE *out))
{
	const struct timespec pause = { .tv_sec = 1 };

	for (;;) {
		char *text = NULL;
		int status = draw_once(wish, draw, &text);

		if (status == EXIT_SUCCESS)
			show(text);
		free(text);
		if (status != EXIT_SUCCESS || ferror(stdout))
			return status;
		nanosleep(&pause, NULL);
	}
}
