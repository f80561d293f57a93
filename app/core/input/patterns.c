/* patterns.c - the regular expressions of all shapes, compiled once. */
#include "core/input/patterns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/*
 * The most steps of one match.  Patterns of names and codes take a few hundred
 * on the longest text; one that needs more is being led astray on purpose.
 */
#define STEPS_MOST 100000

struct patterns {
	pcre2_match_context *limits;
	size_t count;
	struct pattern {
		const char *text; /* the table's own pointer: looked up by address */
		pcre2_code *code;
	} pattern[];
};

/* As JSON Schema reads it: a '$' is the very end of the text, not a line before its last newline.
 */
static pcre2_code *compile(const struct shape *shape, const struct field *field)
{
	size_t where;
	int error;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)field->pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY, &error, &where, NULL);

	if (code == NULL) {
		PCRE2_UCHAR why[128];

		pcre2_get_error_message(error, why, sizeof(why));
		bug("the pattern of %s in %s: %s at %zu", field->name, shape->name, (char *)why,
		    where);
	}
	/* Without a JIT on this machine it is interpreted: slower, not otherwise. */
	pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

struct patterns *patterns_compile(const struct shapes *shapes)
{
	struct patterns *patterns;
	size_t most = 0;

	EACH_USE (use, shapes)
		EACH_FIELD (field, use->shape)
			most += field->pattern != NULL;
	patterns = calloc(1, sizeof(*patterns) + most * sizeof(patterns->pattern[0]));
	if (patterns == NULL || (patterns->limits = pcre2_match_context_create(NULL)) == NULL)
		die("out of memory");
	pcre2_set_match_limit(patterns->limits, STEPS_MOST);
	EACH_USE (use, shapes)
		EACH_FIELD (field, use->shape)
			if (field->pattern != NULL)
				patterns->pattern[patterns->count++] =
				    (struct pattern){ field->pattern, compile(use->shape, field) };
	return patterns;
}

void patterns_free(struct patterns **patterns)
{
	if (*patterns == NULL)
		return;
	for (size_t i = 0; i < (*patterns)->count; i++)
		pcre2_code_free((*patterns)->pattern[i].code);
	pcre2_match_context_free((*patterns)->limits);
	free(*patterns);
	*patterns = NULL;
}

/* Memory of a match lives as long as the request, like everything else of it. */
static void *take(size_t size, void *arena)
{
	return arena_alloc(arena, size);
}

static void give_back(void *memory, void *arena)
{
	(void)memory;
	(void)arena;
}

static const pcre2_code *find(const struct patterns *patterns, const char *pattern)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (patterns->pattern[i].text == pattern)
			return patterns->pattern[i].code;
	bug("the pattern %s was not compiled", pattern);
}

bool patterns_match(const struct patterns *patterns, struct arena *arena, const char *pattern,
    const char *text, size_t length)
{
	const pcre2_code *code = find(patterns, pattern);
	pcre2_general_context *memory = pcre2_general_context_create(take, give_back, arena);
	pcre2_match_data *match = pcre2_match_data_create(1, memory);

	return pcre2_match(code, (PCRE2_SPTR)text, length, 0, PCRE2_NO_UTF_CHECK, match,
		   patterns->limits) >= 0;
}
