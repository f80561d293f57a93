/* watch.h - draws something anew every second, as top(1) does. */
#ifndef SUPERVISOR_CTL_WATCH_H
#define SUPERVISOR_CTL_WATCH_H

#include <stdio.h>

struct wish;

/*
 * Draws until DRAW, which returns an exit status, does not return 0; returns that.
 * On a terminal each picture takes the place of the last and is cut to its size.
 */
int watch_draw(const struct wish *, int (*draw)(const struct wish *, FILE *out));

#endif
