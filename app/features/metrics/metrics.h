/* metrics.h - what the files of this feature share. */
#ifndef FEATURES_METRICS_H
#define FEATURES_METRICS_H

#include "core/core.h"

/* --- span.c: the windows that one can ask for --- */

/* Either MINUTES or DAYS; STEP is what a line of it has when nobody asks for another. */
struct span {
	const char *name;
	long long minutes, days;
	const char *step;
};

extern const char *const span_words[], *const span_words_of_days[], *const span_words_of_lines[];

/* The span of that name, which has been validated as one of the words above. */
const struct span *span_called(const char *name);

#define SPAN_DOC                                                                                \
	"The last so many hours, up to now; or whole days in UTC: today, or today and the six " \
	"days before."

/* What asks for nothing but a window. */
struct window {
	const char *window;
};

/* --- what is answered: handlers, and shapes for the table --- */

struct items {
	struct list items;
};

extern const struct shape timeline_asked, timeline_shape; /* timeline.c */
int read_timeline(struct request *);

/* shares.c */
extern const struct shape window_asked, products_asked;
extern const struct shape top_products_shape, by_category_shape, event_types_shape;
int read_top_products(struct request *);
int read_by_category(struct request *);
int read_event_types(struct request *);

#endif
