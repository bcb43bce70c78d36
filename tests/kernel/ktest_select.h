/* SPDX-License-Identifier: MIT */
/* Which tests run, in which order, and for how long one may. */
#ifndef TESTS_KERNEL_KTEST_SELECT_H
#define TESTS_KERNEL_KTEST_SELECT_H

#include "tests/kernel/ktest.h"

/* The next number of the sequence that @state is in. */
uint32_t ktest_next_random(uint32_t *state);

/**
 * ktest_select() - the tests to run
 * @chosen: receives those whose names contain what the command line asks for
 * @max: room in @chosen
 * @seed: for the order
 *
 * Return: how many.
 */
size_t ktest_select(const struct ktest **chosen, size_t max, uint32_t seed);

/* Timer ticks after which a test hangs. */
uint32_t ktest_budget(void);

#endif
