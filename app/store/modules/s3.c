/*
 * s3.c - objects in a bucket that speaks S3: the module ostler-s3.so.
 *
 * Requests are signed by libcurl (AWS Signature Version 4) and the bucket is the
 * first part of the path, which every server understands.  A body that is sent
 * is not hashed for its signature ("UNSIGNED-PAYLOAD"), since that would take
 * reading it twice: over https TLS guards it, over plain http nothing does.
 *
 * https://docs.aws.amazon.com/AmazonS3/latest/API/
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/text.h"
#include "store/modules/s3_listing.h"
#include "store/object_driver.h"

/* What a body is signed by: S3 wants it said in every request. */
#define UNSIGNED "x-amz-content-sha256: UNSIGNED-PAYLOAD"
#define NO_BODY                  \
	"x-amz-content-sha256: " \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Of an error's body so much is kept: its <Code> and <Message> come first. */
#define ERROR_MOST 1000

/* Connections that are kept open between calls. */
#define IDLE_MOST 8

struct s3 {
	char *bucket_url; /* without a slash at the end */
	char *prefix;     /* of all keys: "" or ends with a slash */
	char *keys;       /* "access:secret" */
	char *signing;    /* "aws:amz:REGION:s3" */
	long timeout_ms;
	pthread_mutex_t lock;
	CURL *idle[IDLE_MOST];
	int idle_count;
};

/* One request and what came back. */
struct call {
	struct s3 *s3;
	CURL *curl;
	object_source_fn *source;
	long long left; /* of what the source is to give */
	object_sink_fn *sink;
	void *context;
	bool cut; /* by the source or the sink */
	size_t error_length;
	char error[ERROR_MOST + 1]; /* the beginning of the body, unless that went to the sink */
};

/* --- opening --- */

static char *copy(const char *format, const char *a, const char *b)
{
	char *text = NULL;

	if (asprintf(&text, format, a, b) < 0)
		die("out of memory");
	return text;
}

static const char *given_or_environment(const char *given, const char *variable)
{
	const char *value = given != NULL && given[0] != '\0' ? given : getenv(variable);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* What is missing or wrong among the options, or NULL. */
static const char *find_fault(const struct object_options *options, const char *where)
{
	const char *slash = strchr(where, '/');

	if (where[0] == '\0' || where[0] == '/')
		return "s3: names no bucket";
	if (slash != NULL && !object_key_is_valid(slash + 1))
		return "s3: has a prefix that no key can have";
	if (options->endpoint == NULL || !(text_starts(options->endpoint, "https://") ||
					     text_starts(options->endpoint, "http://")))
		return "s3: needs an endpoint that begins with https:// or http://";
	if (options->region == NULL || options->region[0] == '\0')
		return "s3: needs a region";
	if (given_or_environment(options->access_key, "AWS_ACCESS_KEY_ID") == NULL ||
	    given_or_environment(options->secret_key, "AWS_SECRET_ACCESS_KEY") == NULL)
		return "s3: needs an access key and a secret key";
	return NULL;
}

static void *open_bucket(const struct object_options *options, const char *where,
    struct arena *arena, const char **wrong)
{
	size_t bucket = strcspn(where, "/");
	struct s3 *s3;

	*wrong = find_fault(options, where);
	if (*wrong != NULL)
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("cannot initialize libcurl");
	s3 = calloc(1, sizeof(*s3));
	if (s3 == NULL)
		die("out of memory");
	s3->bucket_url = copy("%s/%s", options->endpoint, arena_copy(arena, where, bucket));
	s3->prefix = where[bucket] == '/' ? copy("%s%s", where + bucket + 1, "/")
					  : copy("%s%s", "", "");
	s3->keys = copy("%s:%s", given_or_environment(options->access_key, "AWS_ACCESS_KEY_ID"),
	    given_or_environment(options->secret_key, "AWS_SECRET_ACCESS_KEY"));
	s3->signing = copy("aws:amz:%s:%s", options->region, "s3");
	s3->timeout_ms = (long)options->timeout_ms;
	pthread_mutex_init(&s3->lock, NULL);
	return s3;
}

static void close_bucket(void *store)
{
	struct s3 *s3 = store;

	while (s3->idle_count > 0)
		curl_easy_cleanup(s3->idle[--s3->idle_count]);
	pthread_mutex_destroy(&s3->lock);
	explicit_bzero(s3->keys, strlen(s3->keys));
	free(s3->bucket_url);
	free(s3->prefix);
	free(s3->keys);
	free(s3->signing);
	free(s3);
	curl_global_cleanup();
}

/* --- one call --- */

/* A handle that has been used keeps its connection, which spares the next call a handshake. */
static CURL *take_handle(struct s3 *s3)
{
	CURL *curl = NULL;

	pthread_mutex_lock(&s3->lock);
	if (s3->idle_count > 0)
		curl = s3->idle[--s3->idle_count];
	pthread_mutex_unlock(&s3->lock);
	if (curl == NULL)
		curl = curl_easy_init();
	if (curl == NULL)
		die("out of memory");
	return curl;
}

static void give_handle_back(struct s3 *s3, CURL *curl)
{
	curl_easy_reset(curl);
	pthread_mutex_lock(&s3->lock);
	if (s3->idle_count < IDLE_MOST) {
		s3->idle[s3->idle_count++] = curl;
		curl = NULL;
	}
	pthread_mutex_unlock(&s3->lock);
	if (curl != NULL)
		curl_easy_cleanup(curl);
}

static size_t send_bytes(char *bytes, size_t size, size_t count, void *of)
{
	struct call *call = of;
	size_t room = size * count;
	long got;

	if (call->left == 0)
		return 0;
	got = call->source(
	    call->context, bytes, call->left < (long long)room ? (size_t)call->left : room);
	if (got <= 0) {
		call->cut = true;
		return CURL_READFUNC_ABORT;
	}
	call->left -= got;
	return (size_t)got;
}

/* Only the body of a success is the object; that of an error says what is wrong. */
static size_t take_bytes(char *bytes, size_t size, size_t count, void *of)
{
	struct call *call = of;
	size_t length = size * count, room = ERROR_MOST - call->error_length;
	long status = 0;

	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && call->sink != NULL) {
		call->cut = !call->sink(call->context, bytes, length);
		return call->cut ? 0 : length;
	}
	room = room < length ? room : length;
	memcpy(call->error + call->error_length, bytes, room);
	call->error_length += room;
	return length;
}

