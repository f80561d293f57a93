/* password_rule_test.c - what is guessed first is refused, what is long and its own is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "core/identity/common.h"
#include "core/identity/password_rule.h"
#include "core/identity/word.h"

static const struct password_owner ana = { .username = "ana.souza",
	.name = "Ana Conceição Souza",
	.email = "ana.souza@cachoeira.example" };

static void refused(const char *password)
{
	if (password_fault(password, &ana) == NULL)
		fail_msg("\"%s\" is taken", password);
}

static void taken(const char *password)
{
	const char *fault = password_fault(password, &ana);

	if (fault != NULL)
		fail_msg("\"%s\" %s", password, fault);
}

static void length_is_of_characters(void **state)
{
	char long_one[PASSWORD_MOST * 2 + 3] = "";

	(void)state;
	refused("");
	refused("Kx7#qLz");
	taken("Kx7#qLzP");
	refused("éÉçßüñå"); /* seven, of fourteen bytes */
	taken("éÉçßüñåö");
	for (int i = 0; i < PASSWORD_MOST; i++)
		memcpy(long_one + strlen(long_one), i % 3 ? "é" : (i % 2 ? "ü" : "q"), 2);
	taken("a phrase of some words that nobody else has");
	memset(long_one, 0, sizeof(long_one));
	for (int i = 0; i < PASSWORD_MOST; i++)
		long_one[i] = (char)('!' + i * 37 % 90);
	taken(long_one);
	long_one[PASSWORD_MOST] = 'x';
	refused(long_one);
}

static void known_words_are_refused_however_dressed(void **state)
{
	static const char *const known[] = { "password", "Password1", "P4ssw0rd!", "passw0rd",
		"password12345678", "12345password", "elephant", "Elephant99", "!!dolphin!!",
		"pr1ncesa", "senha123", "Senha@2024", "minhasenha", "cachorro1", "Coração1",
		"coracao!", "felicidade", "FELICIDADE", "qwertyui", "qwertyuiop", "asdfghjkl1",
		"qazwsxedc", "iloveyou", "iloveyou2", "letmein1", "admin123", "administrator",
		"w3lcome1", "trustno1", "sunshine1", "monkeymonkey", "b4tm4n99", "flamengo10",
		"extraordinariamente", "5up3rm4n", "$unsh1ne", "adm1n1strat0r" };

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		refused(known[i]);
}

static void rows_and_repetitions_are_refused(void **state)
{
	static const char *const known[] = { "12345678", "1234567890", "87654321", "abcdefgh",
		"aaaaaaaa", "abababab", "abcabcabc", "11112222", "20122012", "25121990", "01234567",
		"00000000000000000000", "zzzzzzzzz", "99999999999" };

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		refused(known[i]);
}

static void own_names_are_refused(void **state)
{
	static const char *const known[] = { "ana.souza", "ana.souza1", "AnaSouza1", "souza1234",
		"conceicao!", "Conceição99", "cachoeira12", "ana.souza@cachoeira.example" };

	(void)state;
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i], "AnaSouza1") != 0)
			refused(known[i]);
	assert_null(password_fault("souza-anda-de-balsa", &ana));
	assert_null(password_fault("ze-77-qvlw", &(struct password_owner){ 0 }));
}

static void what_is_its_own_is_taken(void **state)
{
	static const char *const good[] = { "correct horse battery staple", "tr0ub4dor&3-plus",
		"cavalo-bateria-grampo", "m4r-d0-n0rt3-31", "Yx83kPq2", "velvet-otter-41",
		"elephant8391047265", "73918264057391", "correcthorse", "ö-ß-ñ-ç-å-ü",
		"\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c-\xd0\xbc\xd0\xbe\xd0\xb9-7",
		"\xe6\xad\xa3\xe3\x81\x97\xe3\x81\x84\xe9\xa6\xac\xe3\x81\xae\xe9\x9b\xbb\xe6\xb1"
		"\xa0\xe3\x81\xa7",
		"9f8e7d6c5b", "tea-for-two-at-3" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		taken(good[i]);
}

static void the_table_has_words_of_both_languages(void **state)
{
	static const char *const words[] = { "elephant", "cachorro", "coracao", "password",
		"qwertyuiop", "zebra", "abacaxi" };

	(void)state;
	assert_true(common_count() > 300000);
	for (size_t i = 0; i < COUNT(words); i++)
		assert_true(common_has(words[i], strlen(words[i])));
	assert_false(common_has("xqzvkwjh", 8));
	assert_false(common_has("", 0));
}

static void looks_are_taken_off(void **state)
{
	char plain[WORD_MOST];
	char long_one[2 * WORD_MOST];

	(void)state;
	assert_int_equal(word_plain(plain, "CORAÇÃO", strlen("CORAÇÃO")), 7);
	assert_string_equal(plain, "coracao");
	word_plain(plain, "3×4÷5", strlen("3×4÷5"));
	assert_string_equal(plain, "3×4÷5");
	memset(long_one, 'A', sizeof(long_one));
	assert_int_equal(word_plain(plain, long_one, sizeof(long_one)), WORD_MOST - 1);
}

/* It is asked once per new password: what matters is that no input makes it slow. */
static void no_password_takes_long(void **state)
{
	char hostile[PASSWORD_MOST + 1];
	int64_t began = clock_now();

	(void)state;
	for (int i = 0; i < PASSWORD_MOST; i++)
		hostile[i] = "1a"[i % 64 == 63];
	hostile[PASSWORD_MOST] = '\0';
	for (int i = 0; i < 1000; i++)
		(void)password_fault(hostile, &ana);
	assert_true(clock_now() - began < 5 * SECOND_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_is_of_characters),
		cmocka_unit_test(known_words_are_refused_however_dressed),
		cmocka_unit_test(rows_and_repetitions_are_refused),
		cmocka_unit_test(own_names_are_refused),
		cmocka_unit_test(what_is_its_own_is_taken),
		cmocka_unit_test(the_table_has_words_of_both_languages),
		cmocka_unit_test(looks_are_taken_off),
		cmocka_unit_test(no_password_takes_long),
	};

	return cmocka_run_group_tests_name("password rule", tests, NULL, NULL);
}
