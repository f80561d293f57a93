/*
 * board.c - the supervisor's end of a worker's scoreboard.
 *
 * The memory is one that a worker can write to, even badly: what is read from it
 * is counted and shown, and never used as an index or a size unchecked.
 */
#include "supervisor/record/board.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/system/descriptor.h"
#include "supervisor/system/loop.h"
#include "supervisor/upgrade/state.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* Linux 6.3 */
#endif

/* Kernels before 6.3 do not know the flag, later ones complain once when it is missing. */
static int make_file(void)
{
	int fd = memfd_create(
	    "ostler-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ostler-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return descriptor_raise(fd);
}

/* Sealed: a worker that shortened it would end us by SIGBUS. */
static struct scoreboard *map_file(int fd)
{
	void *memory;

	if (ftruncate(fd, sizeof(struct scoreboard)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return NULL;
	memory = mmap(NULL, sizeof(struct scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory != MAP_FAILED ? memory : NULL;
}

static void write_head(struct scoreboard_head *head, int64_t timeout)
{
	head->magic = SCOREBOARD_MAGIC;
	head->version = SCOREBOARD_VERSION;
	head->head_bytes = offsetof(struct scoreboard, slot);
	head->slot_bytes = sizeof(struct score);
	head->slots = SCOREBOARD_SLOTS;
	atomic_store_explicit(&head->timeout, (uint64_t)timeout, memory_order_relaxed);
}

struct board *board_open(int64_t timeout)
{
	struct board *board = calloc(1, sizeof(*board));
	int error;

	if (board == NULL)
		return NULL;
	board->fd = make_file();
	if (board->fd >= 0)
		board->memory = map_file(board->fd);
	if (board->memory != NULL) {
		write_head(&board->memory->head, timeout);
		board->timeout = timeout;
		return board;
	}
	error = errno;
	if (board->fd >= 0)
		close(board->fd);
	free(board);
	errno = error;
	return NULL;
}

void board_close(struct board **board)
{
	if (*board == NULL)
		return;
	munmap((*board)->memory, sizeof(*(*board)->memory));
	close((*board)->fd);
	free(*board);
	*board = NULL;
}

static bool is_ours(const struct scoreboard_head *head)
{
	return head->magic == SCOREBOARD_MAGIC && head->version == SCOREBOARD_VERSION &&
	       head->slot_bytes == sizeof(struct score) && head->slots == SCOREBOARD_SLOTS;
}

/* A worker may have been given it by an ostlerd that knew another layout. */
static struct board *take_over(struct state *state, int fd)
{
	struct board *board = calloc(1, sizeof(*board));
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat about;

	if (board == NULL)
		die("out of memory for a scoreboard");
	board->fd = fd;
	board->memory = MAP_FAILED;
	if (seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(fd, &about) == 0 &&
	    about.st_size == sizeof(struct scoreboard))
		board->memory = mmap(
		    NULL, sizeof(struct scoreboard), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board->memory != MAP_FAILED && is_ours(&board->memory->head))
		return board;
	state_fail(state, "descriptor %d is no scoreboard that this ostlerd knows", fd);
	free(board);
	return NULL;
}

struct board *board_pass(struct state *state, struct board *board)
{
	int fd = state_descriptor(state, "scoreboard", board != NULL ? board->fd : -1);
	int64_t timeout = state_number(
	    state, "timeout", board != NULL ? board->timeout : 0, 0, LLONG_MAX);

	if (state_is_read(state))
		board = fd >= 0 ? take_over(state, fd) : NULL;
	if (state_is_read(state) && board != NULL)
		board->timeout = timeout;
	return board;
}

/* How many slots the worker says it writes to. */
static size_t used_slots(const struct board *board)
{
	uint64_t used = board != NULL ? score_read(&board->memory->head.used) : 0;

	return used < SCOREBOARD_SLOTS ? (size_t)used : SCOREBOARD_SLOTS;
}

static void add_slot(const struct score *score, struct figures *figures)
{
	figures->requests += score_read(&score->finished);
	figures->errors += score_read(&score->errors);
	figures->bytes += score_read(&score->bytes);
	figures->microseconds += score_read(&score->microseconds);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		figures->bucket[i] += score_read(&score->bucket[i]);
}

/* As a name that a metric can have. */
static void clean_name(char clean[static SCOREBOARD_NAME], const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
	size_t length = 0;

	for (; length < SCOREBOARD_NAME - 1 && name[length] != '\0'; length++)
		clean[length] = strchr(good, name[length]) != NULL ? name[length] : '_';
	clean[length] = '\0';
}

/* The same name is the same counter, whichever worker said it.  NULL: there are too many. */
static uint64_t *find_counter(struct figures *figures, const char *name)
{
	bool gauge = name[0] == SCOREBOARD_GAUGE;
	char clean[SCOREBOARD_NAME];

	clean_name(clean, name + gauge);
	for (size_t i = 0; i < figures->counters; i++)
		if (strcmp(figures->name[i], clean) == 0)
			return &figures->counter[i];
	if (figures->counters == SCOREBOARD_COUNTERS)
		return NULL;
	strcpy(figures->name[figures->counters], clean);
	figures->gauge[figures->counters] = gauge;
	return &figures->counter[figures->counters++];
}

/* A gauge of a process that has ended measures nothing: with it goes what it said. */
static void add_counters(
    const struct board *board, size_t used, struct figures *figures, bool has_ended)
{
	const struct scoreboard_head *head = &board->memory->head;
	uint64_t named = score_read(&head->named);

	for (size_t i = 0; i < named && i < SCOREBOARD_COUNTERS; i++) {
		bool counts = !has_ended || head->name[i][0] != SCOREBOARD_GAUGE;
		uint64_t *sum = counts ? find_counter(figures, head->name[i]) : NULL;

		for (size_t j = 0; j < used && sum != NULL; j++)
			*sum += score_read(&board->memory->slot[j].counter[i]);
	}
}

static void add_board(const struct board *board, struct figures *figures, bool has_ended)
{
	size_t used = used_slots(board);

	for (size_t i = 0; i < used; i++)
		add_slot(&board->memory->slot[i], figures);
	if (used > 0)
		add_counters(board, used, figures, has_ended);
}

void board_add(const struct board *board, struct figures *figures)
{
	add_board(board, figures, false);
}

/*
 * A thread that was killed between the bucket and the count had finished: the
 * bucket decides.  Whatever else was begun is lost with its worker.
 */
static void settle(const struct score *score, struct figures *figures)
{
	uint64_t begun = score_read(&score->begun);
	uint64_t finished = score_read(&score->finished);
	uint64_t in_buckets = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		in_buckets += score_read(&score->bucket[i]);
	if (in_buckets > finished)
		figures->requests += in_buckets - finished;
	if (begun > in_buckets)
		figures->aborted += begun - in_buckets;
}

void board_add_last(const struct board *board, struct figures *figures)
{
	add_board(board, figures, true);
	for (size_t i = 0; i < used_slots(board); i++)
		settle(&board->memory->slot[i], figures);
}

bool board_is_used(const struct board *board)
{
	return used_slots(board) > 0;
}

long long board_requests(const struct board *board)
{
	size_t used = used_slots(board);
	uint64_t begun = 0;

	for (size_t i = 0; i < used; i++)
		begun += score_read(&board->memory->slot[i].begun);
	return used > 0 ? (long long)begun : -1;
}

void board_limit(struct board *board, int64_t timeout)
{
	if (board == NULL || board->timeout == timeout)
		return;
	board->timeout = timeout;
	atomic_store_explicit(
	    &board->memory->head.timeout, (uint64_t)timeout, memory_order_relaxed);
}

/* A program that knows no deadlines gets the pool's. */
static int64_t deadline_of(const struct board *board, const struct score_view *view)
{
	if (view->deadline != 0)
		return view->deadline;
	return board->timeout != 0 ? view->since + board->timeout : LOOP_FOREVER;
}

static void look_at_slot(const struct board *board, size_t slot, struct board_work *work)
{
	bool first = work->busy == 0;
	struct score_view view;
	int64_t deadline;

	scoreboard_view(&board->memory->slot[slot], &view);
	if (view.state == SCORE_IDLE) {
		work->idle++;
		return;
	}
	work->busy++;
	deadline = deadline_of(board, &view);
	if (first || deadline < work->deadline ||
	    (deadline == work->deadline && view.since < work->oldest))
		work->request = view;
	if (deadline < work->deadline)
		work->deadline = deadline;
	if (first || view.since < work->oldest)
		work->oldest = view.since;
}

void board_look(const struct board *board, struct board_work *work)
{
	*work = (struct board_work){ .deadline = LOOP_FOREVER };
	for (size_t i = 0; i < used_slots(board); i++)
		look_at_slot(board, i, work);
}

bool board_find_after(const struct board *board, int64_t after, struct score_view *found)
{
	bool any = false;

	for (size_t i = 0; i < used_slots(board); i++) {
		struct score_view view;

		scoreboard_view(&board->memory->slot[i], &view);
		if (view.state == SCORE_IDLE || view.since <= after ||
		    (any && view.since >= found->since))
			continue;
		*found = view;
		any = true;
	}
	return any;
}
