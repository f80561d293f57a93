/* qr.h - a text as a QR code that a page can show. */
#ifndef FEATURES_SECOND_FACTOR_QR_H
#define FEATURES_SECOND_FACTOR_QR_H

#include "base/arena.h"

/*
 * TEXT as an SVG image, NUL-terminated, in the arena, which SAYS for whoever sees none
 * what it is.  NULL when it is longer than a QR code holds.
 */
const char *qr_svg(struct arena *, const char *text, const char *says);

#endif
