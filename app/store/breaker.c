/* breaker.c - whether a server that failed is worth asking again yet. */
#include "store/breaker.h"

#include "base/clock.h"
#include "base/log.h"

bool breaker_admits(struct breaker *breaker)
{
	if (!breaker->down)
		return true;
	if (breaker->probing || clock_now() < breaker->no_before)
		return false;
	breaker->probing = true;
	return true;
}

void breaker_succeeded(struct breaker *breaker)
{
	if (breaker->down)
		log_info("%s: there again", breaker->name);
	breaker->down = false;
	breaker->probing = false;
}

void breaker_failed(struct breaker *breaker)
{
	if (!breaker->down)
		log_warn("%s: not to be had; trying again every %lld ms", breaker->name,
		    breaker->retry_ms);
	breaker->down = true;
	breaker->probing = false;
	breaker->no_before = clock_now() + breaker->retry_ms * 1000;
}

void breaker_undecided(struct breaker *breaker)
{
	breaker->probing = false;
}
