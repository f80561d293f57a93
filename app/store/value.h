/*
 * value.h - one value that knows its kind: what a shape binds, what SQL takes.
 *
 * VALUES(a, b, …) makes an array of them out of C values, so that a statement
 * needs no format string and a wrong type does not compile.
 */
#ifndef STORE_VALUE_H
#define STORE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

enum kind {
	NOTHING, /* SQL's NULL */
	TEXT,    /* const char *, UTF-8 without NUL */
	INTEGER, /* long long */
	NUMBER,  /* double */
	BOOLEAN, /* bool */
	TIME,    /* const char *, RFC 3339 with its offset */
	DATE,    /* const char *, YYYY-MM-DD */
	MONTH,   /* const char *, YYYY-MM */
	UUID,    /* const char *, in lower case */
	EMAIL,   /* const char * */
	URL,     /* const char *, http or https */
	MONEY,   /* const char *, decimal text with two decimals: never a double on the way */
	CURSOR,  /* struct cursor: where a page of a list ended */
	OBJECT,  /* a pointer to a const struct with a shape of its own */
	UPLOAD,  /* struct upload: a file */
};
#define KINDS (UPLOAD + 1)

struct value {
	enum kind kind;
	union {
		const char *text; /* NULL is SQL's NULL */
		long long integer;
		double number;
		bool boolean;
	};
};

static inline struct value value_text(const char *v)
{
	return (struct value){ TEXT, .text = v };
}
static inline struct value value_integer(long long v)
{
	return (struct value){ INTEGER, .integer = v };
}
static inline struct value value_number(double v)
{
	return (struct value){ NUMBER, .number = v };
}
static inline struct value value_boolean(bool v)
{
	return (struct value){ BOOLEAN, .boolean = v };
}
static inline struct value value_same(struct value v)
{
	return v;
}

/* clang-format off */
#define VALUE(v) _Generic((v),							\
	const char *: value_text, char *: value_text,				\
	long long: value_integer, long: value_integer, int: value_integer,	\
	double: value_number, bool: value_boolean,				\
	struct value: value_same)(v)

#define VALUE_PICK(_1, _2, _3, _4, _5, _6, _7, _8, name, ...) name
#define VALUES_1(a)		VALUE(a)
#define VALUES_2(a, ...)	VALUE(a), VALUES_1(__VA_ARGS__)
#define VALUES_3(a, ...)	VALUE(a), VALUES_2(__VA_ARGS__)
#define VALUES_4(a, ...)	VALUE(a), VALUES_3(__VA_ARGS__)
#define VALUES_5(a, ...)	VALUE(a), VALUES_4(__VA_ARGS__)
#define VALUES_6(a, ...)	VALUE(a), VALUES_5(__VA_ARGS__)
#define VALUES_7(a, ...)	VALUE(a), VALUES_6(__VA_ARGS__)
#define VALUES_8(a, ...)	VALUE(a), VALUES_7(__VA_ARGS__)
#define VALUES(...)									\
	VALUE_PICK(__VA_ARGS__, VALUES_8, VALUES_7, VALUES_6, VALUES_5, VALUES_4,	\
	    VALUES_3, VALUES_2, VALUES_1, 0)(__VA_ARGS__)
/* clang-format on */

/* The most values that one statement takes, however its array was made. */
#define VALUES_MOST 16

#endif
