/* ostler-app.c - the program that this repository is about: every feature there is. */
#include "features.h"
#include "program.h"

int main(int argc, char **argv)
{
	static const struct ostler_program app = { .name = "ostler-app",
		.api = { .title = "Ostler", .version = "0.1.0", .license = "ISC" },
		.features = features };

	return ostler_main(argc, argv, &app);
}
