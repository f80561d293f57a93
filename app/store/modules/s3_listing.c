/* s3_listing.c - the XML that a bucket answers when its objects are listed. */
#include "store/modules/s3_listing.h"

#include <expat.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/text.h"

struct reading {
	struct s3_listing *listing;
	struct buffer text; /* of the element that is open */
	const char *key;
	long long bytes;
	bool truncated, is_listing;
	const char *token;
};

static void open_element(void *of, const char *name, const char **attributes)
{
	struct reading *reading = of;

	(void)attributes;
	if (strcmp(name, "ListBucketResult") == 0)
		reading->is_listing = true;
	reading->text.length = 0;
}

static void hear_text(void *of, const char *text, int length)
{
	struct reading *reading = of;

	buffer_add(&reading->text, text, (size_t)length);
}

static void add_object(struct reading *reading)
{
	struct s3_listing *listing = reading->listing;

	/* What others have put there under names that we never give is not ours. */
	if (reading->key != NULL && strlen(reading->key) > listing->skip &&
	    object_key_is_valid(reading->key + listing->skip))
		object_list_add(
		    listing->list, listing->arena, reading->key + listing->skip, reading->bytes);
	reading->key = NULL;
}

static void close_element(void *of, const char *name)
{
	struct reading *reading = of;
	struct arena *arena = reading->listing->arena;
	const char *text = arena_copy(arena, reading->text.data, reading->text.length);

	if (strcmp(name, "Key") == 0)
		reading->key = text;
	else if (strcmp(name, "Size") == 0 && !text_to_integer(text, &reading->bytes))
		reading->bytes = 0;
	else if (strcmp(name, "Contents") == 0)
		add_object(reading);
	else if (strcmp(name, "IsTruncated") == 0)
		reading->truncated = strcmp(text, "true") == 0;
	else if (strcmp(name, "NextContinuationToken") == 0)
		reading->token = text;
	reading->text.length = 0;
}

bool s3_listing_read(struct s3_listing *listing, const char *xml, size_t length)
{
	struct reading reading = { .listing = listing };
	XML_Parser parser = XML_ParserCreate(NULL);
	bool good;

	if (parser == NULL)
		die("out of memory");
	buffer_start(&reading.text, listing->arena, 256);
	XML_SetUserData(parser, &reading);
	XML_SetElementHandler(parser, open_element, close_element);
	XML_SetCharacterDataHandler(parser, hear_text);
	good = XML_Parse(parser, xml, (int)length, XML_TRUE) == XML_STATUS_OK && reading.is_listing;
	if (!good)
		log_error("object store: cannot list objects: the answer is no listing: %s",
		    XML_ErrorString(XML_GetErrorCode(parser)));
	XML_ParserFree(parser);
	listing->next = reading.truncated ? reading.token : NULL;
	return good;
}
