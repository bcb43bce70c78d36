/* SPDX-License-Identifier: MIT */
/*
 * The test framework inside the kernel.
 *
 *	KTEST(frame_freed_twice_is_refused)
 *	{
 *		CHECK(...);
 *	}
 *
 * A test is a function named by what it establishes. It allocates, checks and
 * returns; a CHECK that does not hold ends it. The framework runs the tests in
 * an order shuffled with a printed seed, and after each asks heap and ledger
 * whether everything is consistent and as it was before.
 */
#ifndef TESTS_KERNEL_KTEST_H
#define TESTS_KERNEL_KTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ktest {
	const char *name;
	void (*run)(void);
};

/*
 * The pointers to all tests lie side by side in a section of their own. The
 * symbols ktest_case_* are counted on the host, so that a test that is
 * compiled in but does not run is noticed.
 */
#define KTEST(test)                                                                                \
	static void test(void);                                                                    \
	static const struct ktest ktest_case_##test = { #test, test };                             \
	static const struct ktest *const ktest_pointer_##test                                      \
		__attribute__((section(".ktest"), used)) = &ktest_case_##test;                     \
	static void test(void)

/* Ends the test as failed unless @cond holds. Only in functions that return void. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			ktest_fail(__FILE__, __LINE__, #cond);                                     \
			return;                                                                    \
		}                                                                                  \
	} while (0)

/* Ends the test as failed unless both are equal, and prints both. */
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		unsigned long check_a = (unsigned long)(a), check_b = (unsigned long)(b);          \
		if (check_a != check_b) {                                                          \
			ktest_fail_equal(__FILE__, __LINE__, #a " == " #b, check_a, check_b);      \
			return;                                                                    \
		}                                                                                  \
	} while (0)

void ktest_fail(const char *file, int line, const char *what);
void ktest_fail_equal(const char *file, int line, const char *what, unsigned long a,
		      unsigned long b);

/* Marks the running test as skipped; return right after it. The judge knows who may skip what. */
void ktest_skip(const char *reason);

/* Whether a CHECK of the running test has failed, for loops around functions with CHECKs. */
bool ktest_failed(void);

/* The next number from the printed seed; each test starts its own sequence. */
uint32_t ktest_random(void);

/* Runs what was asked for on the command line, and reports. Return: how many tests failed. */
unsigned int ktest_run(void);

#endif
