/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

/* The value of a digit in any base; 99 for what is none. */
static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'z')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'Z')
		return (unsigned int)(c - 'A') + 10;
	return 99;
}

/* Steps over "0x" where a hexadecimal digit follows, and settles base 0. */
static const char *skip_prefix(const char *s, int *base)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && digit(s[2]) < 16;

	if ((*base == 0 || *base == 16) && hex) {
		*base = 16;
		return s + 2;
	}
	if (*base == 0)
		*base = s[0] == '0' ? 8 : 10;
	return s;
}

unsigned long strtoul(const char *text, char **end, int base)
{
	const char *s = text, *start;
	unsigned long value = 0;
	bool too_large = false;

	while (*s == ' ' || *s == '\t')
		s++;
	s = skip_prefix(s, &base);
	for (start = s; digit(*s) < (unsigned int)base; s++) {
		too_large |= __builtin_mul_overflow(value, (unsigned long)base, &value);
		too_large |= __builtin_add_overflow(value, digit(*s), &value);
	}
	if (end)
		*end = (char *)(s == start ? text : s);
	return too_large ? ULONG_MAX : value;
}
