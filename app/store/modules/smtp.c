/*
 * smtp.c - letters handed to a mail server by SMTP (RFC 5321): the module ostler-smtp.so.
 *
 * libcurl speaks to the server and makes the message; a connection lasts for one
 * letter, since there are few.  Beyond this machine it must be encrypted: a letter
 * may hold a link that signs somebody in.  The body travels as quoted-printable, so
 * that no server has to be asked what it takes.
 *
 * https://curl.se/libcurl/c/smtp-mime.html
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "store/mail_driver.h"

struct smtp {
	const struct mail_options *options;
	bool on_this_machine;
};

/* --- opening --- */

/* Whether the server is reached without leaving this machine, where nobody listens in. */
static bool is_local(const char *where)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = strstr(where, "://") + strlen("://");

	for (size_t i = 0; i < COUNT(names); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(host, names[i], length) == 0 && strchr(":/", host[length]) != NULL)
			return true; /* strchr finds the end of the text, too */
	}
	return false;
}

static const char *find_fault(const struct mail_options *options)
{
	if (options->from == NULL || strchr(options->from, '@') == NULL)
		return "needs mail_from, the address that letters are from";
	if (strstr(options->where, "://")[strlen("://")] == '\0')
		return "names no server";
	if ((options->user == NULL) != (options->secret == NULL))
		return "needs both mail_user and mail_secret_file, or neither";
	return NULL;
}

static void *open_smtp(const struct mail_options *options, struct arena *arena, const char **wrong)
{
	struct smtp *smtp;

	*wrong = find_fault(options);
	if (*wrong != NULL)
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		die("cannot initialize libcurl");
	smtp = arena_alloc(arena, sizeof(*smtp));
	*smtp = (struct smtp){ .options = options, .on_this_machine = is_local(options->where) };
	return smtp;
}

static void close_smtp(void *opened)
{
	(void)opened;
	curl_global_cleanup();
}

/* --- the message --- */

static struct curl_slist *add_header(
    struct curl_slist *list, struct arena *arena, const char *name, const char *value)
{
	struct curl_slist *longer = curl_slist_append(
	    list, arena_print(arena, "%s: %s", name, value));

	if (longer == NULL)
		die("out of memory");
	return longer;
}

/* The same id for the same letter: should it come twice, whoever reads it sees one. */
static struct curl_slist *headers_of(
    const struct smtp *smtp, struct arena *arena, const struct letter *letter)
{
	const char *from = smtp->options->from;
	struct curl_slist *list = NULL;
	time_t now = time(NULL);
	struct tm utc;
	char date[64];

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &utc);
	list = add_header(list, arena, "Date", date);
	list = add_header(list, arena, "From", from);
	list = add_header(list, arena, "To", letter->to);
	list = add_header(list, arena, "Subject", letter->subject);
	list = add_header(
	    list, arena, "Message-ID", arena_print(arena, "<%s%s>", letter->id, strchr(from, '@')));
	/* No answering machine should write back (RFC 3834). */
	return add_header(list, arena, "Auto-Submitted", "auto-generated");
}

static curl_mime *body_of(CURL *curl, const struct letter *letter)
{
	curl_mime *mime = curl_mime_init(curl);
	curl_mimepart *part = mime != NULL ? curl_mime_addpart(mime) : NULL;

	if (part == NULL || curl_mime_data(part, letter->body, CURL_ZERO_TERMINATED) != CURLE_OK ||
	    curl_mime_type(part, "text/plain; charset=utf-8") != CURLE_OK ||
	    curl_mime_encoder(part, "quoted-printable") != CURLE_OK)
		die("out of memory");
	return mime;
}

/* --- sending --- */

static void set_options(CURL *curl, const struct smtp *smtp)
{
	const struct mail_options *options = smtp->options;

	curl_easy_setopt(curl, CURLOPT_URL, options->where);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(
	    curl, CURLOPT_USE_SSL, (long)(smtp->on_this_machine ? CURLUSESSL_TRY : CURLUSESSL_ALL));
	if (smtp->on_this_machine) { /* whose certificate names something else */
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	}
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, options->from);
	if (options->user != NULL) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, options->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, options->secret);
	}
}

/*
 * A 5xx is for good (RFC 5321, 4.2.1), except where it is our own sign-in or the
 * encryption that the server does not like: that an operator can mend.
 */
static enum mail_fate judge(CURL *curl, CURLcode code, struct arena *arena, const char **why)
{
	long status = 0;
	bool ours = code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED;

	if (code == CURLE_OK)
		return MAIL_SENT;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*why = arena_print(arena, "the mail server: %s (its last answer was %ld)",
	    curl_easy_strerror(code), status);
	return status >= 500 && status < 600 && status != 530 && !ours ? MAIL_REFUSED : MAIL_LATER;
}

static enum mail_fate send_by_smtp(
    void *opened, struct arena *arena, const struct letter *letter, const char **why)
{
	const struct smtp *smtp = opened;
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = headers_of(smtp, arena, letter);
	struct curl_slist *to = curl_slist_append(NULL, letter->to);
	curl_mime *body;
	enum mail_fate fate;

	if (curl == NULL || to == NULL)
		die("out of memory");
	body = body_of(curl, letter);
	set_options(curl, smtp);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, body);
	fate = judge(curl, curl_easy_perform(curl), arena, why);
	curl_easy_cleanup(curl);
	curl_mime_free(body);
	curl_slist_free_all(headers);
	curl_slist_free_all(to);
	return fate;
}

const struct mail_driver mail_smtp = { open_smtp, close_smtp, send_by_smtp };
