/* state_file.c - a state as a whole: its head, and the sealed memory file that it is in. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/system/descriptor.h"
#include "supervisor/upgrade/state_own.h"

#define MAGIC UINT64_C(0x3145544154534f) /* "OSTATE1" */
#define ROOM  65536
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static struct state *make(void)
{
	struct arena *arena = arena_new(ROOM);
	struct state *state = arena_alloc(arena, sizeof(*state));

	state->arena = arena;
	state->part = "head";
	return state;
}

struct state *state_new(void)
{
	struct state *state = make();

	state->head = (struct state_head){ .magic = MAGIC, .version = STATE_VERSION };
	if (getrandom(&state->head.token, sizeof(state->head.token), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(state->head.token))
		state->head.token = (uint64_t)getpid();
	buffer_start(&state->out, state->arena, ROOM);
	buffer_add(&state->out, (const char *)&state->head, sizeof(state->head));
	return state;
}

static void check_head(struct state *state, size_t length)
{
	const struct state_head *head = &state->head;

	if (head->magic != MAGIC)
		state_fail(state, "this is no state of an ostlerd");
	else if (head->version < STATE_OLDEST || head->version > STATE_VERSION)
		state_fail(state, "the state is of version %llu, and this ostlerd knows %d to %d",
		    (unsigned long long)head->version, STATE_OLDEST, STATE_VERSION);
	else if (head->length != length)
		state_fail(state, "the state has %zu bytes instead of %llu", length,
		    (unsigned long long)head->length);
}

struct state *state_of(const void *bytes, size_t length)
{
	struct state *state = make();

	state->read = true;
	state->next = bytes;
	state->end = state->next + length;
	if (length < sizeof(state->head)) {
		state_fail(state, "the state is cut off in its head");
		return state;
	}
	memcpy(&state->head, bytes, sizeof(state->head));
	state->next += sizeof(state->head);
	check_head(state, length);
	return state;
}

/* Sealed, so that nobody changes it while it is read, or has been checked. */
struct state *state_open(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat about;
	struct state *state;
	void *bytes;

	bytes = MAP_FAILED;
	if (seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &about) == 0 &&
	    about.st_size <= STATE_MOST)
		bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED) {
		state = state_of("", 0);
		state->wrong = "the state is in no sealed memory file";
		return state;
	}
	state = state_of(bytes, (size_t)about.st_size);
	state->file = bytes;
	state->file_size = (size_t)about.st_size;
	return state;
}

void state_free(struct state **state)
{
	struct arena *arena;

	if (*state == NULL)
		return;
	if ((*state)->file != NULL)
		munmap((*state)->file, (*state)->file_size);
	arena = (*state)->arena;
	arena_free(&arena);
	*state = NULL;
}

void state_end(struct state *state)
{
	if (!state->read) {
		state->head.length = state->out.length;
		memcpy(state->out.data, &state->head, sizeof(state->head));
	} else if (state->wrong == NULL && state->next != state->end) {
		state_fail(
		    state, "the state has %td bytes more than it should", state->end - state->next);
	}
}

const char *state_bytes_of(const struct state *state, size_t *length)
{
	*length = state->out.length;
	return state->out.data;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, bytes, length);

		if (wrote < 0)
			return false;
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

int state_seal(const struct state *state)
{
	int fd = descriptor_raise(memfd_create("ostlerd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	int error;

	if (fd < 0)
		return -1;
	if (write_all(fd, state->out.data, state->out.length) && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
