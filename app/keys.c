/*
 * keys.c - the role that lists, renews and removes the keys that sign tokens.
 *
 * Web workers look into the same folder whenever they need a key, so what is done here
 * counts from their next request on, and none of them is restarted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "core/identity/jwt.h"
#include "core/identity/key_folder.h"
#include "roles.h"

struct work {
	struct arena *arena;
	const struct config *config;
	int folder; /* locked */
	struct signing_key *keys;
	size_t count;
	long long now;
};

/* Until when a token can be valid that key I has signed; 0: it signs still. */
static long long needed_until(const struct work *work, size_t i)
{
	if (i == 0)
		return 0;
	return work->keys[i - 1].made_at + work->config->token_lifetime / 1000 + JWT_SKEW;
}

static const char *as_text(struct arena *arena, long long at)
{
	time_t seconds = (time_t)at;
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
	return arena_copy(arena, text, strlen(text));
}

static int list(struct work *work)
{
	printf("%-43s  %-20s  %s\n", "KEY", "MADE", "USE");
	for (size_t i = 0; i < work->count; i++) {
		long long until = needed_until(work, i);

		printf("%-43s  %-20s  %s%s\n", work->keys[i].kid,
		    as_text(work->arena, work->keys[i].made_at),
		    until == 0          ? "signs"
		    : until > work->now ? "is taken, and needed until "
					: "is taken, and not needed",
		    until > work->now ? as_text(work->arena, until) : "");
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void remove_key(struct work *work, const struct signing_key *key)
{
	if (!key_folder_remove(work->arena, work->folder, key))
		die("keys: %s: %s", key->kid, strerror(errno));
	printf("%s is removed\n", key->kid);
}

/* Two keys of one second would have no order. */
static long long time_for_new_key(const struct work *work)
{
	long long after_newest = work->count > 0 ? work->keys[0].made_at + 1 : 0;

	return work->now > after_newest ? work->now : after_newest;
}

static int rotate(struct work *work)
{
	struct signing_key key;

	for (size_t i = 1; i < work->count; i++)
		if (needed_until(work, i) <= work->now)
			remove_key(work, &work->keys[i]);
	if (!key_folder_add(work->arena, work->folder, time_for_new_key(work), &key))
		die("keys: %s: %s", work->config->keys, strerror(errno));
	printf("%s signs\n", key.kid);
	return EXIT_SUCCESS;
}

/* For a key that somebody may have seen: whatever it has signed is refused at once. */
static int drop(struct work *work, const char *kid)
{
	for (size_t i = 0; i < work->count; i++) {
		if (strcmp(work->keys[i].kid, kid) != 0)
			continue;
		if (work->count == 1)
			rotate(work);
		remove_key(work, &work->keys[i]);
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "keys: there is no key %s\n", kid);
	return EXIT_FAILURE;
}

static int run(struct work *work, char **words)
{
	if (words[0] == NULL || (strcmp(words[0], "list") == 0 && words[1] == NULL))
		return list(work);
	if (strcmp(words[0], "rotate") == 0 && words[1] == NULL)
		return rotate(work);
	if (strcmp(words[0], "drop") == 0 && words[1] != NULL && words[2] == NULL)
		return drop(work, words[1]);
	fprintf(stderr, "usage: keys [list | rotate | drop KEY]\n");
	return EXIT_USAGE;
}

int role_keys(const struct ostler_program *program, const struct config *config, char **words)
{
	struct work work = { .arena = arena_new(16 << 10), .config = config, .now = time(NULL) };
	int status;

	(void)program;
	if (config->keys[0] == '\0')
		die("keys: the configuration names no folder");
	work.folder = key_folder_lock(config->keys);
	if (work.folder < 0 || !key_folder_read(work.arena, config->keys, &work.keys, &work.count))
		die("keys: %s: %s", config->keys, strerror(errno));
	status = run(&work, words);
	close(work.folder);
	arena_free(&work.arena);
	return status;
}
