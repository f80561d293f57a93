/* table.h - what ostlerd answers, as a person likes to read it. */
#ifndef SUPERVISOR_CTL_TABLE_H
#define SUPERVISOR_CTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

struct trace;
struct wire_answer;
struct wire_event;
struct wire_printed;
struct wire_shown;

void table_print(FILE *, const struct wire_answer *);

/* Of one pool, or of all: "". */
void table_print_workers(FILE *, const struct wire_answer *, const char *only);

/* A blank line comes before each but the first. */
void table_print_rights(FILE *, const struct wire_shown *, bool first);

void table_print_event(FILE *, const struct wire_event *); /* as a line */
void table_print_trace(FILE *, const struct trace *);
void table_print_line(FILE *, const struct wire_printed *);

#endif
