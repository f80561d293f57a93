/*
 * multipart.h - a multipart/form-data body (RFC 7578), read part by part as it arrives.
 *
 * Nothing of it is in memory but one window of a fixed size, so that a file of
 * any size costs what a small one costs.
 */
#ifndef CORE_INPUT_MULTIPART_H
#define CORE_INPUT_MULTIPART_H

#include "base/arena.h"
#include "core/journey/request.h"

struct multipart;

/* What a part's own head says. */
struct part {
	const char *name;
	const char *filename; /* NULL: it is no file; as the client wrote it */
	const char *media;    /* in lower case, without parameters; NULL: it says none */
};

/*
 * A reader of the body of CONTENT_TYPE, which says the boundary; READ and
 * CONNECTION are its source.  NULL: it says none that can be (RFC 2046, 5.1.1).
 */
struct multipart *multipart_open(
    struct arena *, const char *content_type, read_body_fn *read, void *connection);

/*
 * Goes to the next part, over what is left of this one, and reads its head.
 * False at the end, which is the end of the body too, or when it is broken.
 */
bool multipart_next(struct multipart *, struct part *);

/*
 * Points BYTES to the next ones of the part, good until the next call.  Returns
 * how many; 0 at the end of the part, or when the body is broken.
 */
size_t multipart_read(struct multipart *, const char **bytes);

/* What is wrong with the body, in words that follow "The form "; NULL: nothing. */
const char *multipart_wrong(const struct multipart *);

#endif
