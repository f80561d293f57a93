/*
 * cookie.c - fuzzes the Cookie header: which session it names, if any.
 *
 * Whatever else a browser sends, a pair of ours is found, and what is no id of ours never
 * names a session: for one value there is one spelling, and so one key in Redis.
 */
#include "core/identity/cookie.h"

#include <string.h>

#include "core/identity/session.h"
#include "t/fuzz/world.h"

static const char an_id[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/* What is found lies in the header as it is, and ends where its pair does. */
static void judge_value(const char *header, const char *value)
{
	HOLDS(strstr(header, value) != NULL);
	HOLDS(strchr(value, ';') == NULL);
}

/* VALUE: of the cookie that counts; NULL: there is none. */
static void judge_session(struct request *rq, const char *value)
{
	const struct session *session = session_named(rq);
	unsigned char id[DIGEST_BYTES], hash[DIGEST_BYTES];

	HOLDS(session_is_malformed(rq) == (session == NULL && value != NULL && *value != '\0'));
	if (session == NULL)
		return;
	HOLDS(value != NULL && base64url_read(value, id, sizeof(id)));
	HOLDS(strcmp(base64url_write(rq->arena, id, sizeof(id)), value) == 0);
	digest_of(id, sizeof(id), hash);
	HOLDS(memcmp(session->hash, hash, sizeof(hash)) == 0);
	HOLDS(strcmp(session->key, arena_print(rq->arena, "session:%s",
				       base64url_write(rq->arena, hash, sizeof(hash)))) == 0);
}

static void judge(struct arena *arena, const char *header, const char *https)
{
	struct request *rq = arena_alloc(arena, sizeof(*rq));
	const char *value = cookie_find(arena, header, https != NULL ? "__Host-sid" : "sid");

	rq->arena = arena;
	rq->head = (struct head){ .cookie = header, .https = https };
	if (value != NULL)
		judge_value(header, value);
	judge_session(rq, value);
}

/* Behind all others it is found, unless one of that name came before. */
static void judge_one_behind(struct arena *arena, const char *others)
{
	const char *header = arena_print(arena, "%s; sid=%s", others, an_id);
	const char *before = cookie_find(arena, others, "sid");
	const char *found = cookie_find(arena, header, "sid");

	HOLDS(found != NULL);
	HOLDS(strcmp(found, before != NULL ? before : an_id) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = world_arena();
	const char *header = world_text(arena, bytes, size);

	judge(arena, header, NULL);
	judge(arena, header, "on");
	judge_one_behind(arena, header);
	return 0;
}
