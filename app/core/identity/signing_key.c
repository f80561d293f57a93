/* signing_key.c - a key pair that signs tokens; the only door to libcrypto. */
#include "core/identity/signing_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"

#define COORDINATE 32

/* An uncompressed point (SEC 1, 2.3.3): 4, x, y. */
#define POINT (1 + 2 * COORDINATE)

static const char *text_of(struct arena *arena, BIO *bio)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);

	return arena_copy(arena, bytes, (size_t)length);
}

/* Both halves as texts; libjwt wants PEM wherever it signs or checks. */
static bool write_pem(struct arena *arena, EVP_PKEY *pair, struct signing_key *key)
{
	BIO *whole = BIO_new(BIO_s_mem()), *half = BIO_new(BIO_s_mem());
	bool written = whole != NULL && half != NULL &&
		       PEM_write_bio_PrivateKey(whole, pair, NULL, NULL, 0, NULL, NULL) == 1 &&
		       PEM_write_bio_PUBKEY(half, pair) == 1;

	if (written) {
		key->pem = text_of(arena, whole);
		key->public_pem = text_of(arena, half);
	}
	BIO_free(half);
	BIO_free(whole);
	return written;
}

/* The members in the order of their names, without a space: RFC 7638, 3.3. */
static void name_key(struct arena *arena, struct signing_key *key)
{
	const char *members = arena_print(
	    arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", key->x, key->y);
	unsigned char thumbprint[DIGEST_BYTES];

	digest_of(members, strlen(members), thumbprint);
	strcpy(key->kid, base64url_write(arena, thumbprint, sizeof(thumbprint)));
}

static bool is_on_p256(EVP_PKEY *pair)
{
	char group[32] = "";
	size_t length = 0;

	return EVP_PKEY_is_a(pair, "EC") == 1 &&
	       EVP_PKEY_get_group_name(pair, group, sizeof(group), &length) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

static bool take(struct arena *arena, EVP_PKEY *pair, struct signing_key *key)
{
	unsigned char point[POINT];
	size_t length = 0;

	_Static_assert(DIGEST_BYTES == COORDINATE, "both have a text of the same length");
	if (!is_on_p256(pair) ||
	    EVP_PKEY_get_octet_string_param(
		pair, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &length) != 1 ||
	    length != POINT || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	strcpy(key->x, base64url_write(arena, point + 1, COORDINATE));
	strcpy(key->y, base64url_write(arena, point + 1 + COORDINATE, COORDINATE));
	name_key(arena, key);
	return write_pem(arena, pair, key);
}

void signing_key_make(struct arena *arena, struct signing_key *key)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	bool made = pair != NULL && take(arena, pair, key);

	EVP_PKEY_free(pair);
	if (!made)
		die("libcrypto makes no key on P-256");
}

bool signing_key_read(struct arena *arena, const char *pem, struct signing_key *key)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	/* An empty passphrase, not none: libcrypto would ask the terminal. */
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	bool taken = pair != NULL && take(arena, pair, key);

	EVP_PKEY_free(pair);
	BIO_free(bio);
	return taken;
}
