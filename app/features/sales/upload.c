/* upload.c - the raw file of a month comes in, and is asked to be worked on. */
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "features/sales/sales.h"
#include "store/object.h"

#define FILE_MOST (256LL << 20)

struct month_file {
	const char *mes;
	struct upload file;
};
struct uploaded {
	const char *mes, *sha256;
	long long bytes;
};

/* clang-format off */
const struct shape month_file = SHAPE(struct month_file,
	{ FIELD_AS(struct month_file, mes, MONTH) },
	{ FIELD(struct month_file, file), .min = 1, .max = FILE_MOST });

const struct shape uploaded_shape = SHAPE(struct uploaded,
	{ FIELD_AS(struct uploaded, mes, MONTH) },
	{ FIELD(struct uploaded, bytes) },
	{ FIELD(struct uploaded, sha256), .doc = "SHA-256 of what was stored, in hexadecimal digits." });
/* clang-format on */

/* A wrong file is told of now, not when its job has failed. */
static bool has_header(const struct upload *file)
{
	static const char header[] = FILE_HEADER, mark[] = "\xef\xbb\xbf";
	char start[sizeof(header) + sizeof(mark) + 2] = "";
	const char *text = start;

	if (pread(file->fd, start, sizeof(start) - 1, 0) < (ssize_t)sizeof(header) - 1)
		return false;
	if (strncmp(text, mark, sizeof(mark) - 1) == 0)
		text += sizeof(mark) - 1;
	return strncmp(text, header, sizeof(header) - 1) == 0 &&
	       strchr("\r\n", text[sizeof(header) - 1]) != NULL;
}

/* The file on its way into the store, and its digest. */
struct passing {
	struct upload file;
	struct digest *digest;
};

static long read_and_digest(void *of, char *bytes, size_t room)
{
	struct passing *passing = of;
	long got = upload_read(&passing->file, bytes, room);

	if (got > 0)
		digest_add(passing->digest, bytes, (size_t)got);
	return got;
}

int upload_month(struct request *rq)
{
	const struct month_file *in = input(rq);
	struct passing passing = { in->file, digest_new(request_arena(rq)) };
	const char *key = arena_print(request_arena(rq), UPLOADED, in->mes);
	struct uploaded uploaded = { .mes = in->mes, .bytes = in->file.size };
	char sha256[DIGEST_TEXT];

	if (!has_header(&in->file))
		return reply_problem(rq, 422, "The first line must be: " FILE_HEADER);
	if (request_objects(rq) == NULL)
		return reply_problem(rq, 503, "No object store is configured here.");
	if (object_put(request_objects(rq), key, in->file.size, read_and_digest, &passing) !=
	    OBJECT_DONE)
		return reply_problem(rq, 503, "The object store does not take it just now.");
	digest_end(passing.digest, sha256);
	uploaded.sha256 = sha256;
	return reply_struct(rq, &uploaded);
}

int reprocess_month(struct request *rq)
{
	const struct reprocess *in = input(rq);

	return reply_task(rq, enqueue(rq, &reprocess_job, in));
}
