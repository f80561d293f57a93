/* gcra.c - the generic cell rate algorithm, in C and in Lua. */
#include "store/gcra.h"

/*
 * A request is granted when it comes by a thousandth of its interval too soon: a
 * division that should come out even does then, whatever its rounding.
 */
#define TOO_SOON 0.001

/* A clock that was set back, or a window that was made shorter, locks nobody out for longer. */
static int64_t within(int64_t ahead, int64_t window_us)
{
	if (ahead < 0)
		return 0;
	return ahead < window_us ? ahead : window_us;
}

struct grant gcra_take(const struct gcra *gcra, int64_t *tat, int64_t now, long long wanted)
{
	double interval = (double)gcra->window_us / (double)gcra->quota;
	int64_t ahead = within(*tat - now, gcra->window_us);
	long long free = (long long)((double)(gcra->window_us - ahead) / interval + TOO_SOON);
	struct grant grant = { .count = free < wanted ? free : wanted };

	if (grant.count <= 0) {
		grant.count = 0;
		grant.retry_in = ahead + (int64_t)(interval * (1 - TOO_SOON)) - gcra->window_us;
	}
	ahead += (int64_t)((double)grant.count * interval);
	if (grant.count > 0)
		*tat = now + ahead;
	grant.remaining = free > grant.count ? free - grant.count : 0;
	grant.whole_in = ahead;
	return grant;
}

const char gcra_script[] = GCRA_SCRIPT;
