/* SPDX-License-Identifier: MIT */
#ifndef LIBK_NUMBER_H
#define LIBK_NUMBER_H

#include <stdbool.h>

/**
 * read_digits() - a number without a sign and without spaces before it
 * @text: digits, behind a prefix 0x if @base is 16 or 0
 * @base: 2 to 36; 0 takes it from a prefix 0x or 0
 * @value: receives the number, 0 if there is none, ULONG_MAX if it does not fit
 * @fits: receives whether it does
 *
 * Return: where reading stopped; @text if there was no number.
 */
const char *read_digits(const char *text, int base, unsigned long *value, bool *fits);

#endif
