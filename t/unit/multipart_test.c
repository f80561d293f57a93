/* multipart_test.c - forms with files: read part by part, bound, and everything wrong with them. */
#include "t/unit/asking.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/input/multipart.h"

#define FORM "multipart/form-data; boundary=xyz"

struct sending {
	const char *note;
	long long month;
	struct list tags;
	struct upload file, picture;
};

static const char *const texts[] = { "text/csv", "text/plain", NULL };

/* clang-format off */
static const struct shape sending = SHAPE(struct sending,
	{ FIELD(struct sending, note), .max = 5 },
	{ FIELD(struct sending, month), .min = 1, .max = 12 },
	{ FIELD_AS(struct sending, tags, TEXT), .many = 2 },
	{ FIELD(struct sending, file), .max = 20, .min = 1, .one_of = texts, .required = true },
	{ FIELD(struct sending, picture) });
/* clang-format on */

static char kept[200], told[4096];

static void tell_file(const char *name, const struct upload *upload)
{
	char bytes[4096] = "";
	size_t length = strlen(told);
	struct stat status;

	if (upload->name == NULL)
		return;
	assert_int_equal(
	    upload_read((void *)(uintptr_t)upload, bytes, sizeof(bytes) - 1), upload->size);
	assert_int_equal(fstat(upload->fd, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_nlink, 0);
	assert_int_equal(status.st_size, upload->size);
	snprintf(told + length, sizeof(told) - length, " %s=%s %s %lld [%s]", name, upload->name,
	    upload->media, upload->size, bytes);
}

static int tell(struct request *rq)
{
	const struct sending *in = input(rq);

	snprintf(told, sizeof(told), "%s %lld %zu", in->note, in->month, in->tags.count);
	tell_file("file", &in->file);
	tell_file("picture", &in->picture);
	if (kept[0] != '\0')
		snprintf(told, sizeof(told), "kept %d", upload_keep(&in->file, kept));
	return reply_json(rq, 200, told, strlen(told));
}

static const struct feature sendings = { .name = "sendings",
	.routes = ROUTES({ ROUTE(POST, "/sendings", "send", ANYONE, tell), .takes = &sending,
	    .body_most = 1 << 20 }) };
static const struct feature *const features[] = { &sendings, NULL };

static char folder[] = "/tmp/ostler-multipart-XXXXXX";

static int begin(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	now.app.uploads = folder;
	return begin_asking(features);
}

static int end(void **state)
{
	assert_int_equal(rmdir(folder), 0);
	return end_asking(state);
}

static int send_as(const char *type, const char *body, size_t length)
{
	return ask((struct head){ .method = "POST", .uri = "/sendings", .content_type = type },
	    body, length);
}

static int send(const char *body)
{
	return send_as(FORM, body, strlen(body));
}

#define PART(name, content) \
	"--xyz\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" content "\r\n"
#define FILE_PART(file, type, content)                                                           \
	"--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" file "\"\r\n" type \
	"\r\n" content "\r\n"
#define CSV         "Content-Type: text/csv; charset=utf-8\r\n"
#define END_OF_FORM "--xyz--\r\n"
#define GOOD_FILE   FILE_PART("a.csv", CSV, "a,b\r\n1,2")

static void texts_and_files_reach_the_handler(void **state)
{
	(void)state;
	assert_int_equal(send(PART("note", "caf\xC3\xA9") GOOD_FILE PART("tags", "x")
				 PART("tags", "") PART("month", "12") END_OF_FORM),
	    200);
	assert_string_equal(now.answer, "caf\xC3\xA9 12 2 file=a.csv text/csv 8 [a,b\r\n1,2]");
	/* A preamble, an epilogue, blanks behind the boundary, and what only looks like one. */
	assert_int_equal(send("hello\r\n--xyz \t\r\ncontent-disposition:form-data;name=file;"
			      "filename=a.txt\r\nX-Other: x\r\nContent-Type:TEXT/Plain\r\n\r\n"
			      "\r\n--xy\r\n-xyz\r\n\r\n--xyz--\r\nbye"),
	    200);
	assert_string_equal(
	    now.answer, "(null) 0 0 file=a.txt text/plain 14 [\r\n--xy\r\n-xyz\r\n]");
	assert_int_equal(send_as("multipart/form-data; charset=utf-8; boundary=\"xyz\"",
			     GOOD_FILE END_OF_FORM, strlen(GOOD_FILE END_OF_FORM)),
	    200);
}

static void a_field_without_a_chosen_file_is_not_given(void **state)
{
	(void)state;
	assert_int_equal(send(FILE_PART("", "", "") END_OF_FORM), 422);
	assert_string_equal(faults(), "/file body: is missing\n");
	assert_int_equal(
	    send(GOOD_FILE
		"--xyz\r\nContent-Disposition: form-data; name=\"picture\";"
		" filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n" END_OF_FORM),
	    200);
}

static void everything_wrong_is_told_at_once(void **state)
{
	(void)state;
	assert_int_equal(send(PART("note", "too long") PART("month", "13") PART("tags", "a") PART(
			     "tags", "b") PART("tags", "c") PART("fil", "x") PART("month", "1")
				 PART("picture", "x") FILE_PART("../a.csv", CSV, "x") END_OF_FORM),
	    422);
	assert_string_equal(faults(), "/note body: must have 0 to 5 characters, not 8\n"
				      "/month body: must be 1 to 12\n"
				      "/fil body: is unknown; did you mean \"file\"?\n"
				      "/month body: is given twice\n"
				      "/picture body: must be a file\n"
				      "/file body: must have a file name without a path\n"
				      "/tags body: must have 0 to 2 items\n");
	assert_int_equal(send(PART("note", "a\xFF") FILE_PART("a.csv", CSV, "") END_OF_FORM), 422);
	assert_string_equal(faults(), "/note body: must be valid UTF-8 without NUL\n"
				      "/file body: must have at least 1 bytes\n");
	assert_int_equal(send(FILE_PART("a.csv", CSV, "123456789012345678901") END_OF_FORM), 422);
	assert_string_equal(faults(), "/file body: must have at most 20 bytes\n");
	assert_int_equal(send(FILE_PART("a.exe", "", "x") END_OF_FORM), 422);
	assert_string_equal(faults(), "/file body: must be of the type text/csv or text/plain\n");
}

static void names_with_a_path_are_refused(void **state)
{
	static const char *const names[] = { "/etc/passwd", "../x", "a/b", "C:\\\\x", "..", ".",
		"a\tb", "\x7F", "a\xFF", "\xC0\xAE" };
	char body[500];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(body, sizeof(body),
		    "--xyz\r\nContent-Disposition: form-data; name=\"file\"; "
		    "filename=\"%s\"\r\n" CSV "\r\nx\r\n" END_OF_FORM,
		    names[i]);
		if (send(body) != 422)
			fail_msg("%s: %d", names[i], now.rq->response.status);
		assert_string_equal(faults(), "/file body: must have a file name without a path\n");
	}
	snprintf(body, sizeof(body),
	    "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%0256d\"\r\n" CSV
	    "\r\nx\r\n" END_OF_FORM,
	    1);
	assert_int_equal(send(body), 422);
}

