/* wish.c - the commands of ostlerctl: asks, and shows what is answered. */
#include "supervisor/ctl/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/conf/conf.h"
#include "supervisor/ctl/table.h"
#include "supervisor/ctl/watch.h"
#include "supervisor/record/testimony.h"

static int status_of(enum call_result result)
{
	static const int statuses[] = { [CALL_ANSWERED] = EXIT_SUCCESS,
		[CALL_NOBODY] = EXIT_NOBODY,
		[CALL_FORBIDDEN] = EXIT_FORBIDDEN,
		[CALL_FAILED] = EXIT_REFUSED };

	return statuses[result];
}

static int complain(const char *message)
{
	fprintf(stderr, "ostlerctl: %s\n", message);
	return EXIT_REFUSED;
}

/* Asks and shows what went wrong, if it did.  Returns the exit status; 0 with an answer. */
static int ask(const struct wish *wish, struct call *call, struct wire_answer *answer)
{
	enum call_result result = caller_ask(wish->arena, wish->socket, &wish->request, call);

	if (result != CALL_ANSWERED) {
		complain(call->wrong);
		return status_of(result);
	}
	if (!wire_read_answer(wish->arena, call->text, call->length, answer))
		return complain(arena_print(wish->arena, "%s: that is no ostlerd", wish->socket));
	return answer->error != NULL ? complain(answer->error) : EXIT_SUCCESS;
}

static int draw_status(const struct wish *wish, FILE *out)
{
	struct wire_answer answer;
	struct call call;
	int status = ask(wish, &call, &answer);

	if (status == EXIT_SUCCESS)
		table_print(out, &answer);
	return status;
}

int wish_status(const struct wish *wish)
{
	struct wire_answer answer;
	struct call call;
	int status;

	if (wish->options & WISH_WATCH)
		return watch_draw(wish, draw_status);
	if ((wish->options & WISH_JSON) == 0)
		return draw_status(wish, stdout);
	status = ask(wish, &call, &answer);
	if (status == EXIT_SUCCESS)
		fwrite(call.text, 1, call.length, stdout);
	return status;
}

static bool has_pool(const struct wire_answer *answer, const char *name)
{
	bool found = name[0] == '\0';

	for (size_t i = 0; i < answer->count && !found; i++)
		found = strcmp(answer->pool[i].name, name) == 0;
	return found;
}

static int draw_workers(const struct wish *wish, FILE *out)
{
	struct wish asked = *wish;
	struct wire_answer answer;
	struct call call;
	int status;

	snprintf(asked.request.verb, sizeof(asked.request.verb), "status");
	status = ask(&asked, &call, &answer);
	if (status != EXIT_SUCCESS)
		return status;
	if (!has_pool(&answer, wish->request.pool))
		return complain(
		    arena_print(wish->arena, "there is no pool \"%s\"", wish->request.pool));
	table_print_workers(out, &answer, wish->request.pool);
	return EXIT_SUCCESS;
}

int wish_workers(const struct wish *wish)
{
	if (wish->options & WISH_WATCH)
		return watch_draw(wish, draw_workers);
	return draw_workers(wish, stdout);
}

int wish_stop(const struct wish *wish)
{
	struct wire_answer answer;
	struct call call;
	int status = ask(wish, &call, &answer);

	if (status == EXIT_SUCCESS && !caller_wait_for_end(&call))
		complain("it stops, but its end cannot be seen from here");
	return status;
}

int wish_check(const struct wish *wish)
{
	const struct conf *conf = conf_read(wish->file, stderr);

	if (conf == NULL)
		return EXIT_USAGE;
	printf("%s: fine, %zu pool%s\n", wish->file, conf->pools.count,
	    conf->pools.count == 1 ? "" : "s");
	conf_free(&conf);
	return EXIT_SUCCESS;
}

/* --- answers of many lines -------------------------------------------------------------------- */

struct listening {
	const struct wish *wish;
	struct arena *arena;                                               /* of the line */
	bool (*show)(struct listening *, const char *line, size_t length); /* false: no such line */
	size_t lines;
	int status;
};

