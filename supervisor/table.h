/* table.h - the status of all pools as a person likes to read it. */
#ifndef SUPERVISOR_TABLE_H
#define SUPERVISOR_TABLE_H

#include <stdio.h>

struct wire_answer;

void table_print(FILE *, const struct wire_answer *);

#endif
