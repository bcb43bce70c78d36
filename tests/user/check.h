/* SPDX-License-Identifier: MIT */
/*
 * Checks of a program about itself. What does not hold is printed with its
 * line; at the end there is one result for all, which prove understands, and
 * the program's status. The same source is also compiled with another C
 * library, and then has to find the same: so the checks are counted.
 */
#ifndef TESTS_USER_CHECK_H
#define TESTS_USER_CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static unsigned int checks, checks_failed;

static inline void check(bool holds, const char *what, int line)
{
	checks++;
	if (holds)
		return;
	checks_failed++;
	dprintf(STDOUT_FILENO, "# line %d does not hold: %s\n", line, what);
}

#define CHECK(condition) check((condition), #condition, __LINE__)

/* That a call fails, by what it returns and with what it leaves in errno. */
#define CHECK_FAILS(call, failed, error)                                                           \
	do {                                                                                       \
		errno = 0;                                                                         \
		check((call) == (failed), #call " fails", __LINE__);                               \
		check(errno == (error), #call ": " #error, __LINE__);                              \
	} while (0)

/* Return: what main() should. */
static inline int check_result(const char *about)
{
	dprintf(STDOUT_FILENO, "%sok 1 - %s, %u checks\n", checks_failed ? "not " : "", about,
		checks);
	return checks_failed ? 1 : 0;
}

static inline void check_plan(void)
{
	dprintf(STDOUT_FILENO, "1..1\n");
}

#endif
