/* script.c - Lua scripts by EVALSHA, and by EVAL where Redis does not know them. */
#include "store/script.h"

#include <string.h>

#include "base/text.h"

/* One thread writes the name, once; until it is there the others send the text. */
enum { UNKNOWN, BEING_WRITTEN, KNOWN };

static void learn_name(struct redis *redis, struct arena *arena, struct script *script)
{
	struct redis_command load = { .words = { "SCRIPT", "LOAD", script->text } };
	int unknown = UNKNOWN;
	struct redis_reply reply;

	if (!atomic_compare_exchange_strong(&script->state, &unknown, BEING_WRITTEN))
		return;
	if (redis_run(redis, arena, 1, &load, &reply) && reply.kind == REDIS_TEXT &&
	    reply.length == sizeof(script->sha) - 1) {
		memcpy(script->sha, reply.text, reply.length);
		atomic_store(&script->state, KNOWN);
	} else {
		atomic_store(&script->state, UNKNOWN);
	}
}

struct redis_command script_command(
    struct redis *redis, struct arena *arena, struct script *script, const struct script_call *call)
{
	static const char *const counts[] = { "0", "1", "2", "3", "4" };
	struct redis_command command = { .words = { "EVAL", script->text, counts[call->keys] } };

	if (atomic_load(&script->state) != KNOWN)
		learn_name(redis, arena, script);
	if (atomic_load(&script->state) == KNOWN) {
		command.words[0] = "EVALSHA";
		command.words[1] = script->sha;
	}
	memcpy(command.words + 3, call->words, sizeof(call->words));
	memcpy(command.lengths + 3, call->lengths, sizeof(call->lengths));
	return command;
}

bool script_is_unknown(const struct redis_reply *reply)
{
	return reply->kind == REDIS_ERROR && text_starts(reply->text, "NOSCRIPT");
}

bool script_run(struct redis *redis, struct arena *arena, struct script *script,
    const struct script_call *call, struct redis_reply *reply)
{
	struct redis_command command = script_command(redis, arena, script, call);

	if (!redis_run(redis, arena, 1, &command, reply))
		return false;
	if (!script_is_unknown(reply))
		return true;
	command.words[0] = "EVAL";
	command.words[1] = script->text;
	return redis_run(redis, arena, 1, &command, reply);
}
