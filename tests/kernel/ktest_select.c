/* SPDX-License-Identifier: MIT */
#include "tests/kernel/ktest_select.h"
#include "kernel/cmdline.h"
#include "kernel/dev/timer.h"
#include "kernel/panic.h"

#include <string.h>

/* Generous: the host may be busy, and ticks pass meanwhile. */
#define BUDGET_SECONDS 30

extern const struct ktest *const __ktest_start[], *const __ktest_end[];

uint32_t ktest_next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

size_t ktest_select(const struct ktest **chosen, size_t max, uint32_t seed)
{
	size_t all = ((uintptr_t)__ktest_end - (uintptr_t)__ktest_start) / sizeof(*__ktest_start);
	uint32_t state = seed | 1;
	size_t n = 0;

	for (size_t i = 0; i < all; i++) {
		if (!strstr(__ktest_start[i]->name, cmdline.only))
			continue;
		kassert(n < max);
		chosen[n++] = __ktest_start[i];
	}
	for (size_t i = n; i > 1; i--) {
		size_t j = ktest_next_random(&state) % i;
		const struct ktest *other = chosen[j];

		chosen[j] = chosen[i - 1];
		chosen[i - 1] = other;
	}
	return n;
}

uint32_t ktest_budget(void)
{
	return BUDGET_SECONDS * TIMER_HZ;
}
