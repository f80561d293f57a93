/*
 * otlp.c - spans handed to a collector by HTTP: the module ostler-otlp.so.
 *
 * One connection is kept between batches; what the collector answers is of no use beyond its status
 * and how long to wait.
 *
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
#include <curl/curl.h>

#include "base/log.h"
#include "store/collector.h"

struct otlp {
	CURL *curl;
	struct curl_slist *headers;
};

static struct curl_slist *add(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		die("out of memory");
	return longer;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *unused)
{
	(void)bytes;
	(void)unused;
	return size * count;
}

static void *open_otlp(
    const struct collector_options *options, struct arena *arena, const char **wrong)
{
	struct otlp *otlp = arena_alloc(arena, sizeof(*otlp));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("cannot initialize libcurl");
	otlp->curl = curl_easy_init();
	if (otlp->curl == NULL)
		die("out of memory");
	otlp->headers = add(add(NULL, "Content-Type: application/json"), "Expect:");
	for (const char *const *line = options->headers; line != NULL && *line != NULL; line++)
		otlp->headers = add(otlp->headers, *line);
	if (curl_easy_setopt(otlp->curl, CURLOPT_URL, options->url) != CURLE_OK ||
	    curl_easy_setopt(otlp->curl, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK) {
		*wrong = "libcurl does not take it";
		return NULL;
	}
	curl_easy_setopt(otlp->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(otlp->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(otlp->curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(otlp->curl, CURLOPT_HTTPHEADER, otlp->headers);
	curl_easy_setopt(otlp->curl, CURLOPT_WRITEFUNCTION, ignore);
	return otlp;
}

static void close_otlp(void *opened)
{
	struct otlp *otlp = opened;

	curl_easy_cleanup(otlp->curl);
	curl_slist_free_all(otlp->headers);
	curl_global_cleanup();
}

static struct collector_answer post(
    void *opened, struct arena *arena, const char *json, size_t length)
{
	struct otlp *otlp = opened;
	struct collector_answer answer = { 0 };
	curl_off_t wait = 0;
	long status = 0;
	CURLcode code;

	curl_easy_setopt(otlp->curl, CURLOPT_POSTFIELDS, json);
	curl_easy_setopt(otlp->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	code = curl_easy_perform(otlp->curl);
	if (code != CURLE_OK) {
		answer.why = arena_print(arena, "%s", curl_easy_strerror(code));
		return answer;
	}
	curl_easy_getinfo(otlp->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(otlp->curl, CURLINFO_RETRY_AFTER, &wait);
	answer.status = (int)status;
	answer.retry_after_s = wait;
	return answer;
}

const struct collector_driver collector_otlp = { open_otlp, close_otlp, post };
