/* SPDX-License-Identifier: MIT */
/* Numbers with signs from text. */
#include <errno.h>
#include <limits.h>
#include <number.h>
#include <stdlib.h>

struct number {
	unsigned long magnitude;
	bool negative, fits;
};

/* Without a number, and so without an @end in it, the magnitude is 0. */
static struct number read_number(const char *text, char **end, int base)
{
	struct number number = { .fits = true };
	const char *s = text, *stop = text;

	if (base < 0 || base == 1 || base > 36) {
		errno = EINVAL;
	} else {
		while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
			s++;
		number.negative = *s == '-';
		s += *s == '-' || *s == '+';
		stop = read_digits(s, base, &number.magnitude, &number.fits);
		if (stop == s)
			stop = text;
	}
	if (end)
		*end = (char *)stop;
	return number;
}

long strtol(const char *text, char **end, int base)
{
	struct number number = read_number(text, end, base);
	unsigned long most = number.negative ? -(unsigned long)LONG_MIN : LONG_MAX;

	if (number.magnitude > most) {
		errno = ERANGE;
		return number.negative ? LONG_MIN : LONG_MAX;
	}
	return (long)(number.negative ? -number.magnitude : number.magnitude);
}

unsigned long strtoul(const char *text, char **end, int base)
{
	struct number number = read_number(text, end, base);

	if (!number.fits) {
		errno = ERANGE;
		return ULONG_MAX;
	}
	return number.negative ? -number.magnitude : number.magnitude;
}

int atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}
