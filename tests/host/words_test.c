/* SPDX-License-Identifier: MIT */
/* Lines become words, and words numbers; whatever is none is said to be none. */
#include "kernel/monitor/words.h"
#include "tap.h"

#include <string.h>

#define ROUNDS 200000

static char line[256];
static struct words words;

static bool split(const char *text)
{
	snprintf(line, sizeof(line), "%s", text);
	return words_split(&words, line);
}

/* Whether a line has these words, given with '|' between. */
static bool is(const char *text, const char *expected)
{
	char found[256] = "";
	bool fits = split(text);

	for (size_t i = 0; i < words.n; i++) {
		strcat(found, i > 0 ? "|" : "");
		strcat(found, words.word[i]);
	}
	return fits && strcmp(found, expected) == 0;
}

static void lines(void)
{
	tap_ok(is("", "") && is("    ", ""), "a line without a word has none");
	tap_ok(is("help", "help") && is("  dump  p   16 ", "dump|p|16"),
	       "words are between spaces");
	tap_ok(is("p=kmalloc 100", "p|=|kmalloc|100") && is("p = kmalloc", "p|=|kmalloc"),
	       "'=' is a word, with spaces or without");
	tap_ok(is("==", "=|=") && is(" =a= ", "=|a|="), "each of them is");
	tap_ok(split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16") && words.n == WORDS_MOST,
	       "as many words as there may be");
	tap_ok(!split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17") && words.n == WORDS_MOST,
	       "one more is refused");
	tap_ok(!split("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16=") && words.n == WORDS_MOST,
	       "also if it is a '='");
	tap_ok(!split("=================") && words.n == WORDS_MOST,
	       "and if there is nothing else");
}

static bool number_is(const char *text, uint32_t expected)
{
	uint32_t number = ~expected;

	return words_number(text, &number) == WORDS_NUMBER && number == expected;
}

static bool number_is_not(const char *text, enum words_number expected)
{
	uint32_t number = 42;

	return words_number(text, &number) == expected && number == 42;
}

static void numbers(void)
{
	tap_ok(number_is("0", 0) && number_is("100", 100) && number_is("4294967295", UINT32_MAX),
	       "decimal numbers");
	tap_ok(number_is("0x0", 0) && number_is("0XfFfFfFfF", UINT32_MAX) &&
		       number_is("0xd0000014", 0xD0000014) && number_is("0x00000000001", 1),
	       "and those behind 0x");
	tap_ok(number_is("010", 10), "a 0 in front means nothing");
	tap_ok(number_is_not("4294967296", WORDS_TOO_LARGE) &&
		       number_is_not("0x100000000", WORDS_TOO_LARGE) &&
		       number_is_not("99999999999999999999999999", WORDS_TOO_LARGE),
	       "what does not fit is too large");
	tap_ok(number_is_not("", WORDS_NO_NUMBER) && number_is_not("0x", WORDS_NO_NUMBER) &&
		       number_is_not("x", WORDS_NO_NUMBER) &&
		       number_is_not("12a", WORDS_NO_NUMBER) &&
		       number_is_not("0xg", WORDS_NO_NUMBER) &&
		       number_is_not("1x2", WORDS_NO_NUMBER) &&
		       number_is_not("-1", WORDS_NO_NUMBER) &&
		       number_is_not("+1", WORDS_NO_NUMBER) &&
		       number_is_not("1 ", WORDS_NO_NUMBER) &&
		       number_is_not("@", WORDS_NO_NUMBER) &&
		       number_is_not("1/", WORDS_NO_NUMBER) &&
		       number_is_not("1:", WORDS_NO_NUMBER) &&
		       number_is_not("0x`", WORDS_NO_NUMBER),
	       "and the rest no number");
	tap_ok(number_is_not("99999999999z", WORDS_NO_NUMBER),
	       "though it would be too large as well");
}

static bool offset_is(const char *text, const char *base, uint32_t expected)
{
	char word[32];
	uint32_t offset;

	snprintf(word, sizeof(word), "%s", text);
	return words_offset(word, &offset) == WORDS_NUMBER && offset == expected &&
	       strcmp(word, base) == 0;
}

static bool offset_is_none(const char *text, enum words_number expected)
{
	char word[64];
	uint32_t offset;

	snprintf(word, sizeof(word), "%s", text);
	return words_offset(word, &offset) == expected;
}

static void offsets(void)
{
	tap_ok(offset_is("p", "p", 0) && offset_is("p+4", "p", 4) &&
		       offset_is("p-0x10", "p", -16U) && offset_is("0xd0000000+1", "0xd0000000", 1),
	       "offsets are taken off a word");
	tap_ok(offset_is("-5", "", -5U) && offset_is("+4294967295", "", UINT32_MAX),
	       "also if it has nothing else");
	tap_ok(offset_is_none("p+", WORDS_NO_NUMBER) && offset_is_none("p-q", WORDS_NO_NUMBER) &&
		       offset_is_none("p+1+2", WORDS_NO_NUMBER) &&
		       offset_is_none("p--1", WORDS_NO_NUMBER) &&
		       offset_is_none("p+4294967296", WORDS_TOO_LARGE),
	       "those that are no numbers are refused");
}

static void names(void)
{
	tap_ok(words_is_name("p", 8) && words_is_name("Block_2", 8), "names");
	tap_ok(!words_is_name("Block_23", 8), "one too long is none");
	tap_ok(!words_is_name("", 8) && !words_is_name("2p", 8) && !words_is_name("_p", 8) &&
		       !words_is_name("p-q", 8) && !words_is_name("p:", 8) &&
		       !words_is_name("p/", 8) && !words_is_name("\xe4", 8),
	       "nor is what begins or goes on otherwise");
}

static uint32_t next_random(void)
{
	static uint32_t state = 0x7654321;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* The words of any line, put together again, are the line without its spaces. */
static void noise(void)
{
	bool all = true;

	for (int i = 0; i < ROUNDS; i++) {
		char text[48], bare[48] = "", found[48] = "";
		size_t n = next_random() % sizeof(text), nbare = 0;

		for (size_t j = 0; j < n; j++)
			text[j] = "  =ab0x+-\x01\xff"[next_random() % 11];
		text[n > 0 ? n - 1 : 0] = '\0';
		for (const char *c = text; *c; c++)
			if (*c != ' ')
				bare[nbare++] = *c;
		bare[nbare] = '\0';
		if (!split(text))
			continue;
		for (size_t j = 0; j < words.n; j++)
			strcat(found, words.word[j]);
		all = all && strcmp(found, bare) == 0;
	}
	tap_ok(all, "no byte of a line is lost or made up");
}

int main(void)
{
	lines();
	numbers();
	offsets();
	names();
	noise();
	return tap_end();
}