static void boundaries_that_cannot_be(void **state)
{
	static const char *const types[] = { "multipart/form-data",
		"multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"a b \"", "multipart/form-data; boundary=\"a@b\"",
		"multipart/form-data; boundary="
		"12345678901234567890123456789012345678901234567890123456789012345678901" };
	static const char *const body = GOOD_FILE END_OF_FORM;

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		int status = send_as(types[i], body, strlen(body));

		if (status != 400 && status != 415)
			fail_msg("%s: %d", types[i], status);
	}
	assert_int_equal(send_as("multipart/form-data; boundary=abc", body, strlen(body)), 400);
	assert_int_equal(send_as("multipart/mixed; boundary=xyz", body, strlen(body)), 415);
	assert_int_equal(send_as("application/json", body, strlen(body)), 415);
	assert_int_equal(
	    send_as("multipart/form-data; boundary=xyz, text/plain", body, strlen(body)), 415);
}

static void forms_that_are_broken(void **state)
{
	static const char *const bodies[] = { "", "x", "--xyz", "--xyz\r\n", "--xyz-",
		"--xyz\r\n\r\n", "--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx",
		"--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--xyz",
		"--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nx\r\n--xyz-",
		"--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n",
		"--xyz\r\nContent-Disposition: form-data; name=\"note\r\n\r\nx\r\n" END_OF_FORM,
		"--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n" END_OF_FORM,
		"--xyz\r\nContent-Disposition: attachment; name=\"note\"\r\n\r\nx\r\n" END_OF_FORM,
		"--xyz\r\nContent-Type: text/csv\r\n\r\nx\r\n" END_OF_FORM,
		/* Found by fuzzing: what is no UTF-8 came back within JSON. */
		"--xyz\r\nContent-Disposition: form-data; "
		"name=\"note\xba\"\r\n\r\nx\r\n" END_OF_FORM,
		"--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\nContent-Type: "
		"\xff\r\n\r\nx\r\n" END_OF_FORM,
		"--xyz\r\nno colon\r\n\r\nx\r\n" END_OF_FORM, "--xyzabc\r\n\r\n" END_OF_FORM,
		"--xyz\nContent-Disposition: form-data; name=\"note\"\n\nx\n--xyz--\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		if (send(bodies[i]) != 400)
			fail_msg("%s: %d %s", bodies[i], now.rq->response.status, now.answer);
}

static void heads_and_parts_have_their_number(void **state)
{
	size_t room = 200000, length = 0;
	char *body = malloc(room);

	(void)state;
	length += (size_t)sprintf(
	    body, "--xyz\r\nContent-Disposition: form-data; name=\"%05000d\"\r\n\r\n", 1);
	strcpy(body + length, "x\r\n" END_OF_FORM);
	assert_int_equal(send(body), 400);
	length = (size_t)sprintf(body, "--xyz\r\n");
	for (int i = 0; i < 17; i++)
		length += (size_t)sprintf(body + length, "X-Other: x\r\n");
	strcpy(body + length, "\r\nx\r\n" END_OF_FORM);
	assert_int_equal(send(body), 400);
	length = 0;
	for (int i = 0; i < 1001; i++)
		length += (size_t)sprintf(body + length, PART("x", ""));
	strcpy(body + length, END_OF_FORM);
	assert_int_equal(send(body), 400);
	assert_non_null(strstr(now.answer, "more than 1000 parts"));
	length = (size_t)sprintf(
	    body, "--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n");
	memset(body + length, 'x', 1001);
	strcpy(body + length + 1001, "\r\n" END_OF_FORM);
	assert_int_equal(send(body), 413);
	free(body);
}

/* A source that gives as much as fits, and a content with many half delimiters. */
static size_t give_all(void *left, char *bytes, size_t room)
{
	size_t *at = left;
	size_t length = *at < room ? *at : room;

	for (size_t i = 0; i < length; i++)
		bytes[i] = "\r\n--x\r\n--xy"[(*at - i) % 11];
	*at -= length;
	return length;
}

static void large_parts_never_fill_more_than_the_window(void **state)
{
	size_t left = 10 << 20, sum = 0, length;
	struct arena *arena = arena_new(4096);
	struct multipart *form = multipart_open(arena, FORM, give_all, &left);
	struct part part;
	const char *bytes;

	(void)state;
	assert_non_null(form);
	while ((length = multipart_read(form, &bytes)) > 0)
		sum += length;
	assert_true(sum > (10 << 20) - 10);
	assert_string_equal(multipart_wrong(form), "ends in the middle of a part.");
	assert_false(multipart_next(form, &part));
	arena_free(&arena);
}

static void a_handler_may_keep_a_file(void **state)
{
	char bytes[20] = "";
	int fd;

	(void)state;
	snprintf(kept, sizeof(kept), "%s/kept", folder);
	assert_int_equal(send(GOOD_FILE END_OF_FORM), 200);
	assert_string_equal(now.answer, "kept 1");
	fd = open(kept, O_RDONLY);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 8);
	assert_string_equal(bytes, "a,b\r\n1,2");
	close(fd);
	/* What is there is not overwritten. */
	log_setup(LOG_ERROR + 1, LOG_TEXT);
	assert_int_equal(send(GOOD_FILE END_OF_FORM), 200);
	assert_string_equal(now.answer, "kept 0");
	assert_int_equal(unlink(kept), 0);
	/* Another file system, where no link can lead: a copy. */
	strcpy(kept, "/dev/shm/ostler-multipart-kept");
	unlink(kept);
	assert_int_equal(send(GOOD_FILE END_OF_FORM), 200);
	assert_string_equal(now.answer, "kept 1");
	fd = open(kept, O_RDONLY);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 8);
	close(fd);
	assert_int_equal(unlink(kept), 0);
	kept[0] = '\0';
}

static void a_folder_that_is_gone_is_a_503(void **state)
{
	(void)state;
	now.app.uploads = "/nowhere/at/all";
	assert_int_equal(send(GOOD_FILE END_OF_FORM), 503);
	now.app.uploads = folder;
	assert_int_equal(send(GOOD_FILE END_OF_FORM), 200);
}

int main(void)
{
	const struct CMUnitTest multipart[] = {
		cmocka_unit_test(texts_and_files_reach_the_handler),
		cmocka_unit_test(a_field_without_a_chosen_file_is_not_given),
		cmocka_unit_test(everything_wrong_is_told_at_once),
		cmocka_unit_test(names_with_a_path_are_refused),
		cmocka_unit_test(boundaries_that_cannot_be),
		cmocka_unit_test(forms_that_are_broken),
		cmocka_unit_test(heads_and_parts_have_their_number),
		cmocka_unit_test(large_parts_never_fill_more_than_the_window),
		cmocka_unit_test(a_handler_may_keep_a_file),
		cmocka_unit_test(a_folder_that_is_gone_is_a_503),
	};

	return cmocka_run_group_tests(multipart, begin, end);
}
