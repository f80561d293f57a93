/*
 * metrics.h - everything that is counted, in OpenMetrics text.
 *
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 * Counters belong to pools, and live in the ledger and in the tallies of events: they never go
 * backwards while ostlerd runs.
 */
#ifndef SUPERVISOR_RECORD_METRICS_H
#define SUPERVISOR_RECORD_METRICS_H

#include "base/buffer.h"
#include "supervisor/pool/pool.h"

void metrics_write(struct buffer *, const struct pools *);

#endif
