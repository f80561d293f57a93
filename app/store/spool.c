/* spool.c - where messages wait on this machine's disk: opening it, and how much waits. */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/spool_files.h"

#define MAGIC         UINT64_C(0x316c6f6f70736f00) /* its last byte is the version */
#define SEGMENT_USUAL (16 << 20)

/* --- how much waits --- */

bool spool_is_empty(const struct spool *spool)
{
	uint64_t written = spool->state->written;

	return spool->state->drained >= written;
}

long long spool_waiting(const struct spool *spool)
{
	uint64_t written = spool->state->written, drained = spool->state->drained;

	return drained < written ? (long long)(written - drained) : 0;
}

/* --- opening --- */

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/*
 * That the folder is there has to last as long as what is in it.  And whoever may write
 * beside it may write in it, also when root has made it.
 */
static void settle_in_parent(int folder)
{
	int parent = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat status;

	if (parent >= 0 && geteuid() == 0 && fstat(parent, &status) == 0 &&
	    fchown(folder, status.st_uid, status.st_gid) != 0)
		log_warn("spool: chown: %s", strerror(errno));
	if (parent >= 0 && fsync(parent) != 0)
		log_warn("spool: fsync: %s", strerror(errno));
	close_fd(parent);
}

/* Opens what all processes share.  What is wrong, or NULL. */
static const char *open_files(struct spool *spool, struct arena *arena)
{
	const char *folder = spool->options.folder;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return arena_print(arena, "%s: %s", folder, strerror(errno));
	spool->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (spool->folder < 0)
		return arena_print(arena, "%s: %s", folder, strerror(errno));
	settle_in_parent(spool->folder);
	spool->state_fd = spool_create(spool, "state", O_RDWR);
	spool->drain_fd = spool_create(spool, "drain", O_RDWR);
	if (spool->state_fd < 0 || spool->drain_fd < 0)
		return arena_print(arena, "%s: cannot write there: %s", folder, strerror(errno));
	/* Blocks, not a hole: a store into the mapping must not meet a full disk. */
	errno = posix_fallocate(spool->state_fd, 0, sizeof(*spool->state));
	if (errno != 0)
		return arena_print(arena, "%s: %s", folder, strerror(errno));
	spool->state = mmap(
	    NULL, sizeof(*spool->state), PROT_READ | PROT_WRITE, MAP_SHARED, spool->state_fd, 0);
	return spool->state != MAP_FAILED
		   ? NULL
		   : arena_print(arena, "%s: mmap: %s", folder, strerror(errno));
}

/* A new folder, or one whose state was lost: all that stands in segments waits. */
static void begin_state(struct spool *spool)
{
	uint64_t first = segment_from(spool, 0);

	if (first == SPOOL_NONE)
		first = 0;
	*spool->state = (struct spool_state){
		.magic = MAGIC, .written = first, .drained = first, .segment = SPOOL_NONE
	};
}

static void close_files(struct spool *spool)
{
	if (spool->state != NULL && spool->state != MAP_FAILED)
		munmap(spool->state, sizeof(*spool->state));
	close_fd(spool->segment_fd);
	close_fd(spool->drain_fd);
	close_fd(spool->state_fd);
	close_fd(spool->folder);
}

struct spool *spool_open(
    const struct spool_options *options, struct arena *arena, const char **wrong)
{
	struct spool *spool = calloc(1, sizeof(*spool));

	if (spool == NULL)
		die("out of memory");
	*spool = (struct spool){ .options = *options,
		.folder = -1,
		.state_fd = -1,
		.drain_fd = -1,
		.segment_fd = -1,
		.segment = SPOOL_NONE,
		.in_process = PTHREAD_MUTEX_INITIALIZER,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.decided = PTHREAD_COND_INITIALIZER };
	if (spool->options.segment_most == 0)
		spool->options.segment_most = SEGMENT_USUAL;
	*wrong = open_files(spool, arena);
	if (*wrong != NULL) {
		close_files(spool);
		free(spool);
		return NULL;
	}
	spool_lock(spool);
	if (spool->state->magic != MAGIC)
		begin_state(spool);
	segments_recover(spool);
	spool_unlock(spool);
	if (!spool_is_empty(spool))
		log_info("spool: %lld bytes wait for the broker", spool_waiting(spool));
	return spool;
}

void spool_close(struct spool **spool)
{
	if (*spool == NULL)
		return;
	spool_stop_draining(*spool);
	close_files(*spool);
	pthread_cond_destroy(&(*spool)->decided);
	pthread_mutex_destroy(&(*spool)->lock);
	pthread_mutex_destroy(&(*spool)->in_process);
	free(*spool);
	*spool = NULL;
}
