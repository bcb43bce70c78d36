/* SPDX-License-Identifier: MIT */
/* The few lines of TAP that host tests print; prove collects them. */
#ifndef TESTS_HOST_TAP_H
#define TESTS_HOST_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_number, tap_failures;

static inline bool tap_ok(bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++tap_number, name);
	tap_failures += !ok;
	return ok;
}

/* Prints the plan: at the end, so that a test that stops early has none. */
static inline int tap_end(void)
{
	printf("1..%d\n", tap_number);
	return tap_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* For what makes going on pointless. */
#define TAP_MUST(cond)                                                                             \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			printf("Bail out! %s:%d: %s\n", __FILE__, __LINE__, #cond);                \
			exit(EXIT_FAILURE);                                                        \
		}                                                                                  \
	} while (0)

#endif
