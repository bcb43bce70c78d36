/* SPDX-License-Identifier: MIT */
/* The C library: strings, numbers, formats. */
#include "tests/kernel/ktest.h"

#include <alloca.h>
#include <limits.h>
#include <printf.h>
#include <stdlib.h>
#include <string.h>

static char text[64];

#define PRINTS(expected, ...)                                                                      \
	do {                                                                                       \
		CHECK_EQ(snprintf(text, sizeof(text), __VA_ARGS__), strlen(expected));             \
		CHECK(strcmp(text, expected) == 0);                                                \
	} while (0)

KTEST(printf_knows_its_conversions)
{
	PRINTS("plain", "plain");
	PRINTS("-5 7 4294967295", "%d %u %u", -5, 7U, UINT_MAX);
	PRINTS("-2147483648", "%d", INT_MIN);
	PRINTS("18446744073709551615", "%llu", ULLONG_MAX);
	PRINTS("-9223372036854775808", "%lld", LLONG_MIN);
	PRINTS("ff FF 0000beef", "%x %X %08x", 255U, 255U, 0xbeefU);
	PRINTS("0x00001000", "%p", (void *)0x1000);
	PRINTS("c|   hi|hi   |ab", "%c|%5s|%-5s|%.2s", 'c', "hi", "hi", "abcdef");
	PRINTS("%   42  007", "%% %*d  %03d", 4, 42, 7);
	PRINTS("ab", "%.*s", 2, "abc");
	PRINTS("abc|42   ", "%.*s|%*d", -1, "abc", -5, 42);
	/* cppcheck-suppress invalidPrintfArgType_uint */
	PRINTS("-1 ffff ff 255", "%hd %hx %hhx %hhu", (short)-1, (short)-1, (signed char)-1,
	       (signed char)-1);
}

KTEST(printf_cuts_what_does_not_fit_and_tells_the_whole_length)
{
	memset(text, 'x', sizeof(text));
	CHECK_EQ(snprintf(text, 4, "%s", "abcdef"), 6);
	CHECK(strcmp(text, "abc") == 0);
	CHECK_EQ(text[4], 'x');
	CHECK_EQ(snprintf(text, 0, "%s", "abcdef"), 6);
	CHECK_EQ(text[0], 'a');
}

KTEST(memmove_is_right_for_overlaps_in_both_directions)
{
	char bytes[] = "0123456789";

	memmove(bytes + 2, bytes, 5);
	CHECK(strcmp(bytes, "0101234789") == 0);
	memmove(bytes, bytes + 2, 5);
	CHECK(strcmp(bytes, "0123434789") == 0);
}

KTEST(strings_compare_search_and_copy_as_in_iso_c)
{
	const char *low = "abc", *high = "abd", *highest = "\xff";
	char to[4];

	CHECK(strcmp(low, high) < 0 && strcmp(high, low) > 0 && strcmp(highest, low) > 0);
	CHECK_EQ(strncmp(low, high, 2), 0);
	CHECK(memcmp(low, high, 3) < 0 && memcmp(low, high, 2) == 0);
	CHECK(strcmp(strstr("needle in hay", "in"), "in hay") == 0);
	CHECK(!strstr("short", "longer than it"));
	CHECK(strchr("abc", 'd') == NULL && *strchr("abc", 'b') == 'b' && !*strchr("abc", 0));
	CHECK(memchr("abc", 'b', 1) == NULL && *(char *)memchr("abc", 'b', 2) == 'b');
	CHECK_EQ(strcspn("word next", " "), 4);
	CHECK_EQ(strcspn("word", " "), 4);
	CHECK_EQ(strlcpy(to, "abcdef", sizeof(to)), 6);
	CHECK(strcmp(to, "abc") == 0);
	CHECK_EQ(strnlen("abc", 2), 2);
}

KTEST(strtoul_reads_every_base_and_stops_where_the_number_ends)
{
	char *end;

	CHECK_EQ(strtoul("1234", &end, 0), 1234);
	CHECK_EQ(*end, 0);
	CHECK_EQ(strtoul(" 0x1Fg", &end, 0), 0x1f);
	CHECK_EQ(*end, 'g');
	CHECK_EQ(strtoul("017", NULL, 0), 15);
	CHECK_EQ(strtoul("z", NULL, 36), 35);
	CHECK_EQ(strtoul("4294967295", NULL, 10), ULONG_MAX);
	CHECK_EQ(strtoul("4294967296", NULL, 10), ULONG_MAX);
	CHECK_EQ(strtoul("none", &end, 10), 0);
	CHECK_EQ(*end, 'n');
}

KTEST(alloca_takes_memory_from_the_stack)
{
	char *bytes = alloca(200);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	memset(bytes, 1, 200);
	CHECK((uintptr_t)bytes < here && (uintptr_t)bytes > here - 1024);
}
