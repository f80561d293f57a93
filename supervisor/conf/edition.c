/* edition.c - a configuration that was read, kept as long as somebody follows it. */
#include "supervisor/conf/edition.h"

#include <stdlib.h>

#include "base/log.h"

struct edition {
	const struct conf *conf;
	unsigned holders;
};

struct edition *edition_new(const struct conf *conf)
{
	struct edition *edition = malloc(sizeof(*edition));

	if (edition == NULL)
		die("out of memory");
	*edition = (struct edition){ .conf = conf, .holders = 1 };
	return edition;
}

struct edition *edition_hold(struct edition *edition)
{
	edition->holders++;
	return edition;
}

void edition_drop(struct edition **edition)
{
	if (*edition != NULL && --(*edition)->holders == 0) {
		conf_free(&(*edition)->conf);
		free(*edition);
	}
	*edition = NULL;
}

const struct conf *edition_conf(const struct edition *edition)
{
	return edition->conf;
}
