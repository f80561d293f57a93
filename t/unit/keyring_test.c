/* keyring_test.c - keys in a folder: made once, in use as soon as they are there and as long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/log.h"
#include "core/identity/key_folder.h"
#include "core/identity/keyring.h"

static struct arena *arena;
static char folder[64];

static void swallow(const char *line, size_t length)
{
	(void)line;
	(void)length;
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(64 << 10);
	strcpy(folder, "/tmp/ostler-keyring-XXXXXX");
	log_divert(swallow);
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, NULL, NULL);

	(void)state;
	for (int i = 0; i < count; i++) {
		unlink(arena_print(arena, "%s/%s", folder, entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	rmdir(folder);
	log_divert(NULL);
	arena_free(&arena);
	return 0;
}

static void add_key(long long made_at, struct signing_key *key)
{
	int fd = key_folder_lock(folder);

	assert_true(fd >= 0 && key_folder_add(arena, fd, made_at, key));
	close(fd);
}

static void remove_key(const struct signing_key *key)
{
	int fd = key_folder_lock(folder);

	assert_true(fd >= 0 && key_folder_remove(arena, fd, key));
	close(fd);
}

static void what_is_missing_is_made_once(void **state)
{
	struct keyring *ring = keyring_open(folder), *other = keyring_open(folder);
	struct signing_key one, same;

	(void)state;
	assert_true(keyring_signer(ring, arena, &one));
	assert_true(keyring_signer(other, arena, &same));
	assert_string_equal(one.kid, same.kid);
	assert_memory_equal(keyring_seal(ring), keyring_seal(other), SEAL_KEY_BYTES);
	keyring_close(&ring);
	keyring_close(&other);
	assert_null(ring);
}

static void the_newest_signs_and_the_others_are_taken(void **state)
{
	struct keyring *ring = keyring_open(folder);
	struct signing_key first, second, found, *all;

	(void)state;
	assert_true(keyring_signer(ring, arena, &first));
	add_key(first.made_at + 1, &second);
	assert_true(keyring_signer(ring, arena, &found));
	assert_string_equal(found.kid, second.kid);
	assert_true(keyring_find(ring, arena, first.kid, &found));
	assert_string_equal(found.public_pem, first.public_pem);
	assert_int_equal(keyring_all(ring, arena, &all), 2);
	assert_string_equal(all[0].kid, second.kid);
	assert_int_equal(all[0].made_at, second.made_at);
	keyring_close(&ring);
}

/* At once, however short after another change: a file system's clock stands still for milliseconds.
 */
static void a_change_is_seen_with_the_next_question(void **state)
{
	struct keyring *ring = keyring_open(folder);
	struct signing_key added, found;

	(void)state;
	for (int i = 0; i < 20; i++) {
		add_key(i, &added);
		assert_true(keyring_find(ring, arena, added.kid, &found));
		remove_key(&added);
		assert_false(keyring_find(ring, arena, added.kid, &found));
	}
	keyring_close(&ring);
}

static void a_name_of_a_key_is_no_path(void **state)
{
	struct keyring *ring = keyring_open(folder);
	struct signing_key key, found;

	(void)state;
	assert_true(keyring_signer(ring, arena, &key));
	assert_false(keyring_find(ring, arena, "", &found));
	assert_false(keyring_find(ring, arena, "seal.key", &found));
	assert_false(keyring_find(ring, arena, "../../etc/passwd", &found));
	assert_false(keyring_find(ring, arena, arena_print(arena, "./%s", key.kid), &found));
	keyring_close(&ring);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	const char *path = arena_print(arena, "%s/%s", folder, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void files_that_are_no_keys_are_left_alone(void **state)
{
	struct keyring *ring = keyring_open(folder);
	struct signing_key key, *all;
	const char *name;

	(void)state;
	assert_true(keyring_signer(ring, arena, &key));
	write_file("README", "not a key", 0600);
	write_file("20260131T120000Z-short.pem", key.pem, 0600);
	write_file(
	    "20260131T120000Z-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.pem", key.pem, 0600);
	name = arena_print(arena, "20260131T120000Z-%s.pem", key.kid);
	write_file(name, key.pem, 0640);
	assert_int_equal(keyring_all(ring, arena, &all), 1);
	assert_int_equal(chmod(arena_print(arena, "%s/%s", folder, name), 0600), 0);
	/* A mode changes no folder; another file does. */
	write_file("touched", "", 0600);
	assert_int_equal(keyring_all(ring, arena, &all), 2);
	keyring_close(&ring);
}

static void a_folder_that_is_gone_takes_no_key_with_it(void **state)
{
	struct keyring *ring = keyring_open(folder);
	const char *aside = arena_print(arena, "%s.aside", folder);
	struct signing_key key, found;

	(void)state;
	assert_true(keyring_signer(ring, arena, &key));
	assert_int_equal(rename(folder, aside), 0);
	assert_true(keyring_find(ring, arena, key.kid, &found));
	assert_int_equal(rename(aside, folder), 0);
	assert_true(keyring_find(ring, arena, key.kid, &found));
	keyring_close(&ring);
}

static void signatures_are_remembered(void **state)
{
	struct keyring *ring = keyring_open(folder);
	unsigned char one[DIGEST_BYTES], other[DIGEST_BYTES];

	(void)state;
	digest_of("one", 3, one);
	memcpy(other, one, sizeof(other));
	other[DIGEST_BYTES - 1] ^= 1; /* the same place */
	assert_false(keyring_knows(ring, one));
	keyring_learn(ring, one);
	assert_true(keyring_knows(ring, one));
	assert_false(keyring_knows(ring, other));
	keyring_learn(ring, other);
	assert_false(keyring_knows(ring, one));
	keyring_close(&ring);
}

/* Threads that ask while keys come and go get a whole key or none. */
static void *ask_often(void *given)
{
	struct keyring *ring = given;
	struct arena *own = arena_new(64 << 10);
	struct signing_key key;

	for (int i = 0; i < 300; i++) {
		if (!keyring_signer(ring, own, &key) || strlen(key.kid) != KEY_TEXT - 1)
			return own;
		arena_reset(own);
	}
	arena_free(&own);
	return NULL;
}

static void threads_share_a_ring(void **state)
{
	struct keyring *ring = keyring_open(folder);
	pthread_t threads[4];
	struct signing_key added;
	void *failed;

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, ring), 0);
	for (int i = 0; i < 10; i++) {
		add_key(i, &added);
		remove_key(&added);
	}
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	keyring_close(&ring);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest keys[] = { IN_A_FOLDER(what_is_missing_is_made_once),
		IN_A_FOLDER(the_newest_signs_and_the_others_are_taken),
		IN_A_FOLDER(a_change_is_seen_with_the_next_question),
		IN_A_FOLDER(a_name_of_a_key_is_no_path),
		IN_A_FOLDER(files_that_are_no_keys_are_left_alone),
		IN_A_FOLDER(a_folder_that_is_gone_takes_no_key_with_it),
		IN_A_FOLDER(signatures_are_remembered), IN_A_FOLDER(threads_share_a_ring) };

	return cmocka_run_group_tests(keys, NULL, NULL);
}
