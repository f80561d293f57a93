/* faults.c - everything wrong with what was sent. */
#include "core/input/faults.h"

/* A client that sends thousands of wrong values is told of the first ones. */
#define FAULTS_MOST 50

/* Adds NAME as a step of a JSON pointer (RFC 6901, section 3): ~ and / are escaped. */
static void add_name(struct buffer *pointer, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '~')
			buffer_add_text(pointer, "~0");
		else if (*name == '/')
			buffer_add_text(pointer, "~1");
		else
			buffer_add_char(pointer, *name);
	}
}

static void add_step(struct buffer *pointer, const struct step *at)
{
	if (at->above != NULL)
		add_step(pointer, at->above);
	buffer_add_char(pointer, '/');
	if (at->name != NULL)
		add_name(pointer, at->name);
	else
		buffer_add_integer(pointer, (long long)at->index);
}

static const char *pointer_to(struct arena *arena, const struct step *at)
{
	struct buffer pointer;

	buffer_start(&pointer, arena, 32);
	if (at != NULL)
		add_step(&pointer, at);
	buffer_add_char(&pointer, '\0');
	return pointer.data;
}

static int most_of(const struct request *rq)
{
	return rq->faults.most > 0 ? rq->faults.most : FAULTS_MOST;
}

bool faults_suffice(const struct request *rq)
{
	return rq->faults.count >= most_of(rq);
}

void fault_add(struct request *rq, const char *in, const struct step *at, const char *detail)
{
	struct fault *fault;

	if (rq->faults.count++ >= most_of(rq))
		return;
	fault = arena_alloc(rq->arena, sizeof(*fault));
	*fault = (struct fault){ .pointer = pointer_to(rq->arena, at), .in = in, .detail = detail };
	if (rq->faults.last != NULL)
		rq->faults.last->next = fault;
	else
		rq->faults.first = fault;
	rq->faults.last = fault;
}
