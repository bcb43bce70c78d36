/* SPDX-License-Identifier: MIT */
/* Numbers from text. */
#ifndef LIBK_STDLIB_H
#define LIBK_STDLIB_H

/**
 * strtoul() - read a number, as in ISO C
 * @text: after leading spaces; a sign is not understood
 * @end: receives where reading stopped, @text if there was no number; may be NULL
 * @base: 2 to 36; 0 takes it from a prefix 0x or 0
 *
 * Return: the number, ULONG_MAX if it does not fit.
 */
unsigned long strtoul(const char *text, char **end, int base);

#endif
