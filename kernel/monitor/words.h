/* SPDX-License-Identifier: MIT */
/* A line taken apart into words, and words into numbers. Pure, and tested on the host as well. */
#ifndef KERNEL_MONITOR_WORDS_H
#define KERNEL_MONITOR_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MOST 16

struct words {
	size_t n;
	char *word[WORDS_MOST];
};

/**
 * words_split() - find the words between spaces
 * @line: is cut in place, and must stay as long as @words
 *
 * '=' is a word by itself, spaces around it or not.
 *
 * Return: false if there are more than WORDS_MOST; @words then has the first.
 */
bool words_split(struct words *words, char *line);

enum words_number {
	WORDS_NUMBER,	 /* it is one */
	WORDS_NO_NUMBER, /* it is something else */
	WORDS_TOO_LARGE, /* it does not fit in 32 bits */
};

/* A number, decimal or behind 0x; @number is set only if it is one. */
enum words_number words_number(const char *text, uint32_t *number);

/**
 * words_offset() - take "+N" or "-N" off the end of a word
 * @text: is cut in front of it
 * @offset: receives N, or 2^32 - N, so that it can be added; 0 if there is none
 *
 * Return: whether N is a number, or there is none.
 */
enum words_number words_offset(char *text, uint32_t *offset);

/* Whether @text can be a name: a letter, then letters, digits and '_', less than @size in all. */
bool words_is_name(const char *text, size_t size);

#endif
