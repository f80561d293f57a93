/*
 * shape.h - what arrives or leaves: a list of fields bound to a C struct.
 *
 * One shape serves the binding of path, query, form and JSON, the check of all
 * its values, the JSON of the answer and the schema in OpenAPI.
 */
#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include "store/value.h"

/* Where a page of a list ended: the sort key of its last row.  Opaque outside. */
struct cursor {
	const char *time; /* NULL: no cursor was given */
	long long id;
	const char *uuid; /* the row's id when that is one; else NULL */
};

/* A file that was sent: in a temporary file without a name, which ends with the request. */
struct upload {
	const char *name;  /* as the client calls it, without any path; NULL: none was sent */
	const char *media; /* as the client says, in lower case: "text/csv" */
	long long size;    /* bytes */
	int fd;            /* read from its beginning; the request closes it */
};

struct field;

/* Several values of a field with .many: count 0 when none was given. */
struct list {
	const void *items;
	size_t count;
	size_t stride;             /* bytes from one item to the next */
	const struct field *field; /* whose values they are */
};

/* The item at I, 0 to count - 1: a pointer to what a single field's member would hold. */
static inline const void *list_item(const struct list *list, size_t i)
{
	return (const char *)list->items + i * list->stride;
}

/* A list of a C array, for an answer. */
#define LIST_OF(array, length) \
	((struct list){ .items = (array), .count = (length), .stride = sizeof(*(array)) })

struct field {
	const char *name;
	enum kind kind;
	size_t offset; /* where the checked value is stored */
	bool required;
	bool nullable; /* null may be given; SQL's NULL is answered as null */
	long long min,
	    max;          /* code points of text, bytes of a file, value of a number; 0, 0: free */
	const char *when; /* it is required when this TEXT of the same shape */
	const char *const *is;     /* is one of these, NULL-terminated */
	const char *preset;        /* stored when it is not given, as a person would write it */
	const char *const *one_of; /* TEXT: NULL-terminated; UPLOAD: of media types */
	const char *pattern;       /* TEXT: a regular expression (PCRE2) found in it */
	const struct shape *of;    /* OBJECT: its own fields */
	long long least, many;     /* a list of so many values; many 0: one value, no list */
	const char *unique;        /* the constraint or index that refuses it when it is taken */
	const char *doc;
	const char *example; /* as a person would write it */
};

struct shape {
	const char *name; /* of the struct: "struct task" */
	size_t size;
	const struct field *fields; /* ends with END */
	bool open;                  /* a name that it does not have is passed over, not an error */
};

/* The most fields of a shape: which of them were given is one bit each. */
#define SHAPE_FIELDS_MOST 64

/*
 * Name, kind and place of a field, all read off the struct member itself, so
 * that renaming the member renames the API and a wrong type cannot compile.
 * FIELD_AS names a kind that C's type cannot tell: TIME, DATE, MONTH, UUID,
 * EMAIL, URL and MONEY are const char * too, an OBJECT is a pointer to the
 * const struct of .of, and a list's member is a struct list of any kind:
 *
 *     { FIELD_AS(struct order, tags, TEXT), .many = 10 }
 *     { FIELD_AS(struct order, items, OBJECT), .of = &item, .many = 100 }
 */
/* clang-format off */
#define FIELD(type, member)								\
	.name = #member, .offset = offsetof(type, member),				\
	.kind = _Generic(((type *)0)->member,						\
	    const char *: TEXT, long long: INTEGER, double: NUMBER, bool: BOOLEAN,	\
	    struct cursor: CURSOR, struct upload: UPLOAD)
#define FIELD_AS(type, member, as) .name = #member, .offset = offsetof(type, member), .kind = as

/* SHAPE_NAMED is for a second shape of the same struct: its schema needs a name of its own. */
#define SHAPE(type, ...) SHAPE_NAMED(#type, type, __VA_ARGS__)
#define SHAPE_NAMED(called, type, ...)							\
	{ .name = called, .size = sizeof(type), .fields = (const struct field[]){ __VA_ARGS__, END } }
#define END { .name = NULL }
/* clang-format on */

/* For each field of a shape. */
#define EACH_FIELD(field, shape) \
	for (const struct field *field = (shape)->fields; field->name != NULL; field++)

#endif
