/* resp.c - commands as Redis reads them. */
#include "store/resp.h"

/* A line of a mark and a number: "*2" or "$3". */
static void add_count(struct buffer *out, char mark, size_t count)
{
	buffer_add_char(out, mark);
	buffer_add_integer(out, (long long)count);
	buffer_add(out, "\r\n", 2);
}

static size_t count_words(const struct redis_command *command)
{
	size_t count = 0;

	while (count < REDIS_WORDS_MOST && command->words[count] != NULL)
		count++;
	return count;
}

static size_t count_more(const struct redis_command *command)
{
	size_t count = 0;

	while (command->more != NULL && command->more[count] != NULL)
		count++;
	return count;
}

static void add_word(struct buffer *out, const char *word, size_t length)
{
	add_count(out, '$', length);
	buffer_add(out, word, length);
	buffer_add(out, "\r\n", 2);
}

void resp_add(struct buffer *out, const struct redis_command *command)
{
	size_t count = count_words(command), more = count_more(command);

	add_count(out, '*', count + more);
	for (size_t i = 0; i < count; i++)
		add_word(out, command->words[i],
		    command->lengths[i] != 0 ? command->lengths[i] : strlen(command->words[i]));
	for (size_t i = 0; i < more; i++)
		add_word(out, command->more[i], strlen(command->more[i]));
}
