/* print.h - the form in which workers' lines are written. */
#ifndef SUPERVISOR_OUTPUT_PRINT_H
#define SUPERVISOR_OUTPUT_PRINT_H

#include <stdbool.h>
#include <stddef.h>

struct recent_line;
struct sink;

enum print_form {
	PRINT_AUTO,  /* plain in a file of their own; on standard error as our own messages */
	PRINT_PLAIN, /* as the worker wrote it */
	PRINT_TEXT,  /* with time, worker and process before it */
	PRINT_JSON,  /* an object a line */
};
extern const char *const print_form_names[]; /* in enum order, NULL-terminated */

/* What AUTO means for a pool that HAS_FILE of its own; the others mean themselves. */
enum print_form print_form_of(int wished, bool has_file);

/* False: the line is lost. */
bool print_line(struct sink *, enum print_form, const struct recent_line *, const char *text);

/* Says that COUNT lines are missing here. */
void print_loss(struct sink *, enum print_form, unsigned long long count);

#endif
