/*
 * broker_redis_lease.c - which member of a group holds which partition.
 *
 * Redis's own groups hand any entry to any member, which would take the order
 * away from a key.  So each partition has one holder at a time, by a lease that
 * ends when its holder is not heard of.  Who should hold what follows from the
 * list of members alone (ranges, as Kafka's range assignor makes them): all
 * members come to the same result without talking to each other.
 *
 * A holder that should not be one any more finishes what it has in hand, gives
 * the partition back, and only then the next one takes it.
 */
#include "store/broker_redis.h"
#include "store/script.h"

/*
 * KEYS: the members with the time they were last heard of, the holders with the
 * end of their leases.  ARGV: member, lease in ms, partitions, what it gives
 * back, whether it leaves.  Returns for each partition an enum holding.  The
 * clock is Redis's, the same for all.
 */
static struct script lease_script = {
	.text =
	    "local t = redis.call('TIME')"
	    " local now = t[1] * 1000 + math.floor(t[2] / 1000)"
	    " local me, lease, parts = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])"
	    " for p in string.gmatch(ARGV[4], '%d+') do"
	    "  local o = redis.call('HGET', KEYS[2], p)"
	    "  if o and string.match(o, '^%d+ (.*)$') == me then redis.call('HDEL', KEYS[2], p) end"
	    " end"
	    " if ARGV[5] == '1' then redis.call('ZREM', KEYS[1], me) return {} end"
	    " redis.call('ZADD', KEYS[1], now, me)"
	    " redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - lease)"
	    " local all, mine = redis.call('ZRANGE', KEYS[1], 0, -1), 0"
	    " table.sort(all)"
	    " for i, m in ipairs(all) do if m == me then mine = i - 1 end end"
	    " local out = {}"
	    " for p = 0, parts - 1 do"
	    "  local o, till, who = redis.call('HGET', KEYS[2], p), 0, ''"
	    "  if o then till, who = string.match(o, '^(%d+) (.*)$') end"
	    "  local should = math.floor(p * #all / parts) == mine"
	    "  if who == me or (should and tonumber(till) < now) then"
	    "   redis.call('HSET', KEYS[2], p, string.format('%.0f ', now + lease) .. me)"
	    "   out[p + 1] = should and 1 or 2"
	    "  else out[p + 1] = 0 end"
	    " end"
	    " return out"
};

struct redis_command lease_command(struct redis_broker *broker, struct redis *redis,
    struct arena *arena, const struct lease_call *lease)
{
	const char *stream = broker->options->stream;
	const struct script_call call = { .keys = 2,
		.words = { arena_print(arena, "%s:%s:members", stream, lease->group),
		    arena_print(arena, "%s:%s:holders", stream, lease->group), lease->member,
		    arena_print(arena, "%lld", lease->lease_ms),
		    arena_print(arena, "%d", broker->partitions), lease->released,
		    lease->leaves ? "1" : "0" } };

	return script_command(redis, arena, &lease_script, &call);
}

enum holding lease_holding(const struct redis_reply *reply, int partition)
{
	if (reply->kind != REDIS_LIST || (size_t)partition >= reply->length)
		return AWAY;
	return (enum holding)reply->list[partition].integer;
}

/*
 * KEYS: the stream.  ARGV: how long to keep, in ms.  What any group has not read
 * or not acknowledged stays, however old it is: the stream may fill up, and then
 * nothing more is taken, but nothing is lost.
 */
static struct script trim_script = {
	.text =
	    "local function id(text)"
	    "  local ms, n = string.match(text, '^(%d+)-(%d+)$') return tonumber(ms), tonumber(n) "
	    "end"
	    " local t = redis.call('TIME')"
	    " local ms, n = t[1] * 1000 + math.floor(t[2] / 1000) - ARGV[1], 0"
	    " local function no_further(text)"
	    "  local a, b = id(text)"
	    "  if a < ms or (a == ms and b < n) then ms, n = a, b end end"
	    " local groups = redis.call('XINFO', 'GROUPS', KEYS[1])"
	    " if #groups == 0 then return 0 end"
	    " for _, g in ipairs(groups) do"
	    "  local of = {}"
	    "  for i = 1, #g, 2 do of[g[i]] = g[i + 1] end"
	    "  no_further(of['last-delivered-id'])"
	    "  local p = redis.call('XPENDING', KEYS[1], of['name'])"
	    "  if p[1] > 0 then no_further(p[2]) end"
	    " end"
	    " return redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f-%.0f', ms, n))"
};

struct redis_command trim_command(struct redis_broker *broker, struct redis *redis,
    struct arena *arena, int partition, long long keep_ms)
{
	const struct script_call call = { .keys = 1,
		.words = { broker->stream[partition], arena_print(arena, "%lld", keep_ms) } };

	return script_command(redis, arena, &trim_script, &call);
}

bool lease_tell(struct redis *redis, struct arena *arena)
{
	const struct redis_command commands[] = {
		{ .words = { "SCRIPT", "LOAD", lease_script.text } },
		{ .words = { "SCRIPT", "LOAD", trim_script.text } },
	};
	struct redis_reply replies[2];

	return redis_run(redis, arena, 2, commands, replies);
}
