/*
 * scoreboard.c - what each thread of a worker does, in memory that the supervisor reads.
 *
 * A release store costs nothing on the processors we have, where an atomic addition
 * would lock the cache line: a slot has one writer, so it may read, add and store.
 * Who reads tries again while a line changes, but not for ever: a thread that was
 * killed in the middle of it leaves the sequence odd.
 */
#include "base/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"

#define TRIES 8

/* --- for a worker --- */

static void set(score_word *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_release);
}

static void *map(int fd, int flags)
{
	void *memory = mmap(NULL, sizeof(struct scoreboard), PROT_READ | PROT_WRITE, flags, fd, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

/* What the environment names may be anything: it is used only if it is a board of this version. */
static struct scoreboard *map_given(void)
{
	const char *text = getenv(SCOREBOARD_VARIABLE);
	struct scoreboard *board;
	struct stat about;
	long long fd;

	if (text == NULL || !text_to_integer(text, &fd) || fd < 3 || fd > 65535 ||
	    fstat((int)fd, &about) < 0 || about.st_size != sizeof(struct scoreboard))
		return NULL;
	board = map((int)fd, MAP_SHARED);
	if (board == NULL || board->head.magic != SCOREBOARD_MAGIC ||
	    board->head.version != SCOREBOARD_VERSION) {
		scoreboard_detach(&board);
		return NULL;
	}
	/* What we start ourselves has no business with it. */
	fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	return board;
}

struct scoreboard *scoreboard_attach(size_t threads)
{
	struct scoreboard *board = map_given();

	if (board == NULL)
		board = map(-1, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
	if (board == NULL)
		die("cannot map a scoreboard: %s", strerror(errno));
	if (threads > SCOREBOARD_SLOTS)
		bug("a scoreboard has no room for %zu threads", threads);
	set(&board->head.used, threads);
	return board;
}

void scoreboard_detach(struct scoreboard **board)
{
	if (*board != NULL)
		munmap(*board, sizeof(**board));
	*board = NULL;
}

int scoreboard_counter(struct scoreboard *board, const char *name)
{
	uint64_t index = score_read(&board->head.named);

	if (index == SCOREBOARD_COUNTERS || strlen(name) >= SCOREBOARD_NAME)
		return -1;
	strcpy(board->head.name[index], name);
	set(&board->head.named, index + 1); /* last: whoever sees the number sees the name */
	return (int)index;
}

/* Odd from here to close_line: whoever reads meanwhile reads again. */
static uint64_t open_line(struct score *score)
{
	uint64_t sequence = atomic_load_explicit(&score->sequence, memory_order_relaxed) | 1;

	atomic_store_explicit(&score->sequence, sequence, memory_order_relaxed);
	return sequence;
}

static void close_line(struct score *score, uint64_t sequence)
{
	set(&score->sequence, sequence + 1);
}

void scoreboard_begin(struct score *score, int64_t now, uint64_t timeout)
{
	uint64_t sequence = open_line(score);

	set(&score->since, (uint64_t)now);
	set(&score->line[0], 0);
	set(&score->line[1], 0);
	set(&score->state, SCORE_WORKING);
	close_line(score, sequence);
	set(&score->deadline, timeout != 0 ? (uint64_t)now + timeout : 0);
	score_add(&score->begun, 1);
}

/* TEXT in COUNT words, NUL-terminated; the words behind its end keep what they had. */
static void set_text(score_word *word, size_t count, const char *text)
{
	size_t length = strnlen(text, count * sizeof(uint64_t) - 1);

	for (size_t i = 0; i < count && i * sizeof(uint64_t) <= length; i++) {
		size_t left = length - i * sizeof(uint64_t);
		uint64_t value = 0;

		if (left >= sizeof(value))
			memcpy(&value, text + i * sizeof(value), sizeof(value));
		else
			memcpy(&value, text + i * sizeof(value), left);
		set(&word[i], value);
	}
}

void scoreboard_name(struct score *score, const char *method, const char *route)
{
	uint64_t sequence = open_line(score);

	set_text(score->line, 1, method);
	set_text(score->line + 1, SCOREBOARD_LINE - 1, route);
	close_line(score, sequence);
}

/*
 * Its bucket is what makes a request count as finished (ledger.c): all that
 * belongs to it is stored before.
 */
void scoreboard_end(struct score *score, int64_t began, int64_t now, size_t bytes, bool error)
{
	uint64_t took = now > began ? (uint64_t)(now - began) : 0;

	score_add(&score->bytes, bytes);
	if (error)
		score_add(&score->errors, 1);
	score_add(&score->microseconds, took);
	score_add(&score->bucket[histogram_bucket(took)], 1);
	score_add(&score->finished, 1);
	set(&score->deadline, 0);
	set(&score->state, SCORE_IDLE);
	set(&score->since, (uint64_t)now);
}

/* --- for who reads --- */

static void copy_words(char *text, const score_word *word, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = score_read(&word[i]);

		memcpy(text + i * sizeof(value), &value, sizeof(value));
	}
	text[count * sizeof(uint64_t) - 1] = '\0';
}

bool scoreboard_view(const struct score *score, struct score_view *view)
{
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = score_read(&score->sequence);

		view->state = (enum score_state)score_read(&score->state);
		view->since = (int64_t)score_read(&score->since);
		view->deadline = (int64_t)score_read(&score->deadline);
		copy_words(view->method, score->line, 1);
		copy_words(view->route, score->line + 1, SCOREBOARD_LINE - 1);
		if (before % 2 == 0 && score_read(&score->sequence) == before)
			return true;
	}
	view->method[0] = view->route[0] = '\0';
	return false;
}
