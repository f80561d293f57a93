/*
 * settings_numbers.c - numbers that libconfig 1.5 would wrap without a word.
 *
 * It reads 4294967297 as 1 and drops what lies over 64 bits.  The parsed tree
 * shows neither, so the text itself is looked through, past its strings and
 * comments.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings_walk.h"

struct scan {
	const char *p;
	unsigned line;
};

static void skip_until(struct scan *scan, const char *end)
{
	while (*scan->p != '\0' && strncmp(scan->p, end, strlen(end)) != 0) {
		scan->line += *scan->p == '\n';
		scan->p++;
	}
}

static void skip_string(struct scan *scan)
{
	for (scan->p++; *scan->p != '\0' && *scan->p != '"'; scan->p++) {
		if (*scan->p == '\\' && scan->p[1] != '\0')
			scan->p++;
		scan->line += *scan->p == '\n';
	}
	if (*scan->p == '"')
		scan->p++;
}

static void check_number(struct complaints *complaints, const char *file, struct scan *scan)
{
	const char *start = scan->p;
	size_t length = strspn(start, "+-0123456789abcdefABCDEFxX.L");
	char *end;
	long long value;

	scan->p += length;
	errno = 0;
	value = strtoll(start, &end, 0);
	if (memchr(start, '.', length) != NULL)
		return; /* a float */
	if (errno == ERANGE)
		settings_complain_at(complaints, file, scan->line,
		    "the number %.*s does not fit 64 bits", (int)length, start);
	else if (*end != 'L' && (value > INT_MAX || value < INT_MIN))
		settings_complain_at(complaints, file, scan->line,
		    "the number %.*s does not fit 32 bits: write it with an L behind it",
		    (int)length, start);
}

static void scan_text(struct complaints *complaints, const char *file, const char *text)
{
	struct scan scan = { text, 1 };

	while (*scan.p != '\0') {
		if (*scan.p == '"')
			skip_string(&scan);
		else if (*scan.p == '#' || strncmp(scan.p, "//", 2) == 0)
			skip_until(&scan, "\n");
		else if (strncmp(scan.p, "/*", 2) == 0)
			skip_until(&scan, "*/");
		else if (isalpha((unsigned char)*scan.p) || *scan.p == '_' || *scan.p == '*')
			/* a name may have digits in it */
			scan.p += strspn(scan.p, "abcdefghijklmnopqrstuvwxyz"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-*");
		else if (isdigit((unsigned char)*scan.p) ||
			 (strchr("+-", *scan.p) != NULL && isdigit((unsigned char)scan.p[1])))
			check_number(complaints, file, &scan);
		else
			scan.line += *scan.p++ == '\n';
	}
}

/* Whether FILE was looked through before; it is from now on. */
static bool scanned_before(struct complaints *complaints, const char *file)
{
	struct scanned_file *scanned;

	for (const struct scanned_file *f = complaints->scanned; f != NULL; f = f->older)
		if (strcmp(f->name, file) == 0)
			return true;
	scanned = arena_alloc(complaints->arena, sizeof(*scanned));
	*scanned = (struct scanned_file){ file, complaints->scanned };
	complaints->scanned = scanned;
	return false;
}

void settings_scan_numbers(struct complaints *complaints, const char *file)
{
	struct buffer text;
	char part[4096];
	FILE *stream;
	size_t got;

	if (file == NULL || scanned_before(complaints, file))
		return;
	stream = fopen(file, "re");
	if (stream == NULL)
		return; /* libconfig has just read it; whoever removed it will be heard of */
	buffer_start(&text, complaints->arena, sizeof(part));
	while ((got = fread(part, 1, sizeof(part), stream)) > 0)
		buffer_add(&text, part, got);
	fclose(stream);
	buffer_add_char(&text, '\0');
	scan_text(complaints, file, text.data);
}