static bool hear_line(void *owner, const char *line, size_t length)
{
	struct listening *listening = owner;
	const char *error;

	listening->arena = arena_new(16384);
	error = wire_read_error(listening->arena, line, length);
	listening->lines++;
	if (error != NULL)
		listening->status = complain(error);
	else if (!listening->show(listening, line, length))
		listening->status = complain("that is no answer of an ostlerd");
	arena_free(&listening->arena);
	fflush(stdout); /* who follows through a pipe wants each line when it comes */
	return listening->status == EXIT_SUCCESS && !ferror(stdout);
}

static int listen_to(struct listening *listening)
{
	struct hearer hearer = { .hear = hear_line, .owner = listening };
	const struct wish *wish = listening->wish;
	struct call call;
	enum call_result result = caller_listen(
	    wish->arena, wish->socket, &wish->request, &hearer, &call);

	if (result == CALL_ANSWERED)
		return listening->status;
	complain(call.wrong);
	return status_of(result);
}

/* Whether the line is wished for as it has come; then it is printed. */
static bool is_printed_raw(const struct listening *listening, const char *line, size_t length)
{
	if ((listening->wish->options & WISH_JSON) == 0)
		return false;
	printf("%.*s\n", (int)length, line);
	return true;
}

static bool show_event(struct listening *listening, const char *line, size_t length)
{
	struct wire_event event;

	if (!wire_read_event(line, length, &event))
		return false;
	if (!is_printed_raw(listening, line, length))
		table_print_event(stdout, &event);
	return true;
}

int wish_events(const struct wish *wish)
{
	struct listening listening = { .wish = wish, .show = show_event };

	return listen_to(&listening);
}

static bool show_printed(struct listening *listening, const char *line, size_t length)
{
	struct wire_printed printed;

	if (!wire_read_printed(listening->arena, line, length, &printed))
		return false;
	if (!is_printed_raw(listening, line, length))
		table_print_line(stdout, &printed);
	return true;
}

int wish_logs(const struct wish *wish)
{
	struct listening listening = { .wish = wish, .show = show_printed };

	return listen_to(&listening);
}

static bool show_rights(struct listening *listening, const char *line, size_t length)
{
	struct wire_shown shown;

	if (!wire_read_shown(listening->arena, line, length, &shown))
		return false;
	if (!is_printed_raw(listening, line, length))
		table_print_rights(stdout, &shown, listening->lines == 1);
	return true;
}

int wish_show(const struct wish *wish)
{
	struct listening listening = { .wish = wish, .show = show_rights };

	return listen_to(&listening);
}

static bool show_trace(struct listening *listening, const char *line, size_t length)
{
	struct trace trace;

	if (!wire_read_trace(listening->arena, line, length, &trace))
		return false;
	if (!is_printed_raw(listening, line, length))
		table_print_trace(stdout, &trace);
	return true;
}

int wish_trace(const struct wish *wish)
{
	struct listening listening = { .wish = wish, .show = show_trace };

	return listen_to(&listening);
}

int wish_why(const struct wish *wish)
{
	struct wish asked = *wish;
	struct listening listening = { .wish = &asked, .show = show_event };
	int status;

	snprintf(asked.request.verb, sizeof(asked.request.verb), "events");
	status = listen_to(&listening);
	if (status == EXIT_SUCCESS && listening.lines == 0)
		return complain(arena_print(wish->arena,
		    "nothing is known of process %lld: it was never a worker here, or too long ago",
		    wish->request.number));
	return status;
}

/* It is no JSON, but for an error. */
int wish_metrics(const struct wish *wish)
{
	struct call call;
	enum call_result result = caller_ask(wish->arena, wish->socket, &wish->request, &call);
	const char *error;

	if (result != CALL_ANSWERED) {
		complain(call.wrong);
		return status_of(result);
	}
	error = call.text[0] == '{' ? wire_read_error(wish->arena, call.text, call.length) : NULL;
	if (error != NULL)
		return complain(error);
	fwrite(call.text, 1, call.length, stdout);
	return EXIT_SUCCESS;
}

static bool show_text(struct listening *listening, const char *line, size_t length)
{
	const char *text = wire_read_text(listening->arena, line, length);

	if (text == NULL)
		return false;
	puts(text);
	return true;
}

int wish_act(const struct wish *wish)
{
	struct listening listening = { .wish = wish, .show = show_text };

	return listen_to(&listening);
}
