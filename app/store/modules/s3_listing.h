/* s3_listing.h - the XML that a bucket answers when its objects are listed; private to s3.c. */
#ifndef STORE_MODULES_S3_LISTING_H
#define STORE_MODULES_S3_LISTING_H

#include "store/object_driver.h"

struct s3_listing {
	struct arena *arena;
	struct object_list *list;
	size_t skip;      /* so much of each key is the store's prefix */
	const char *next; /* the token of the next page, or NULL after the last */
};

/* Adds the objects of a page (ListObjectsV2).  False after logging why: it is none. */
bool s3_listing_read(struct s3_listing *, const char *xml, size_t length) MUST_CHECK;

#endif
