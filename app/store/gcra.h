/*
 * gcra.h - the generic cell rate algorithm: a quota per window, as one moment.
 *
 * What is kept of somebody is the theoretical arrival time (TAT): when all that
 * they have used will have grown back, a request every WINDOW / QUOTA.  They may
 * ask while that lies less than a window ahead.  So a whole quota may be used at
 * once, and then as much as grows back; no window begins or ends at which everybody
 * comes again.  (ITU-T I.371, annex A; the virtual scheduling form.)
 */
#ifndef STORE_GCRA_H
#define STORE_GCRA_H

#include <stdbool.h>
#include <stdint.h>

/* How often: QUOTA requests per window. */
struct gcra {
	long long quota;     /* at least 1 */
	long long window_us; /* microseconds, as all below */
};

/* What was granted, and how it stands afterwards. */
struct grant {
	long long count;     /* requests that may go on */
	long long remaining; /* that may follow at once */
	int64_t whole_in;    /* until the quota is whole again */
	int64_t retry_in;    /* count 0: until one may be asked for */
};

/* Takes up to WANTED requests off TAT at NOW, both on the same clock. */
struct grant gcra_take(const struct gcra *, int64_t *tat, int64_t now, long long wanted);

/*
 * The same in Lua, on Redis's clock.  KEYS: where TAT stands.  ARGV: the interval,
 * the window, WANTED.  Returns the members of a grant, in their order.
 */
/* clang-format off */
#define GCRA_SCRIPT \
	"local time = redis.call('TIME') " \
	"local now = time[1] * 1000000 + time[2] " \
	"local interval, window, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]) " \
	"local tat = tonumber(redis.call('GET', KEYS[1]) or 0) or 0 " \
	"local ahead = math.min(math.max(tat - now, 0), window) " \
	"local free = math.floor((window - ahead) / interval + 0.001) " \
	"if free <= 0 then return { 0, 0, ahead, ahead + 0.999 * interval - window } end " \
	"local count = math.min(free, wanted) " \
	"ahead = ahead + count * interval " \
	"redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000)) " \
	"return { count, free - count, ahead, 0 }"
/* clang-format on */
extern const char gcra_script[];

#endif