static void begin(struct call *call, struct s3 *s3, const char *path_and_query)
{
	char url[4096];

	snprintf(url, sizeof(url), "%s%s", s3->bucket_url, path_and_query);
	call->s3 = s3;
	call->curl = take_handle(s3);
	curl_easy_setopt(call->curl, CURLOPT_URL, url);
	curl_easy_setopt(call->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(call->curl, CURLOPT_AWS_SIGV4, s3->signing);
	curl_easy_setopt(call->curl, CURLOPT_USERPWD, s3->keys);
	curl_easy_setopt(call->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(call->curl, CURLOPT_CONNECTTIMEOUT_MS, s3->timeout_ms);
	/* A large object takes as long as it takes, as long as bytes come. */
	curl_easy_setopt(call->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(call->curl, CURLOPT_LOW_SPEED_TIME, (s3->timeout_ms + 999) / 1000);
	curl_easy_setopt(call->curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(call->curl, CURLOPT_WRITEDATA, call);
}

/* The text of the first element NAME in an error's XML, or "". */
static void find_in_error(const struct call *call, const char *name, char *text, size_t room)
{
	char open[32];
	const char *start;

	snprintf(open, sizeof(open), "<%s>", name);
	start = strstr(call->error, open);
	text[0] = '\0';
	if (start != NULL)
		snprintf(text, room, "%.*s", (int)strcspn(start + strlen(open), "<"),
		    start + strlen(open));
}

static enum object_fate fate_of_status(const struct call *call, const char *what, long status)
{
	char code[64], message[256];

	if (status == 200 || status == 204)
		return OBJECT_DONE;
	find_in_error(call, "Code", code, sizeof(code));
	find_in_error(call, "Message", message, sizeof(message));
	if (status == 404 && strcmp(code, "NoSuchBucket") != 0)
		return OBJECT_MISSING;
	log_error("object store: cannot %s: %ld %s %s", what, status, code, message);
	if (status == 507)
		return OBJECT_FULL;
	/* 408, 429 and all of the server's own troubles go by; the others are ours. */
	return status >= 500 || status == 408 || status == 429 ? OBJECT_UNAVAILABLE
							       : OBJECT_REFUSED;
}

/* Makes the call.  WHAT completes "cannot …". */
static enum object_fate finish(struct call *call, const char *what)
{
	char reason[CURL_ERROR_SIZE] = "";
	enum object_fate fate;
	long status = 0;
	struct curl_slist *headers = curl_slist_append(
	    NULL, call->source != NULL ? UNSIGNED : NO_BODY);
	CURLcode result;

	curl_easy_setopt(call->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(call->curl, CURLOPT_ERRORBUFFER, reason);
	result = curl_easy_perform(call->curl);
	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	call->error[call->error_length] = '\0';
	/* A server may refuse before it has read all: what it says counts then. */
	if (call->cut)
		fate = OBJECT_CUT;
	else if (result == CURLE_OK || status >= 400)
		fate = fate_of_status(call, what, status);
	else
		fate = OBJECT_UNAVAILABLE;
	if (fate == OBJECT_UNAVAILABLE && result != CURLE_OK)
		log_error("object store: cannot %s: %s", what,
		    reason[0] != '\0' ? reason : curl_easy_strerror(result));
	curl_slist_free_all(headers);
	give_handle_back(call->s3, call->curl);
	return fate;
}

static void begin_object(struct call *call, void *store, const char *key)
{
	char path[OBJECT_KEY_MOST * 2 + 2];
	struct s3 *s3 = store;

	/* Keys need no escapes: that is why they are made of so few characters. */
	snprintf(path, sizeof(path), "/%s%s", s3->prefix, key);
	begin(call, s3, path);
}

/* --- the driver --- */

static enum object_fate put(
    void *store, const char *key, long long length, object_source_fn *source, void *context)
{
	struct call call = { .source = source, .left = length, .context = context };

	begin_object(&call, store, key);
	curl_easy_setopt(call.curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(call.curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
	curl_easy_setopt(call.curl, CURLOPT_READFUNCTION, send_bytes);
	curl_easy_setopt(call.curl, CURLOPT_READDATA, &call);
	return finish(&call, "write an object");
}

static enum object_fate get(void *store, const char *key, object_sink_fn *sink, void *context)
{
	struct call call = { .sink = sink, .context = context };

	begin_object(&call, store, key);
	return finish(&call, "read an object");
}

static enum object_fate drop(void *store, const char *key)
{
	struct call call = { 0 };

	begin_object(&call, store, key);
	curl_easy_setopt(call.curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	return finish(&call, "remove an object");
}

static bool keep_page(void *page, const char *bytes, size_t length)
{
	buffer_add(page, bytes, length);
	return true;
}

/* One page of a listing; CONTINUED is where the one before ended, NULL at first. */
static enum object_fate get_page(
    struct s3 *s3, const char *prefix, const char *continued, struct buffer *page)
{
	char *escaped_prefix, *escaped_token = NULL;
	struct call call = { .sink = keep_page, .context = page };
	char *whole = copy("%s%s", s3->prefix, prefix);
	char query[4000];

	escaped_prefix = curl_easy_escape(NULL, whole, 0);
	if (continued != NULL)
		escaped_token = curl_easy_escape(NULL, continued, 0);
	/* By name, as they are signed. */
	snprintf(query, sizeof(query), "?%s%s%slist-type=2&prefix=%s",
	    continued != NULL ? "continuation-token=" : "",
	    escaped_token != NULL ? escaped_token : "", continued != NULL ? "&" : "",
	    escaped_prefix != NULL ? escaped_prefix : "");
	begin(&call, s3, query);
	free(whole);
	curl_free(escaped_prefix);
	curl_free(escaped_token);
	return finish(&call, "list objects");
}

static enum object_fate find(
    void *store, struct arena *arena, const char *prefix, struct object_list *list)
{
	struct s3 *s3 = store;
	struct s3_listing listing = { .arena = arena, .list = list, .skip = strlen(s3->prefix) };
	enum object_fate fate;

	do {
		struct buffer page;

		buffer_start(&page, arena, 16 << 10);
		fate = get_page(s3, prefix, listing.next, &page);
		if (fate == OBJECT_DONE && !s3_listing_read(&listing, page.data, page.length))
			return OBJECT_UNAVAILABLE;
	} while (fate == OBJECT_DONE && listing.next != NULL);
	return fate;
}

const struct object_driver object_s3 = { .open = open_bucket,
	.close = close_bucket,
	.put = put,
	.get = get,
	.drop = drop,
	.find = find };
