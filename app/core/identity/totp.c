/* totp.c - one-time codes of an authenticator app; the only door to liboath. */
#include "core/identity/totp.h"

#include <ctype.h>
#include <oath.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/crypto.h"
#include "base/log.h"

/* The digits of TYPED without the spaces that apps show; false when there are more or fewer. */
static bool only_digits(const char *typed, char digits[static TOTP_DIGITS + 1])
{
	size_t count = 0;

	for (; *typed != '\0'; typed++) {
		if (*typed == ' ')
			continue;
		if (*typed < '0' || *typed > '9' || count == TOTP_DIGITS)
			return false;
		digits[count++] = *typed;
	}
	digits[count] = '\0';
	return count == TOTP_DIGITS;
}

static bool is_code_of(const struct totp_secret *secret, long long step, const char *digits)
{
	char code[TOTP_DIGITS + 1];

	/* A TOTP is the HOTP of the step's number (RFC 6238, 4.2). */
	if (oath_hotp_generate((const char *)secret->bytes, sizeof(secret->bytes), (uint64_t)step,
		TOTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION, code) != OATH_OK)
		die("liboath makes no code");
	return bytes_are_same(code, digits, TOTP_DIGITS);
}

/* All steps of the window are tried, so that the time tells nothing of which it was. */
enum totp_verdict totp_check(const struct totp_secret *secret, const char *code, long long now,
    long long last, long long *step)
{
	enum totp_verdict verdict = TOTP_WRONG;
	long long middle = now / TOTP_STEP;
	char digits[TOTP_DIGITS + 1];

	if (!only_digits(code, digits))
		return TOTP_WRONG;
	for (long long s = middle - TOTP_WINDOW; s <= middle + TOTP_WINDOW; s++) {
		if (!is_code_of(secret, s, digits))
			continue;
		if (s > last)
			*step = s;
		if (verdict != TOTP_RIGHT)
			verdict = s > last ? TOTP_RIGHT : TOTP_REPLAYED;
	}
	return verdict;
}

const char *totp_text(struct arena *arena, const struct totp_secret *secret)
{
	char *text = NULL;
	size_t length = 0;
	const char *kept;

	if (oath_base32_encode(
		(const char *)secret->bytes, sizeof(secret->bytes), &text, &length) != OATH_OK)
		die("liboath writes no base32");
	kept = arena_copy(arena, text, length);
	bytes_forget(text, length);
	free(text);
	return kept;
}

static void add_encoded(struct buffer *uri, const char *text)
{
	for (; *text != '\0'; text++)
		if (isalnum((unsigned char)*text) || strchr("-._~", *text) != NULL)
			buffer_add_char(uri, *text);
		else
			buffer_print(uri, "%%%02X", (unsigned char)*text);
}

const char *totp_uri(
    struct arena *arena, const struct totp_secret *secret, const char *issuer, const char *account)
{
	struct buffer uri;

	buffer_start(&uri, arena, 256);
	buffer_add_text(&uri, "otpauth://totp/");
	add_encoded(&uri, issuer);
	buffer_add_char(&uri, ':');
	add_encoded(&uri, account);
	buffer_print(&uri, "?secret=%s&issuer=", totp_text(arena, secret));
	add_encoded(&uri, issuer);
	buffer_print(&uri, "&algorithm=SHA1&digits=%d&period=%d%c", TOTP_DIGITS, TOTP_STEP, '\0');
	return uri.data;
}
