/* SPDX-License-Identifier: MIT */
/*
 * What is printed, and what is read from text: everything is shown, to be
 * compared with what another C library shows.
 */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A format and what comes of it, also where there is room for less. */
#define SHOW(fmt, ...)                                                                             \
	do {                                                                                       \
		char text_[80], cut_[8] = "zzzzzzz";                                               \
		int long_ = snprintf(text_, sizeof(text_), fmt, __VA_ARGS__);                      \
		int same_ = snprintf(cut_, 5, fmt, __VA_ARGS__);                                   \
		printf("%-12s|%s| %d %d |%s|\n", #fmt, text_, long_, same_, cut_);                 \
	} while (0)

/* Not constant, or a compiler could know what comes of it. */
static volatile int minus = -1, plus = 42;
static const char *volatile word = "abcdef";

static void show_numbers(void)
{
	SHOW("%d %i", minus, plus);
	SHOW("%d %u", INT_MIN, UINT_MAX);
	SHOW("%ld %lu", LONG_MIN, ULONG_MAX);
	SHOW("%lld", LLONG_MIN);
	SHOW("%llu", ULLONG_MAX);
	SHOW("%jd %zu %td", INTMAX_MAX, SIZE_MAX, PTRDIFF_MIN);
	SHOW("%hd %hu", (short)minus, (unsigned short)minus);
	SHOW("%hhd %hhu", (signed char)minus, (unsigned char)minus);
	/* cppcheck-suppress invalidPrintfArgType_uint */
	SHOW("%hx %hhx", (short)minus, (signed char)minus);
	SHOW("%x %X", 0xabcdefU, 0xabcdefU);
	SHOW("%llx", 0x123456789abcdefULL);
	SHOW("%5d|%-5d|%05d", plus, plus, plus);
	SHOW("%5d|%-5d|%05d", minus, minus, minus);
	SHOW("%*d|%*d", 6, plus, -6, plus);
	SHOW("%08x|%8x|%-8x", 0xbeefU, 0xbeefU, 0xbeefU);
	SHOW("%1d|%0d", 12345, plus);
}

static void show_texts(void)
{
	SHOW("%s", word);
	SHOW("%s%%", word);
	SHOW("%8s|%-8s", word, word);
	SHOW("%.3s|%.0s|%.9s", word, word, word);
	SHOW("%8.3s|%-8.3s", word, word);
	SHOW("%.*s|%.*s", 2, word, minus, word);
	SHOW("%*s|%*s", 8, word, -8, word);
	SHOW("%c%c|%3c|%-3c", 'x', 'y', 'z', 'z');
	SHOW("%s", (const char *)(plus ? NULL : word));
	SHOW("%.3s", "not terminated");
}

static void show_strtol(const char *text, int base)
{
	char *end = NULL;
	long value;
	unsigned long without_sign;

	errno = 0;
	value = strtol(text, &end, base);
	printf("strtol(\"%s\", %d) = %ld, %td, errno %d; ", text, base, value, end - text, errno);
	errno = 0;
	without_sign = strtoul(text, &end, base);
	printf("%lu, %td, errno %d\n", without_sign, end - text, errno);
}

static void show_reading(void)
{
	static const char *const texts[] = {
		"",
		"0",
		"7",
		"-7",
		"+7",
		"- 7",
		"--7",
		"+-7",
		"  12 ",
		"\t\n\v\f\r 12",
		"12abc",
		"abc",
		"0x",
		"0xg",
		"0x1F",
		"-0x1f",
		"0X7fffffff",
		"017",
		"08",
		"2147483647",
		"2147483648",
		"-2147483648",
		"-2147483649",
		"4294967295",
		"4294967296",
		"-4294967295",
		"-4294967296",
		"99999999999999999999",
		"-99999999999999999999x",
		"zz",
		"zzzzzzzzz",
		"10201",
	};
	static const int bases[] = { 0, 2, 3, 8, 10, 16, 35, 36 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t j = 0; j < sizeof(bases) / sizeof(bases[0]); j++)
			show_strtol(texts[i], bases[j]);
	printf("%d %d %d\n", atoi("12x"), atoi(" -12"), atoi("x"));
	printf("%ld %ld\n", strtol("5", NULL, 10), strtol("-0x5", NULL, 0));
	for (int base = -1; base <= 37; base += base == 1 ? 36 : 2) {
		errno = 0;
		/* cppcheck-suppress invalidFunctionArg */
		printf("base %d: %ld", base, strtol("7", NULL, base));
		printf(", errno %d\n", errno);
	}
}

static void show_strings(void)
{
	char room[16] = "0123456789", *copy = strdup(word);

	printf("%s %d\n", copy, strcmp(copy, word));
	free(copy);
	printf("%d %s\n", strcpy(room, word) == room, room);
	printf("%s %s\n", room + 7, strchr(word, 'c'));
	printf("%s\n", getenv("SHOWN") ? getenv("SHOWN") : "not there");
	printf("%s\n", getenv("SHOW") ? getenv("SHOW") : "not there");
	printf("%s\n", getenv("") ? getenv("") : "not there");
}

static void show_output(void)
{
	static char wide[3000];

	printf("%d\n", puts("a line"));
	printf("\n%d\n", putchar('x'));
	printf("%d\n", putchar('\xff' + plus - 42));
	memset(wide, 'w', sizeof(wide) - 1);
	printf("%d\n", printf("%s %3000d\n", wide, plus));
	printf("%d\n", printf("%s", ""));
}

int main(void)
{
	show_numbers();
	show_texts();
	show_reading();
	show_strings();
	show_output();
	return 0;
}
