/* uuid.h - names that nobody else gives: UUID version 7 (RFC 9562, 5.7). */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#define UUID_TEXT 37 /* with its NUL */

/*
 * Writes a new one in lower case.  It begins with the time, to a quarter of a
 * microsecond (6.2, method 3), so that those of one thread sort in the order in
 * which they were made; 62 bits are random.
 */
void uuid_make(char text[static UUID_TEXT]);

#endif
