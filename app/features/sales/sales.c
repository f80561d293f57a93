/*
 * sales.c - what was sold, by month and region.
 *
 * The report reads what vendas_somar() has summed up when the month was loaded: five
 * rows instead of a sum over all sales.
 */
#include <stdlib.h>
#include <string.h>

#include "features/sales/sales.h"

struct region_sum {
	const char *region, *total;
	long long orders;
};
struct month_report {
	const char *mes, *total, *generated_at;
	struct list regions;
};
struct month_sum {
	const char *mes, *total;
	long long orders;
};
struct series {
	const char *from, *to, *total, *generated_at;
	struct list months;
};
struct period {
	const char *mes, *from, *to;
};

#define REGIONS     5
#define MONTHS_MOST 120

/* clang-format off */
static const struct shape region_sum = SHAPE(struct region_sum,
	{ FIELD(struct region_sum, region) },
	{ FIELD_AS(struct region_sum, total, MONEY) },
	{ FIELD(struct region_sum, orders), .doc = "Orders with something from this region." });

static const struct shape month_report = SHAPE(struct month_report,
	{ FIELD_AS(struct month_report, mes, MONTH) },
	{ FIELD_AS(struct month_report, total, MONEY) },
	{ FIELD_AS(struct month_report, regions, OBJECT), .of = &region_sum, .least = REGIONS, .many = REGIONS,
	    .doc = "All regions, always in this order." },
	{ FIELD_AS(struct month_report, generated_at, TIME), .doc = "When the month was summed up." });

static const struct shape month_sum = SHAPE(struct month_sum,
	{ FIELD_AS(struct month_sum, mes, MONTH) },
	{ FIELD_AS(struct month_sum, total, MONEY) },
	{ FIELD(struct month_sum, orders) });

static const struct shape series = SHAPE(struct series,
	{ FIELD_AS(struct series, from, MONTH) },
	{ FIELD_AS(struct series, to, MONTH) },
	{ FIELD_AS(struct series, total, MONEY) },
	{ FIELD_AS(struct series, months, OBJECT), .of = &month_sum, .many = MONTHS_MOST,
	    .doc = "Every month of the period, also those without a sale." },
	{ FIELD_AS(struct series, generated_at, TIME) });

static const struct shape period = SHAPE(struct period,
	{ FIELD_AS(struct period, mes, MONTH), .doc = "One month by region; or a period, by month:" },
	{ FIELD_AS(struct period, from, MONTH), .doc = "its first month," },
	{ FIELD_AS(struct period, to, MONTH), .doc = "and its last, which may be the same." });
/* clang-format on */

/* --- one month --- */

/* Every region is there, also in a month that sold nothing. */
#define MONTH_BY_REGION                                                                  \
	" FROM unnest(ARRAY['Norte', 'Nordeste', 'Centro-Oeste', 'Sudeste', 'Sul'])"     \
	" WITH ORDINALITY AS every (region, place)"                                      \
	" LEFT JOIN vendas_por_regiao AS summed ON summed.mes = $1 AND summed.region = " \
	"every.region"                                                                   \
	" LEFT JOIN vendas_meses AS month ON month.mes = $1"                             \
	" ORDER BY place"

static int reply_month(struct request *rq, const char *mes)
{
	if (csv_asked(rq))
		return reply_csv(rq,
		    query(rq,
			"SELECT $1::text AS mes, every.region, coalesce(summed.total, 0.00) AS "
			"total,"
			" coalesce(summed.orders, 0) AS orders" MONTH_BY_REGION,
			mes),
		    arena_print(request_arena(rq), "vendas-%s", mes));
	return reply_row(rq,
	    query(rq,
		"SELECT $1::text AS mes, coalesce(month.total, 0.00) AS total,"
		" every.region AS \"regions.region\","
		" coalesce(summed.total, 0.00) AS \"regions.total\","
		" coalesce(summed.orders, 0) AS \"regions.orders\","
		" coalesce(month.changed_at, now()) AS generated_at, month.version" MONTH_BY_REGION,
		mes));
}

/* --- a period --- */

#define EVERY_MONTH                                                                            \
	" FROM generate_series(($1 || '-01')::timestamp, ($2 || '-01')::timestamp, '1 month')" \
	" AS every (day)"                                                                      \
	" LEFT JOIN vendas_meses AS month ON month.mes = to_char(every.day, 'YYYY-MM')"        \
	" ORDER BY every.day"

static int reply_series(struct request *rq, const struct period *in)
{
	if (csv_asked(rq))
		return reply_csv(rq,
		    query(rq,
			"SELECT to_char(every.day, 'YYYY-MM') AS mes, coalesce(month.total, 0.00) "
			"AS total,"
			" coalesce(month.orders, 0) AS orders" EVERY_MONTH,
			in->from, in->to),
		    arena_print(request_arena(rq), "vendas-%s-%s", in->from, in->to));
	return reply_row_as(rq, &series,
	    query(rq,
		"SELECT $1::text AS \"from\", $2::text AS \"to\","
		" coalesce(sum(month.total) OVER (), 0.00) AS total,"
		" to_char(every.day, 'YYYY-MM') AS \"months.mes\","
		" coalesce(month.total, 0.00) AS \"months.total\","
		" coalesce(month.orders, 0) AS \"months.orders\","
		" coalesce(max(month.changed_at) OVER (), now()) AS generated_at" EVERY_MONTH,
		in->from, in->to));
}

/* Months from FROM to TO, both YYYY-MM, both included. */
static int months_between(const char *from, const char *to)
{
	int years = (int)strtol(to, NULL, 10) - (int)strtol(from, NULL, 10);

	return years * 12 + (int)strtol(to + 5, NULL, 10) - (int)strtol(from + 5, NULL, 10) + 1;
}

static int report(struct request *rq)
{
	const struct period *in = input(rq);

	if (in->mes != NULL && (in->from != NULL || in->to != NULL))
		return reply_fault(rq, "mes", "cannot stand beside \"from\" and \"to\"");
	if (in->mes != NULL)
		return reply_month(rq, in->mes);
	if (in->from == NULL && in->to == NULL)
		return reply_fault(rq, "mes", "is missing, or \"from\" and \"to\" instead of it");
	if (in->from == NULL || in->to == NULL)
		return reply_fault(rq, in->from == NULL ? "from" : "to", "is missing");
	if (strcmp(in->from, in->to) > 0)
		return reply_fault(rq, "to", "must not be before \"from\"");
	if (months_between(in->from, in->to) > MONTHS_MOST)
		return reply_fault(rq, "to", "must be within ten years of \"from\"");
	return reply_series(rq, in);
}

/* clang-format off */
const struct feature sales_feature = { .name = "sales", .doc = "What was sold, by month and region.", .routes = ROUTES(
	{ ROUTE(GET, "/api/vendas", "Sum up a month by region, or a period by month", SIGNED_IN, report),
	    .takes = &period, .gives = &month_report, .or_gives = &series, .csv = true,
	    .cached = { .key = "vendas:{mes}", .seconds = 300 } },
	{ ROUTE(PUT, "/api/vendas/arquivos/{mes}", "Store the raw file of a month", MANAGER, upload_month),
	    .takes = &month_file, .raw = "text/csv", .body_most = 256LL << 20, .gives = &uploaded_shape,
	    .quota = QUOTA_EXPENSIVE },
	{ ROUTE(POST, "/api/vendas/reprocessar", "Put the sales of a month's raw files in its place", MANAGER, reprocess_month),
	    .takes = &reprocess_shape, .gives = &queued_task, .status = 202 }),
    .jobs = JOBS(&reprocess_job) };
/* clang-format on */
