/* password_rule.c - which passwords are taken: decides, and knows of no account. */
#include "core/identity/password_rule.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "core/identity/common.h"
#include "core/identity/word.h"

/* What is around a known word must be more than this, or it is that word dressed up. */
#define DRESSING_MOST 5

/* A name of fewer letters is in many a good password by chance. */
#define NAME_LEAST 4

/* Digits alone are guessed in no time up to this many: birthdays, telephone numbers. */
#define DIGITS_MOST 11

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (unsigned char)byte >= 0x80;
}

/* --- rows and repetitions --- */

/* Whether each byte is the same as the one before, or the next to it in one direction. */
static bool is_row(const char *text, size_t length)
{
	int step = length > 1 ? text[1] - text[0] : 0;

	if (step < -1 || step > 1)
		return false;
	for (size_t i = 1; i < length; i++)
		if (text[i] - text[i - 1] != step && !(text[i - 1] == '9' && text[i] == '0'))
			return false;
	return true;
}

/* The length of the shortest part that makes up all of TEXT when it is repeated. */
static size_t period(const char *text, size_t length)
{
	for (size_t part = 1; part <= length / 2; part++)
		if (length % part == 0 && memcmp(text, text + part, length - part) == 0)
			return part;
	return length;
}

static bool is_all_digits(const char *text, size_t length)
{
	return strspn(text, "0123456789") >= length;
}

/* --- known words --- */

/* Digits and signs that stand for the letters they look like; a 1 is an i or an l. */
static char undressed(char byte, char one)
{
	static const char dressed[] = "0345789@$!|", meant[] = "oeastbgasii";
	const char *found = byte != '\0' ? strchr(dressed, byte) : NULL;

	if (byte == '1')
		return one;
	return found != NULL ? meant[found - dressed] : byte;
}

static bool is_known_reading(const char *word, size_t length, char one)
{
	char read[WORD_MOST];

	for (size_t i = 0; i < length; i++)
		read[i] = undressed(word[i], one);
	return common_has(read, length);
}

/* As it stands, or with digits in it for letters, or twice the same. */
static bool is_known(const char *word, size_t length)
{
	size_t part = period(word, length);

	return common_has(word, length) || is_known_reading(word, length, 'i') ||
	       is_known_reading(word, length, 'l') ||
	       (part < length && part >= NAME_LEAST && common_has(word, part));
}

/* So many bytes make DRESSING harder to guess: a row or a repetition is worth one. */
static size_t weight(const char *dressing, size_t length)
{
	return is_row(dressing, length) || period(dressing, length) == 1 ? length > 0 : length;
}

/*
 * A known word with little around it.  Where the word begins and ends is not known
 * when its own letters are written as digits, so each place among what may be
 * either is tried.
 */
static bool is_dressed_word(const char *text, size_t length)
{
	size_t first = 0, last = length;

	while (first < length && !is_letter(text[first]))
		first++;
	while (last > first && !is_letter(text[last - 1]))
		last--;
	for (size_t from = first > DRESSING_MOST ? first - DRESSING_MOST : 0; from <= first; from++)
		for (size_t to = last; to <= length && to <= last + DRESSING_MOST; to++)
			if (to > from && is_known(text + from, to - from) &&
			    weight(text, from) + weight(text + to, length - to) <= DRESSING_MOST)
				return true;
	return false;
}

/* --- the owner's names --- */

/* Whether TEXT is little more than NAME, of LENGTH bytes. */
static bool is_mostly(const char *text, const char *name, size_t length)
{
	char plain[WORD_MOST];
	size_t plain_length = word_plain(plain, name, length);

	if (plain_length < NAME_LEAST || strstr(text, plain) == NULL)
		return false;
	return strlen(text) - plain_length <= DRESSING_MOST;
}

/* Any part of it: "ana.souza@example.org" is ana, souza, example and the whole, too. */
static bool is_mostly_a_part(const char *text, const char *names)
{
	static const char between[] = " .,-_+@";

	if (names == NULL)
		return false;
	if (is_mostly(text, names, strlen(names)) || is_mostly(text, names, strcspn(names, "@")))
		return true;
	for (const char *part = names; *part != '\0';) {
		size_t length = strcspn(part, between);

		if (is_mostly(text, part, length))
			return true;
		part += length;
		part += strspn(part, between);
	}
	return false;
}

/* --- the rule --- */

const char *password_fault(const char *password, const struct password_owner *owner)
{
	long points = text_code_points(password, strlen(password));
	char text[WORD_MOST];
	size_t length;

	if (points < PASSWORD_LEAST)
		return "must have at least 8 characters";
	if (points > PASSWORD_MOST)
		return "must have at most 128 characters";
	length = word_plain(text, password, strlen(password));
	if (is_row(text, length) || period(text, length) < NAME_LEAST)
		return "is a row or a repetition, which is guessed at once";
	if (is_all_digits(text, length) && length <= DIGITS_MOST)
		return "is a short number, which is guessed at once";
	if (is_mostly_a_part(text, owner->username) || is_mostly_a_part(text, owner->name) ||
	    is_mostly_a_part(text, owner->email))
		return "is made of your own name or address";
	if (is_dressed_word(text, length))
		return "is one that many people use, or little more than one known word";
	return NULL;
}
