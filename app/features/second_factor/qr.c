/*
 * qr.c - a text as a QR code, drawn as SVG; the only door to libqrencode.
 *
 * One path has a rectangle for each run of dark modules in a row, so that the image is a few
 * kilobytes, sharp at any size, and needs neither style nor script: the page's
 * Content-Security-Policy stays as strict as it is.
 */
#include "features/second_factor/qr.h"

#include <qrencode.h>

#include "base/buffer.h"

/* ISO/IEC 18004: readers need so many light modules around it. */
#define QUIET 4

static void add_row(struct buffer *path, const unsigned char *row, int width, int y)
{
	for (int x = 0, run; x < width; x += run) {
		for (run = 1; x + run < width && ((row[x] ^ row[x + run]) & 1) == 0; run++)
			;
		/* Bit 0 of a module tells whether it is dark (qrencode.h). */
		if (row[x] & 1)
			buffer_print(path, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, run, run);
	}
}

const char *qr_svg(struct arena *arena, const char *text, const char *says)
{
	/* M: readable with 15 % of it unseen, on a screen that is more than enough. */
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct buffer svg;
	int side;

	if (code == NULL)
		return NULL;
	side = code->width + 2 * QUIET;
	buffer_start(&svg, arena, 8 << 10);
	buffer_print(&svg,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\""
	    " shape-rendering=\"crispEdges\"><title>%s</title>"
	    "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"",
	    side, side, says, side, side);
	for (int y = 0; y < code->width; y++)
		add_row(&svg, code->data + y * code->width, code->width, y);
	buffer_add(&svg, "\"/></svg>", sizeof("\"/></svg>"));
	QRcode_free(code);
	return svg.data;
}
