/* state_test.c - what one ostlerd writes the next one reads; anything else is found out where it
 * is. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/conf/conf.h"
#include "supervisor/record/events.h"
#include "supervisor/record/ledger.h"
#include "supervisor/upgrade/state.h"

/* --- values of each kind --- */

struct sample {
	int small;
	unsigned positive;
	long long large;
	uint64_t bits;
	bool flag;
	char word[16];
	int choice;
};

static const struct state_field fields[] = {
	{ STATE_FIELD(struct sample, small) },
	{ STATE_FIELD(struct sample, positive) },
	{ STATE_FIELD(struct sample, large) },
	{ STATE_FIELD(struct sample, bits) },
	{ STATE_FIELD(struct sample, flag) },
	{ STATE_FIELD(struct sample, word) },
	{ STATE_FIELD(struct sample, choice), .most = 3 },
	{ 0 },
};

static const struct sample example = { INT_MIN, UINT_MAX, LLONG_MIN, UINT64_MAX, true,
	"fifteen letters", 3 };

/* Everything that can be in a state, in both directions. */
struct all {
	struct sample sample;
	const char *text, *nothing;
	uint64_t numbers[3];
	char bytes[8];
	size_t length, count;
	int fd, no_fd;
};

static void pass(struct state *state, struct arena *arena, struct all *all)
{
	state_part(state, "sample");
	state_fields(state, fields, &all->sample);
	all->text = state_text(state, arena, "text", all->text);
	all->nothing = state_text(state, arena, "nothing", all->nothing);
	state_numbers(state, "numbers", all->numbers, 3);
	state_bytes(state, "bytes", all->bytes, &all->length, sizeof(all->bytes));
	all->count = state_count(state, "count", all->count, 10);
	all->no_fd = state_descriptor(state, "no descriptor", all->no_fd);
	all->fd = state_descriptor(state, "descriptor", all->fd);
	state_end(state);
}

static struct all make_all(int fd)
{
	return (struct all){ .sample = example,
		.text = "a text",
		.numbers = { 1, 2, UINT64_MAX },
		.bytes = { 'a', '\0', 'b' },
		.length = 3,
		.count = 10,
		.fd = fd,
		.no_fd = -1 };
}

struct world {
	struct arena *arena;
	struct state *written;
	char *bytes; /* a copy, to be spoilt */
	size_t length;
	int fd;
};

static int build(void **owner)
{
	struct world *w = test_calloc(1, sizeof(*w));
	struct all all;
	const char *bytes;

	w->arena = arena_new(1024);
	w->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 20);
	assert_true(w->fd >= 20);
	all = make_all(w->fd);
	w->written = state_new();
	pass(w->written, w->arena, &all);
	assert_null(state_wrong(w->written));
	bytes = state_bytes_of(w->written, &w->length);
	w->bytes = test_malloc(w->length + 16);
	memcpy(w->bytes, bytes, w->length);
	*owner = w;
	return 0;
}

static int tear_down(void **owner)
{
	struct world *w = *owner;

	close(w->fd);
	state_free(&w->written);
	arena_free(&w->arena);
	test_free(w->bytes);
	test_free(w);
	return 0;
}

/* What is wrong with LENGTH of the bytes, read into ALL; "": nothing. */
static const char *read_some(struct world *w, size_t length, struct all *all)
{
	/* Of exactly that size, so that whoever reads on is found out. */
	char *exact = test_malloc(length > 0 ? length : 1);
	struct state *state;
	const char *wrong;

	memcpy(exact, w->bytes, length);
	state = state_of(exact, length);
	*all = (struct all){ .fd = -1, .no_fd = -1 };
	pass(state, w->arena, all);
	wrong = state_wrong(state);
	wrong = wrong != NULL ? arena_copy(w->arena, wrong, strlen(wrong)) : "";
	state_free(&state);
	test_free(exact);
	return wrong;
}

