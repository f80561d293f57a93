/*
 * export.h - the process that sends spans on to a collector.
 *
 * It alone waits for the collector.  What it cannot send stays in the ring, and what finds no
 * place there then is lost and counted: no request ever waits for a trace.
 */
#ifndef CORE_TRACES_EXPORT_H
#define CORE_TRACES_EXPORT_H

#include "core/traces/otlp.h"
#include "store/collector.h"

struct export_options {
	struct ring *ring;
	const struct collector_driver *driver;
	void *collector;
	struct otlp_resource resource;
	long long batch_most;
	long long period_ms;  /* a batch that is not full leaves after so long */
	long long retry_ms;   /* the first wait after a failure; it doubles up to eight times */
	long long give_up_ms; /* what was not taken for so long is dropped */
	void (*ready)(void), (*stopping)(void);
};

/* Returns when told to stop (SIGTERM), after a last try to send what there is. */
void export_run(const struct export_options *);

/* Without a collector: is ready and waits to be told to stop. */
void export_idle(const struct export_options *);

/* What an answer means for the batch (OTLP, "Failures"). */
enum export_fate { EXPORT_TAKEN, EXPORT_REFUSED, EXPORT_LATER };
enum export_fate export_judge(const struct collector_answer *);

#endif
