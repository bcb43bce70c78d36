/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <number.h>

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

const char *read_digits(const char *text, int base, unsigned long *value, bool *fits)
{
	const char *start = skip_prefix(text, &base), *s = start;
	bool too_large = false;

	*value = 0;
	for (; digit(*s) < (unsigned int)base; s++) {
		too_large |= __builtin_mul_overflow(*value, (unsigned long)base, value);
		too_large |= __builtin_add_overflow(*value, digit(*s), value);
	}
	if (too_large)
		*value = ULONG_MAX;
	*fits = !too_large;
	return s == start ? text : s;
}
