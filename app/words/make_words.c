/*
 * make_words.c - makes the table of words that are no password, while the program is built.
 *
 * usage: make_words FILE… >TABLE
 *
 * Each line of a file is a word.  They come from Debian's word lists, which stay where
 * their packages put them, and from known.txt beside this file.  What is written is
 * the table of core/identity/word.h in this machine's byte order.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/identity/word.h"

/* Shorter words tell nothing of a password: whatever is around them counts more. */
#define SHORTEST 4

/* Twice as many as Debian's two lists have. */
#define WORDS_MOST (1 << 20)

struct hashes {
	size_t count;
	uint64_t hash[WORDS_MOST];
};

static void fail(const char *what)
{
	fprintf(stderr, "make_words: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void add(struct hashes *hashes, const char *word, size_t length)
{
	if (hashes->count == WORDS_MOST) {
		errno = E2BIG;
		fail("words");
	}
	hashes->hash[hashes->count++] = word_hash(word, length);
}

/* A comment is none, nor what has an apostrophe: "dog's" is "dog" and no other word. */
static void add_line(struct hashes *hashes, const char *line, size_t length)
{
	char word[WORD_MOST];
	size_t plain;

	if (line[0] == '#' || memchr(line, '\'', length) != NULL)
		return;
	plain = word_plain(word, line, length);
	if (plain >= SHORTEST)
		add(hashes, word, plain);
}

static void add_file(struct hashes *hashes, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[WORD_MOST];

	if (file == NULL)
		fail(path);
	while (fgets(line, sizeof(line), file) != NULL)
		add_line(hashes, line, strcspn(line, "\r\n"));
	if (ferror(file))
		fail(path);
	fclose(file);
}

static int compare(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return a < b ? -1 : a > b;
}

static size_t without_repeats(struct hashes *hashes)
{
	size_t kept = 0;

	qsort(hashes->hash, hashes->count, sizeof(*hashes->hash), compare);
	for (size_t i = 0; i < hashes->count; i++)
		if (kept == 0 || hashes->hash[i] != hashes->hash[kept - 1])
			hashes->hash[kept++] = hashes->hash[i];
	return kept;
}

static void put(uint32_t number)
{
	if (fwrite(&number, sizeof(number), 1, stdout) != 1)
		fail("standard output");
}

int main(int argc, char **argv)
{
	static struct hashes hashes;
	size_t next = 0;

	for (int i = 1; i < argc; i++)
		add_file(&hashes, argv[i]);
	hashes.count = without_repeats(&hashes);
	for (uint64_t bucket = 0; bucket <= WORD_BUCKETS; bucket++) {
		while (next < hashes.count && WORD_BUCKET(hashes.hash[next]) < bucket)
			next++;
		put((uint32_t)next);
	}
	for (size_t i = 0; i < hashes.count; i++)
		put(WORD_REST(hashes.hash[i]));
	if (fflush(stdout) != 0)
		fail("standard output");
	return EXIT_SUCCESS;
}
