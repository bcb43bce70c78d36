/* SPDX-License-Identifier: MIT */
/* Page frames: the buddy allocator keeps its promises, and refuses wrong frees by name. */
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "tests/kernel/ktest.h"

#include <string.h>

#define MANY 200

KTEST(frames_of_every_order_are_naturally_aligned)
{
	for (unsigned int order = 0; order <= FRAME_MAX_ORDER; order++) {
		uint32_t first = frame_alloc(order, FRAME_OTHER);

		if (!first && order > 8)
			continue; /* a small machine has no such block */
		CHECK(first != FRAME_NONE);
		CHECK_EQ(first & ((1U << order) - 1), 0);
		CHECK_EQ(frame_free(first, order), FRAME_FREED);
	}
}

KTEST(frame_order_beyond_the_largest_is_refused)
{
	CHECK_EQ(frame_alloc(FRAME_MAX_ORDER + 1, FRAME_OTHER), FRAME_NONE);
	CHECK_EQ(frame_alloc(40, FRAME_OTHER), FRAME_NONE);
}

KTEST(frames_handed_out_at_the_same_time_are_distinct)
{
	static uint32_t firsts[MANY];
	static unsigned int orders[MANY];

	for (unsigned int i = 0; i < MANY; i++) {
		orders[i] = ktest_random() % 3;
		firsts[i] = frame_alloc(orders[i], FRAME_OTHER);
		CHECK(firsts[i] != FRAME_NONE);
	}
	for (unsigned int i = 0; i < MANY; i++)
		for (unsigned int j = 0; j < i; j++)
			CHECK(firsts[i] + (1U << orders[i]) <= firsts[j] ||
			      firsts[j] + (1U << orders[j]) <= firsts[i]);
	for (unsigned int i = 0; i < MANY; i++)
		CHECK_EQ(frame_free(firsts[i], orders[i]), FRAME_FREED);
}

KTEST(free_lists_after_everything_is_freed_are_those_of_before)
{
	static uint32_t firsts[MANY], before[FRAME_MAX_ORDER + 1];
	static unsigned int orders[MANY];

	for (unsigned int order = 0; order <= FRAME_MAX_ORDER; order++)
		before[order] = frame_free_blocks(order);
	for (unsigned int round = 0; round < 20 * MANY; round++) {
		unsigned int i = ktest_random() % MANY;

		if (firsts[i]) {
			CHECK_EQ(frame_free(firsts[i], orders[i]), FRAME_FREED);
			firsts[i] = FRAME_NONE;
		} else {
			orders[i] = ktest_random() % 5;
			firsts[i] = frame_alloc(orders[i], FRAME_OTHER);
		}
	}
	for (unsigned int i = 0; i < MANY; i++)
		if (firsts[i])
			CHECK_EQ(frame_free(firsts[i], orders[i]), FRAME_FREED);
	memset(firsts, 0, sizeof(firsts));
	for (unsigned int order = 0; order <= FRAME_MAX_ORDER; order++)
		CHECK_EQ(frame_free_blocks(order), before[order]);
}

KTEST(frame_counter_of_the_owner_moves_by_the_block)
{
	uint32_t before = frame_count(FRAME_OTHER), free = frame_count(FRAME_FREE);
	uint32_t first = frame_alloc(3, FRAME_OTHER);

	CHECK(first);
	CHECK_EQ(frame_count(FRAME_OTHER), before + 8);
	CHECK_EQ(frame_count_by_state(FRAME_OTHER), before + 8);
	CHECK_EQ(frame_count(FRAME_FREE), free - 8);
	CHECK_EQ(frame_count_by_lists(), free - 8);
	CHECK_EQ(frame_free(first, 3), FRAME_FREED);
	CHECK_EQ(frame_count(FRAME_OTHER), before);
}

KTEST(frame_freed_twice_is_refused)
{
	uint32_t first = frame_alloc(0, FRAME_OTHER);

	CHECK(first);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
	CHECK_EQ(frame_free(first, 0), FRAME_IS_FREE);
}

KTEST(frame_block_freed_in_part_or_at_the_wrong_order_is_refused)
{
	uint32_t first = frame_alloc(2, FRAME_OTHER);

	CHECK(first);
	CHECK_EQ(frame_free(first + 1, 0), FRAME_INSIDE);
	CHECK_EQ(frame_free(first + 2, 1), FRAME_INSIDE);
	CHECK_EQ(frame_free(first, 1), FRAME_WRONG_ORDER);
	CHECK_EQ(frame_free(first, FRAME_MAX_ORDER + 1), FRAME_WRONG_ORDER);
	CHECK_EQ(frame_free(first, 2), FRAME_FREED);
}

KTEST(frame_freed_at_an_order_it_is_not_aligned_to_is_refused)
{
	uint32_t frames[16], odd = FRAME_NONE;

	/* Halves of blocks come one after the other, so that not all of these are even. */
	for (unsigned int i = 0; i < 16; i++) {
		frames[i] = frame_alloc(0, FRAME_OTHER);
		CHECK(frames[i]);
		odd = frames[i] & 1 ? frames[i] : odd;
	}
	CHECK(odd);
	CHECK_EQ(frame_free(odd, 1), FRAME_UNALIGNED);
	for (unsigned int i = 0; i < 16; i++)
		CHECK_EQ(frame_free(frames[i], 0), FRAME_FREED);
}

KTEST(frame_that_is_reserved_or_does_not_exist_is_refused)
{
	CHECK_EQ(frame_free(0, 0), FRAME_OUTSIDE);
	CHECK_EQ(frame_free(frame_total(), 0), FRAME_OUTSIDE);
	CHECK_EQ(frame_free(UINT32_MAX, 0), FRAME_OUTSIDE);
	CHECK_EQ(frame_free(0xA0000 >> PAGE_SHIFT, 0), FRAME_IS_RESERVED);
	CHECK_EQ(frame_free(0x100000 >> PAGE_SHIFT, 0), FRAME_IS_RESERVED);
}

KTEST(low_frames_lie_in_the_direct_map)
{
	uint32_t first = frame_alloc_low(0, FRAME_OTHER);
	uint32_t *word = phys_to_virt(first << PAGE_SHIFT);

	CHECK(first && first < DIRECT_SIZE >> PAGE_SHIFT);
	*word = 0x12345678;
	CHECK_EQ(*word, 0x12345678);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
}

KTEST(the_nth_frame_request_is_refused_on_demand)
{
	uint32_t first, third;

	frame_fail_at(2);
	first = frame_alloc(0, FRAME_OTHER);
	CHECK(first && !frame_has_failed());
	CHECK_EQ(frame_alloc(0, FRAME_OTHER), FRAME_NONE);
	CHECK(frame_has_failed());
	third = frame_alloc(0, FRAME_OTHER);
	CHECK(third);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
	CHECK_EQ(frame_free(third, 0), FRAME_FREED);
}

/* All of them, and back. The list runs through the frames themselves, where that is possible. */
KTEST(frames_run_out_and_come_back)
{
	uint32_t last = FRAME_NONE, first, n = 0, had = 0;

	while ((first = frame_alloc_low(0, FRAME_OTHER))) {
		*(uint32_t *)phys_to_virt(first << PAGE_SHIFT) = last;
		last = first;
		n++;
	}
	CHECK(n > 0);
	while (last) {
		first = *(const uint32_t *)phys_to_virt(last << PAGE_SHIFT);
		had += frame_free(last, 0) == FRAME_FREED;
		last = first;
	}
	CHECK_EQ(had, n);
}
