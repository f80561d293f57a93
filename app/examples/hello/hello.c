/* hello.c - a whole program: one route, and every role that ostler-app(8) has. */
#include <ostler/core/core.h>
#include <ostler/program.h>

/* clang-format off */
struct hello {
	const char *name, *text;
};

static const struct shape takes = SHAPE(struct hello,
	{ FIELD(struct hello, name), .min = 1, .max = 80, .preset = "world" });
static const struct shape gives = SHAPE(struct hello, { FIELD(struct hello, text) });

static int greet(struct request *rq)
{
	const struct hello *in = input(rq);
	const char *text = arena_print(request_arena(rq), "Hello, %s!", in->name);

	return reply_struct(rq, &(struct hello){ .text = text });
}

static const struct feature hello = { .name = "hello", .doc = "Greetings.", .routes = ROUTES(
	{ ROUTE(GET, "/hello", "Greet somebody", ANYONE, greet), .takes = &takes, .gives = &gives }) };

int main(int argc, char **argv)
{
	return ostler_main(argc, argv,
	    &(struct ostler_program){ .name = "hello", .features = FEATURES(&hello) });
}
