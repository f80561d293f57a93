/* cron.c - regular times: five fields as crontab(5) has them, in UTC. */
#include "core/jobs/cron.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/attributes.h"

static const char *const month_names[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
	"sep", "oct", "nov", "dec", NULL };
static const char *const day_names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

/* The five fields, in their order. */
static const struct field_rule {
	size_t offset;
	int least, most;
	const char *const *names; /* of the values from least on */
} rules[] = {
	{ offsetof(struct cron_times, minutes), 0, 59, NULL },
	{ offsetof(struct cron_times, hours), 0, 23, NULL },
	{ offsetof(struct cron_times, days), 1, 31, NULL },
	{ offsetof(struct cron_times, months), 1, 12, month_names },
	{ offsetof(struct cron_times, weekdays), 0, 7, day_names }, /* 7 is Sunday, too */
};

/* Reads a number or a name at *TEXT and goes behind it; -1 when there is neither. */
static int read_value(const char **text, const struct field_rule *rule)
{
	char *end;
	long value;

	if (!isdigit((unsigned char)**text)) {
		for (int i = 0; rule->names != NULL && rule->names[i] != NULL; i++)
			if (strncasecmp(*text, rule->names[i], 3) == 0) {
				*text += 3;
				return rule->least + i;
			}
		return -1;
	}
	value = strtol(*text, &end, 10);
	*text = end;
	return value >= rule->least && value <= rule->most ? (int)value : -1;
}

/* Reads one of "*", "5", "1-5", each with or without "/2", at *TEXT. */
static bool read_range(const char **text, const struct field_rule *rule, uint64_t *bits)
{
	int from = rule->least, to = rule->most;
	long step = 1;

	if (**text == '*') {
		++*text;
	} else {
		from = to = read_value(text, rule);
		if (**text == '-') {
			++*text;
			to = read_value(text, rule);
		} else if (**text == '/') {
			to = rule->most; /* "5/10" is "5-59/10", as cronie has it */
		}
	}
	if (**text == '/') {
		char *end;

		step = isdigit((unsigned char)(*text)[1]) ? strtol(*text + 1, &end, 10) : 0;
		if (step < 1 || step > rule->most)
			return false;
		*text = end;
	}
	if (from < 0 || to < from)
		return false;
	for (int value = from; value <= to; value += (int)step)
		*bits |= UINT64_C(1) << value;
	return true;
}

static bool read_field(const char *text, const struct field_rule *rule, uint64_t *bits)
{
	*bits = 0;
	while (read_range(&text, rule, bits)) {
		if (*text == '\0')
			return true;
		if (*text++ != ',')
			return false;
	}
	return false;
}

static const char *without_nickname(const char *spec)
{
	static const struct {
		const char *name, *spec;
	} nicknames[] = { { "@hourly", "0 * * * *" }, { "@daily", "0 0 * * *" },
		{ "@weekly", "0 0 * * 0" }, { "@monthly", "0 0 1 * *" },
		{ "@yearly", "0 0 1 1 *" } };

	for (size_t i = 0; i < COUNT(nicknames); i++)
		if (strcmp(spec, nicknames[i].name) == 0)
			return nicknames[i].spec;
	return spec;
}

bool cron_read(struct cron_times *times, const char *spec)
{
	char copy[128], *rest = copy, *word[COUNT(rules)];
	size_t count = 0;

	spec = without_nickname(spec);
	if (strlen(spec) >= sizeof(copy))
		return false;
	strcpy(copy, spec);
	for (char *part; (part = strsep(&rest, " \t")) != NULL;)
		if (*part != '\0') {
			if (count == COUNT(rules))
				return false;
			word[count++] = part;
		}
	if (count != COUNT(rules))
		return false;
	for (size_t i = 0; i < COUNT(rules); i++)
		if (!read_field(
			word[i], &rules[i], (uint64_t *)(void *)((char *)times + rules[i].offset)))
			return false;
	times->any_day = word[2][0] == '*';
	times->any_weekday = word[4][0] == '*';
	if (times->weekdays & UINT64_C(1) << 7)
		times->weekdays |= 1;
	return true;
}

static bool has(uint64_t bits, int value)
{
	return (bits >> value & 1) != 0;
}

static bool day_matches(const struct cron_times *times, const struct tm *at)
{
	bool day = has(times->days, at->tm_mday), weekday = has(times->weekdays, at->tm_wday);

	if (times->any_day || times->any_weekday)
		return day && weekday;
	return day || weekday;
}

/* The biggest step from AT that cannot pass a match: to the next month, day, hour or minute. */
static bool step_on(const struct cron_times *times, struct tm *at)
{
	if (!has(times->months, at->tm_mon + 1)) {
		at->tm_mon++;
		at->tm_mday = 1;
		at->tm_hour = at->tm_min = 0;
	} else if (!day_matches(times, at)) {
		at->tm_mday++;
		at->tm_hour = at->tm_min = 0;
	} else if (!has(times->hours, at->tm_hour)) {
		at->tm_hour++;
		at->tm_min = 0;
	} else if (!has(times->minutes, at->tm_min)) {
		at->tm_min++;
	} else {
		return false;
	}
	return true;
}

int64_t cron_next(const struct cron_times *times, int64_t after)
{
	/* The next whole minute. */
	time_t at = (time_t)(after - after % 60 + 60);
	struct tm fields;
	int last;

	gmtime_r(&at, &fields);
	last = fields.tm_year + 8;
	while (fields.tm_year <= last) {
		if (!step_on(times, &fields))
			return (int64_t)at;
		/* Brings a 32nd or a 24 o'clock to where it belongs. */
		at = timegm(&fields);
	}
	return -1;
}
