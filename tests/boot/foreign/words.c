/* SPDX-License-Identifier: MIT */
/* Sorts a million words, or as many as it is told, each in a block of its own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS	1000000U
#define SHOWN	20U
#define LONGEST 13U

static uint32_t state = 2463534242U;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static char *random_word(void)
{
	uint32_t length = 1 + next_random() % LONGEST, letters = next_random();
	char *word = malloc(length + 1);

	if (!word)
		exit(2);
	for (uint32_t i = 0; i < length; i++, letters = letters * 1664525U + 1013904223U)
		word[i] = (char)('a' + (letters >> 16) % 26);
	word[length] = '\0';
	return word;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)atoi(argv[1]) : WORDS, different = 1, hash = 0;
	char **words = malloc(n * sizeof(*words));

	if (!words)
		return 2;
	for (uint32_t i = 0; i < n; i++)
		words[i] = random_word();
	qsort(words, n, sizeof(*words), compare);
	for (uint32_t i = 1; i < n; i++)
		different += strcmp(words[i - 1], words[i]) != 0;
	for (uint32_t i = 0; i < n; i++)
		for (const char *at = words[i]; *at; at++)
			hash = hash * 31 + (uint32_t)*at;
	for (uint32_t i = 0; i < n; i += n / SHOWN)
		printf("%7u %s\n", i, words[i]);
	printf("%u words, %u different, hash %08x, last %s\n", n, different, hash, words[n - 1]);
	for (uint32_t i = 0; i < n; i++)
		free(words[i]);
	free(words);
	return 0;
}
