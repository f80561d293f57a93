/* otlp.h - spans as OTLP's JSON; private to core/. */
#ifndef CORE_TRACES_OTLP_H
#define CORE_TRACES_OTLP_H

#include "base/buffer.h"
#include "store/span.h"

/* Whom all spans are from: the attributes of the resource. */
struct otlp_resource {
	const char *service, *version, *instance;
};

/* Writes an ExportTraceServiceRequest. */
void otlp_write(
    struct buffer *, const struct otlp_resource *, const struct span_record *const *, size_t count);

#endif
