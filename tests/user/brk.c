/* SPDX-License-Identifier: MIT */
/*
 * brk() and sbrk(), by the cases that have gone wrong in other systems.
 *
 *	brk [exact]
 *
 * With "exact", bytes that were given up are zero even in a page that stayed, as
 * they are on this kernel; Linux promises it of whole pages. There data has to be
 * limited (ulimit -d), or a break may be where this kernel is.
 */
#include "tests/user/check.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE	((size_t)4096)
#define HUGE	((size_t)32 << 20)
#define REFUSED ((void *)-1)

/* glibc says 0 and an address for what lies below the start, and does not move the break either. */
#ifdef __GLIBC__
#define CHECK_REFUSED(call, failed) ((void)(call), checks += 2)
#else
#define CHECK_REFUSED(call, failed) CHECK_FAILS(call, failed, ENOMEM)
#endif

static char *page_up(const void *at)
{
	return (char *)(((uintptr_t)at + PAGE - 1) & ~(PAGE - 1));
}

static bool all(const char *bytes, char value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static void one_byte_5000_times(void)
{
	char *start = sbrk(0), *at;
	int moved = 0, kept = 0;

	for (int i = 0; i < 5000; i++) {
		at = sbrk(1);
		moved += at == start + i;
		*at = (char)(i % 127);
	}
	for (int i = 0; i < 5000; i++)
		kept += start[i] == i % 127;
	CHECK(moved == 5000 && kept == 5000);
	CHECK(sbrk(0) == start + 5000);
	for (int i = 5000; i-- > 0;)
		moved -= sbrk(-1) == start + i + 1;
	CHECK(moved == 0 && sbrk(0) == start);
}

static void huge_and_back(void)
{
	char *start = sbrk(0);

	CHECK(sbrk(HUGE) == start);
	CHECK(start[0] == 0 && start[HUGE / 2] == 0 && start[HUGE - 1] == 0);
	start[0] = start[HUGE / 2] = start[HUGE - 1] = 1;
	CHECK(sbrk(-(intptr_t)HUGE) == start + HUGE);
	CHECK(sbrk(0) == start);
	CHECK(sbrk(HUGE) == start);
	CHECK(start[HUGE / 2] == 0 && start[HUGE - 1] == 0);
	CHECK(brk(start) == 0 && sbrk(0) == start);
}

/* An increment may have its sign bit set and be meant to: as a number of bytes it is none. */
static void sign_bits(void)
{
	static const intptr_t never[] = { INTPTR_MIN, INTPTR_MIN + 1, INTPTR_MIN + 4,
					  INTPTR_MIN + 4096 };
	char *start = sbrk(PAGE), *end = start + PAGE;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		CHECK_FAILS(sbrk(never[i]), REFUSED, ENOMEM);
	CHECK(sbrk(0) == end);
	end[-1] = 5;
	CHECK(end[-1] == 5);
	/* All of it or nothing: whether there is so much is the machine's affair. */
	CHECK(sbrk(INTPTR_MAX) == (sbrk(0) == end ? REFUSED : end));
	CHECK(brk(end) == 0 && brk(start) == 0);
}

static void across_pages(bool exact)
{
	char *start = sbrk(0), *page = page_up(start) + PAGE, *second = page + PAGE;

	CHECK(brk(page - 1) == 0 && brk(page) == 0);
	page[-1] = 1;
	CHECK(brk(page + 1) == 0 && page[-1] == 1 && page[0] == 0);
	page[0] = 2;
	CHECK(brk(second + 2) == 0);
	CHECK(page[0] == 2 && all(page + 1, 0, PAGE + 1));
	memset(page, 3, PAGE + 2);
	CHECK(brk(second) == 0 && brk(second + PAGE) == 0);
	CHECK(all(page, 3, PAGE) && all(second, 0, PAGE));
	CHECK(brk(page + 10) == 0 && brk(second + 1) == 0);
	CHECK(all(page, 3, 10) && second[0] == 0);
	CHECK(!exact || all(page + 10, 0, PAGE - 10));
	CHECK(brk(start) == 0 && sbrk(0) == start);
}

static void below_the_start(void)
{
	char *start = sbrk(0);

	CHECK_REFUSED(brk(start - 1), -1);
	CHECK_REFUSED(brk(page_up(start) - 16 * PAGE), -1);
	CHECK_REFUSED(brk((void *)PAGE), -1);
	CHECK_REFUSED(brk((void *)1), -1);
	CHECK_REFUSED(brk(NULL), -1);
	CHECK_REFUSED(sbrk(-1), REFUSED);
	CHECK_REFUSED(sbrk(-(intptr_t)(uintptr_t)start), REFUSED);
	CHECK_FAILS(sbrk(-(intptr_t)(uintptr_t)start - 1), REFUSED, ENOMEM);
	CHECK(sbrk(0) == start);
}

static void kernel_addresses(void)
{
	static const uintptr_t never[] = { 0xC0000000, 0xC0000001, 0xC0100000, 0xD0000000,
					   0xFFFFE000, 0xFFFFF000, 0xFFFFFFFF };
	char *start = sbrk(0);

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		CHECK_FAILS(brk((void *)never[i]), -1, ENOMEM);
		CHECK(sbrk(0) == start);
		CHECK_FAILS(sbrk((intptr_t)(never[i] - (uintptr_t)start)), REFUSED, ENOMEM);
	}
	CHECK(sbrk(0) == start);
}

/* With the break in the middle of a page, that page is a program's to its end. */
static void the_last_page_stays_usable(void)
{
	static const char plan[] = "1..1\n";
	char *start = sbrk(0), *page = page_up(start) + PAGE, *last = page + PAGE - sizeof(plan);

	CHECK(brk(page + PAGE + 10) == 0);
	CHECK(brk(page + PAGE - 10) == 0);
	strcpy(last, plan);
	CHECK(write(STDOUT_FILENO, last, strlen(plan)) == (ssize_t)strlen(plan));
	CHECK(brk(start) == 0);
}

static void returned_memory_is_refused_as_a_buffer(void)
{
	char *start = sbrk(0), *page = page_up(start) + PAGE;

	CHECK(brk(page + 2 * PAGE) == 0);
	memset(page, '#', 2 * PAGE);
	CHECK(brk(page) == 0);
	CHECK_FAILS(write(STDOUT_FILENO, page, 1), -1, EFAULT);
	CHECK_FAILS(write(STDOUT_FILENO, page + PAGE, PAGE), -1, EFAULT);
	CHECK_FAILS(write(STDOUT_FILENO, page + 1, PAGE), -1, EFAULT);
	CHECK(brk(start) == 0);
}

static void a_success_says_nothing_in_errno(void)
{
	char *start;

	errno = 0;
	start = sbrk(0);
	CHECK(sbrk(100) == start && brk(start + 50) == 0 && sbrk(-50) == start + 50);
	CHECK(sbrk(0) == start && errno == 0);
}

int main(int argc, char **argv)
{
	bool exact = argc > 1 && strcmp(argv[1], "exact") == 0;

	the_last_page_stays_usable(); /* which prints the plan */
	one_byte_5000_times();
	huge_and_back();
	sign_bits();
	across_pages(exact);
	below_the_start();
	kernel_addresses();
	returned_memory_is_refused_as_a_buffer();
	a_success_says_nothing_in_errno();
	return check_result("brk() and sbrk()");
}
