/*
 * log.h - one line per event on standard error, as JSON or as text.
 *
 * A line is assembled on the stack and leaves in one write(2), so that lines of
 * threads and processes that share a descriptor never mix.  A line that does
 * not fit is cut; a descriptor that fails costs the line and nothing else.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attributes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

extern const char *const log_level_names[];  /* "debug" … NULL, in enum order */
extern const char *const log_format_names[]; /* "text", "json", NULL */

/* Chooses what is written and how; before it is called: LOG_INFO and LOG_TEXT. */
void log_setup(enum log_level, enum log_format);

/* Hands whole lines for standard error to TAKE from now on; NULL: they are written there again. */
void log_divert(void (*take)(const char *line, size_t length));

bool log_is_json(void);

/* Whether a line of this level would be written: spare the work otherwise. */
bool log_wants(enum log_level);

#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_message(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_message(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)
void log_message(enum log_level, const char *format, ...) PRINTF_LIKE(2, 3);

/* A line with named values: log_begin, any number of log_add_…, log_end. */
struct log_line {
	enum log_level level;
	size_t length;
	char text[2048];
};
void log_begin(struct log_line *, enum log_level, const char *message);
void log_add_text(struct log_line *, const char *name, const char *value);
void log_add_bytes(struct log_line *, const char *name, const char *value, size_t length);
void log_add_integer(struct log_line *, const char *name, long long value);
void log_add_ms(struct log_line *, const char *name, long long microseconds); /* as 1.234 */
void log_end(struct log_line *, int fd); /* writes it there: STDERR_FILENO is where all others go */

/* The environment's failure: says why and exits with status 1. */
void die(const char *format, ...) PRINTF_LIKE(1, 2) NO_RETURN;

/* Our own failure, which cannot happen: says where and aborts. */
void bug(const char *format, ...) PRINTF_LIKE(1, 2) NO_RETURN;

#endif
