/* sales.h - what the files of this feature share. */
#ifndef FEATURES_SALES_H
#define FEATURES_SALES_H

#include "core/core.h"

/* The argument of the job, and of what asks for it. */
struct reprocess {
	const char *mes;
};
extern const struct shape reprocess_shape;
extern const struct job_kind reprocess_job; /* reprocess.c */

/* Under which key of the cache the report of a month is kept. */
#define MONTH_KEY "vendas:%s"

/* Where a month's files are in the object store: its key begins so; and the one that is uploaded.
 */
#define FILES_PREFIX "vendas/%s/"
#define UPLOADED     FILES_PREFIX "vendas.csv"

/* The first line of each file. */
#define FILE_HEADER "order_id,sold_at,region,product,quantity,total"

extern const char *const sales_regions[]; /* NULL-terminated, in the order of the report */

/* The handlers of upload.c. */
int upload_month(struct request *);
int reprocess_month(struct request *);
extern const struct shape month_file, uploaded_shape;

#endif
