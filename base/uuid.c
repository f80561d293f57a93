/* uuid.c - names that nobody else gives: UUID version 7. */
#include "base/uuid.h"

#include <stdint.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"

/* 60 bits of time in two parts of the layout: milliseconds, and 4,096ths of one. */
static void put_time(unsigned char bytes[static 16])
{
	struct timespec now;
	uint64_t ms;
	unsigned fraction;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	fraction = (unsigned)((uint64_t)now.tv_nsec % 1000000 * 4096 / 1000000);
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
	bytes[6] = (unsigned char)(0x70 | fraction >> 8); /* version 7 */
	bytes[7] = (unsigned char)fraction;
}

void uuid_make(char text[static UUID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];
	char *out = text;

	if (getrandom(bytes + 8, 8, 0) != 8)
		die("no random numbers to be had");
	put_time(bytes);
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f)); /* the variant of the RFC */
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}
