/* SPDX-License-Identifier: MIT */
#include "kernel/monitor/words.h"

#include <string.h>

static char equals[] = "=";

static bool add(struct words *words, char *word)
{
	if (words->n == WORDS_MOST)
		return false;
	words->word[words->n++] = word;
	return true;
}

bool words_split(struct words *words, char *line)
{
	bool fits = true;

	words->n = 0;
	while (*line && fits) {
		char *end = line + strcspn(line, " =");
		char separator = *end;

		*end = '\0';
		if (end > line)
			fits = add(words, line);
		if (separator == '=')
			fits = fits && add(words, equals);
		line = separator ? end + 1 : end;
	}
	return fits;
}

/* The value of a digit, 16 or more for what is none. */
static uint32_t digit(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10 : 16;
}

enum words_number words_number(const char *text, uint32_t *number)
{
	uint32_t base = text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10, value = 0;
	bool fits = true;

	if (base == 16)
		text += 2;
	if (!*text)
		return WORDS_NO_NUMBER;
	for (; *text; text++) {
		if (digit(*text) >= base)
			return WORDS_NO_NUMBER;
		fits = fits && value <= (UINT32_MAX - digit(*text)) / base;
		value = value * base + digit(*text);
	}
	if (!fits)
		return WORDS_TOO_LARGE;
	*number = value;
	return WORDS_NUMBER;
}

enum words_number words_offset(char *text, uint32_t *offset)
{
	size_t n = strcspn(text, "+-");
	bool minus = text[n] == '-';
	enum words_number result;

	*offset = 0;
	if (!text[n])
		return WORDS_NUMBER;
	text[n] = '\0';
	result = words_number(text + n + 1, offset);
	if (minus)
		*offset = 0 - *offset;
	return result;
}

static bool is_letter(char c)
{
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'z';
}

bool words_is_name(const char *text, size_t size)
{
	size_t n = 0;

	for (; text[n]; n++)
		if (!is_letter(text[n]) &&
		    (n == 0 || (text[n] != '_' && (text[n] < '0' || text[n] > '9'))))
			return false;
	return n > 0 && n < size;
}
