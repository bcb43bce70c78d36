/* SPDX-License-Identifier: MIT */
#include <number.h>
#include <stdlib.h>

unsigned long strtoul(const char *text, char **end, int base)
{
	const char *s = text, *stop;
	unsigned long value;
	bool fits;

	while (*s == ' ' || *s == '\t')
		s++;
	stop = read_digits(s, base, &value, &fits);
	if (end)
		*end = (char *)(stop == s ? text : stop);
	return value;
}
