/* attributes.h - what the compiler should check for us. */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define MUST_CHECK               __attribute__((warn_unused_result))
#define NO_RETURN                __attribute__((noreturn))
#define COUNT(array)             (sizeof(array) / sizeof((array)[0]))

#endif