static void what_is_written_is_read(void **owner)
{
	struct world *w = *owner;
	struct all all;

	assert_string_equal(read_some(w, w->length, &all), "");
	assert_int_equal(all.sample.small, INT_MIN);
	assert_int_equal(all.sample.positive, UINT_MAX);
	assert_true(all.sample.large == LLONG_MIN && all.sample.bits == UINT64_MAX);
	assert_true(all.sample.flag);
	assert_string_equal(all.sample.word, "fifteen letters");
	assert_int_equal(all.sample.choice, 3);
	assert_string_equal(all.text, "a text");
	assert_null(all.nothing);
	assert_true(all.numbers[2] == UINT64_MAX);
	assert_int_equal(all.length, 3);
	assert_memory_equal(all.bytes, "a\0b", 3);
	assert_int_equal(all.count, 10);
	assert_int_equal(all.no_fd, -1);
	assert_int_equal(all.fd, w->fd);
	assert_true((fcntl(w->fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static void one_that_is_cut_anywhere_is_refused(void **owner)
{
	struct world *w = *owner;
	struct all all;

	for (size_t length = 0; length < w->length; length++)
		assert_string_not_equal(read_some(w, length, &all), "");
	assert_string_equal(read_some(w, 10, &all), "the state is cut off in its head");
}

/* With a head that fits, so that what is missing is found where it is. */
static void one_that_says_that_it_is_whole_is_not_believed(void **owner)
{
	struct world *w = *owner;
	struct all all;

	for (size_t length = 32; length < w->length; length++) {
		uint64_t said = length;

		memcpy(w->bytes + 16, &said, sizeof(said));
		assert_string_not_equal(read_some(w, length, &all), "");
		assert_int_equal(all.fd, -1);
	}
}

static void one_that_is_longer_is_refused(void **owner)
{
	struct world *w = *owner;
	uint64_t said = w->length + 5;
	struct all all;

	assert_non_null(strstr(read_some(w, w->length + 5, &all), "bytes instead of"));
	memcpy(w->bytes + 16, &said, sizeof(said));
	assert_string_equal(
	    read_some(w, w->length + 5, &all), "the state has 5 bytes more than it should");
}

static void another_version_is_refused_by_its_number(void **owner)
{
	struct world *w = *owner;
	uint64_t version = STATE_VERSION + 1;
	struct all all;

	memcpy(w->bytes + 8, &version, sizeof(version));
	assert_string_equal(read_some(w, w->length, &all),
	    "the state is of version 2, and this ostlerd knows 1 to 1");
	version = 0;
	memcpy(w->bytes + 8, &version, sizeof(version));
	assert_non_null(strstr(read_some(w, w->length, &all), "of version 0"));
	memcpy(w->bytes, "#!/bin/sh", 8);
	assert_string_equal(read_some(w, w->length, &all), "this is no state of an ostlerd");
}

/* Whatever stands at whichever place: it is refused, or it is a value that could have been. */
static void wild_bytes_are_refused_or_harmless(void **owner)
{
	struct world *w = *owner;
	static const char wild[] = { 0, 1, 127, (char)128, (char)255 };
	struct all all;

	for (size_t at = 0; at < w->length; at++)
		for (size_t i = 0; i < sizeof(wild); i++) {
			char before = w->bytes[at];

			w->bytes[at] = wild[i];
			if (read_some(w, w->length, &all)[0] == '\0') {
				assert_true(all.sample.choice >= 0 && all.sample.choice <= 3);
				assert_true(all.count <= 10 && all.length <= sizeof(all.bytes));
				assert_true(strlen(all.sample.word) < sizeof(all.sample.word));
				assert_true(all.fd == w->fd);
			}
			w->bytes[at] = before;
		}
}

static void a_wrong_name_is_told(void **owner)
{
	struct world *w = *owner;
	char *name = memmem(w->bytes, w->length, "positive", 8);
	struct all all;

	assert_non_null(name);
	memcpy(name, "neg\n\033ive", 8);
	assert_string_equal(read_some(w, w->length, &all),
	    "part sample of the state has \"neg??ive\" where \"positive\" is expected");
}

static void a_value_out_of_its_range_is_told(void **owner)
{
	struct world *w = *owner;
	char *choice = memmem(w->bytes, w->length, "choice", 6);
	struct all all;

	assert_non_null(choice);
	choice[6] = 4;
	assert_string_equal(read_some(w, w->length, &all),
	    "part sample of the state: \"choice\" is no value that it can have");
}

static void a_descriptor_that_is_not_there_is_told(void **owner)
{
	struct world *w = *owner;
	struct all all;

	close(w->fd);
	assert_non_null(strstr(read_some(w, w->length, &all), "which is not there"));
	assert_int_equal(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, w->fd), w->fd);
}

static void a_descriptor_has_one_owner(void **owner)
{
	struct world *w = *owner;
	struct state *state = state_new(), *again;
	size_t length;
	const char *bytes;

	state_descriptor(state, "one", w->fd);
	state_descriptor(state, "other", w->fd);
	state_end(state);
	bytes = state_bytes_of(state, &length);
	again = state_of(bytes, length);
	assert_int_equal(state_descriptor(again, "one", -1), w->fd);
	assert_int_equal(state_descriptor(again, "other", -1), -1);
	assert_non_null(state_wrong(again));
	state_free(&again);
	state_free(&state);
}

/* --- as a file --- */

static void it_goes_by_a_file_that_nobody_can_change(void **owner)
{
	struct world *w = *owner;
	int fd = state_seal(w->written);
	struct state *state = state_open(fd);
	struct all all = { .fd = -1 };

	assert_true(fd >= 10);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	pass(state, w->arena, &all);
	assert_null(state_wrong(state));
	assert_true(state_token(state) == state_token(w->written));
	state_free(&state);
	close(fd);
}

static void what_is_no_sealed_file_is_refused(void **owner)
{
	int fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct state *state = state_open(fd);

	(void)owner;
	assert_string_equal(state_wrong(state), "the state is in no sealed memory file");
	state_free(&state);
	close(fd);
	state = state_open(fd);
	assert_non_null(state_wrong(state));
	state_free(&state);
}

static void descriptors_stay_open_when_they_shall(void **owner)
{
	struct world *w = *owner;

	assert_true(state_keep_descriptors(w->written, true));
	assert_int_equal(fcntl(w->fd, F_GETFD), 0);
	assert_true(state_keep_descriptors(w->written, false));
	assert_int_equal(fcntl(w->fd, F_GETFD), FD_CLOEXEC);
}

/* --- parts of their owners --- */

/* The control socket is in a folder of its own, as it must be. */
static const struct conf *read_conf(const char *text)
{
	char folder[] = "/tmp/state_test_XXXXXX", path[64];
	const struct conf *conf;
	FILE *out;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/conf", folder);
	out = fopen(path, "we");
	assert_non_null(out);
	fprintf(out, "control = \"%s/ostlerd.sock\";\n%s", folder, text);
	fclose(out);
	conf = conf_read(path, stderr);
	unlink(path);
	rmdir(folder);
	assert_non_null(conf);
	return conf;
}

static void a_configuration_goes_over_setting_by_setting(void **owner)
{
	const struct conf *conf = read_conf(
	    "log_level = \"warn\"; greeting = \"hello\";\n"
	    "pools = { one = { kind = \"worker\"; command = [ \"/bin/sleep\", \"1\" ]; workers = 7;"
	    " capabilities = [ ]; request_timeout = \"3s\"; };\n"
	    " two = { kind = \"task\"; command = [ \"/bin/true\" ]; after = [ \"one\" ]; }; };\n");
	const struct conf *read;
	struct state *state = state_new(), *again;
	const char *bytes;
	size_t length;

	(void)owner;
	conf_hand_over(state, conf);
	state_end(state);
	bytes = state_bytes_of(state, &length);
	again = state_of(bytes, length);
	read = conf_take_over(again);
	state_end(again);
	assert_null(state_wrong(again));
	assert_string_equal(read->greeting, "hello");
	assert_null(read->pid_file);
	assert_int_equal(read->log_level, LOG_WARN);
	assert_int_equal(read->pools.count, 2);
	assert_string_equal(conf_pool(read, 0)->named.name, "one");
	assert_string_equal(conf_pool(read, 0)->named.where, conf_pool(conf, 0)->named.where);
	for (size_t i = 0; i < 2; i++)
		assert_false(conf_pool_differs(conf_pool(conf, i), conf_pool(read, i)));
	assert_null(conf_needs_restart(conf, read));
	conf_free(&read);
	conf_free(&conf);
	state_free(&again);
	state_free(&state);
}

static void a_setting_that_is_unknown_is_told(void **owner)
{
	const struct conf *conf = read_conf("pools = { one = { kind = \"worker\"; command = [ "
					    "\"/bin/true\" ]; }; };\n");
	const struct conf *read;
	struct state *state = state_new(), *again;
	const char *bytes;
	size_t length;
	char *copy, *name;

	(void)owner;
	conf_hand_over(state, conf);
	state_end(state);
	bytes = state_bytes_of(state, &length);
	copy = test_malloc(length);
	memcpy(copy, bytes, length);
	name = memmem(copy, length, "max_memory", 10);
	assert_non_null(name);
	memcpy(name, "max_hamsters", 10);
	again = state_of(copy, length);
	read = conf_take_over(again);
	assert_string_equal(state_wrong(again), "this ostlerd knows no setting \"max_hamste\"");
	conf_free(&read);
	conf_free(&conf);
	test_free(copy);
	state_free(&again);
	state_free(&state);
}

static void a_ledger_keeps_its_sums(void **owner)
{
	struct ledgers *ledgers = ledgers_open(5), *read = ledgers_open(9);
	struct ledger *web = ledgers_find(ledgers, "web");
	struct state *state = state_new(), *again;
	struct figures figures;
	const char *bytes;
	size_t length;

	(void)owner;
	ledgers_find(ledgers, "jobs");
	ledger_count_start(web);
	ledger_count_start(web);
	ledger_count_failure(web);
	ledgers_pass(state, ledgers);
	state_end(state);
	bytes = state_bytes_of(state, &length);
	again = state_of(bytes, length);
	ledgers_pass(again, read);
	state_end(again);
	assert_null(state_wrong(again));
	ledger_total(ledgers_find(read, "web"), &figures);
	assert_int_equal(figures.starts, 2);
	assert_int_equal(figures.failures, 1);
	state_free(&again);
	state_free(&state);
	ledgers_close(&read);
	ledgers_close(&ledgers);
}

/* The recorder is one for the program: what is read takes the place of what was there. */
static void events_keep_their_numbers(void **owner)
{
	struct state *state, *again;
	const char *bytes;
	size_t length;

	(void)owner;
	for (int i = 0; i < EVENTS_KEPT + 10; i++)
		event_master(EVENT_SIGNAL, "number %d", i + 1);
	state = state_new();
	events_pass(state);
	state_end(state);
	event_master(EVENT_TROUBLE, "behind it");
	bytes = state_bytes_of(state, &length);
	again = state_of(bytes, length);
	events_pass(again);
	state_end(again);
	assert_null(state_wrong(again));
	assert_int_equal(events_newest(), EVENTS_KEPT + 10);
	assert_string_equal(events_get(events_newest())->text, "number 2058");
	assert_string_equal(events_get(events_oldest())->text, "number 11");
	assert_int_equal(events_get(events_oldest())->number, 11);
	state_free(&again);
	state_free(&state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    one_that_is_cut_anywhere_is_refused, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    one_that_says_that_it_is_whole_is_not_believed, build, tear_down),
		cmocka_unit_test_setup_teardown(one_that_is_longer_is_refused, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    another_version_is_refused_by_its_number, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    wild_bytes_are_refused_or_harmless, build, tear_down),
		cmocka_unit_test_setup_teardown(a_wrong_name_is_told, build, tear_down),
		cmocka_unit_test_setup_teardown(a_value_out_of_its_range_is_told, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_descriptor_that_is_not_there_is_told, build, tear_down),
		cmocka_unit_test_setup_teardown(a_descriptor_has_one_owner, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    it_goes_by_a_file_that_nobody_can_change, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_no_sealed_file_is_refused, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    descriptors_stay_open_when_they_shall, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_configuration_goes_over_setting_by_setting, build, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_setting_that_is_unknown_is_told, build, tear_down),
		cmocka_unit_test_setup_teardown(a_ledger_keeps_its_sums, build, tear_down),
		cmocka_unit_test_setup_teardown(events_keep_their_numbers, build, tear_down),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
