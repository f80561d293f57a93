/* reading.c - a configuration that is being read while the loop goes on. */
#include "supervisor/conf/reading.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "base/log.h"

struct reading {
	struct loop *loop;
	struct settings_reading *child; /* NULL: it could not even begin */
	struct watch watch;             /* on its end */
	bool ended;
	FILE *complaints;
	char *text;
	size_t length;
};

static void child_ends(struct watch *watch, uint32_t events)
{
	struct reading *reading = watch->owner;

	(void)events;
	reading->ended = true;
	loop_drop(reading->loop, watch);
}

struct reading *reading_begin(struct loop *loop, const char *file)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (reading == NULL)
		die("out of memory for a configuration");
	reading->loop = loop;
	reading->complaints = open_memstream(&reading->text, &reading->length);
	if (reading->complaints == NULL)
		die("out of memory for a configuration");
	reading->child = conf_begin(file, reading->complaints);
	reading->ended = reading->child == NULL;
	if (reading->ended)
		return reading;
	reading->watch = (struct watch){
		.fd = settings_fd(reading->child), .act = child_ends, .owner = reading
	};
	/* When it cannot be watched it is waited for. */
	reading->ended = !loop_add(loop, &reading->watch, EPOLLIN);
	return reading;
}

bool reading_has_ended(const struct reading *reading)
{
	return reading->ended;
}

const struct conf *reading_take(struct reading **taken, char **complaints)
{
	struct reading *reading = *taken;
	const struct conf *conf = NULL;

	if (!reading->ended)
		loop_drop(reading->loop, &reading->watch);
	if (reading->child != NULL)
		conf = conf_finish(&reading->child, reading->complaints);
	fclose(reading->complaints);
	*complaints = conf == NULL ? reading->text : NULL;
	if (conf != NULL)
		free(reading->text);
	free(reading);
	*taken = NULL;
	return conf;
}
