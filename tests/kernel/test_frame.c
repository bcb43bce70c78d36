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

		if (!first && order > 7)
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

/* Such an order must not be taken for its low bits. */
KTEST(frame_freed_at_an_order_that_there_is_not_is_refused)
{
	static const unsigned int orders[] = { FRAME_MAX_ORDER + 1, 15, 16, 32, 256, UINT32_MAX };
	uint32_t first = frame_alloc(0, FRAME_OTHER);

	CHECK(first);
	for (unsigned int i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		CHECK_EQ(frame_free(first, orders[i]), FRAME_WRONG_ORDER);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
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

KTEST(frames_below_a_limit_end_there_and_no_limit_means_any)
{
	static const uint32_t limits[] = { FRAME_DMA_LIMIT, FRAME_LOW_LIMIT, FRAME_NO_LIMIT };

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t first = frame_alloc_below(2, FRAME_OTHER, limits[i]);

		CHECK(first && first + 4 <= limits[i]);
		CHECK_EQ(frame_free(first, 2), FRAME_FREED);
	}
	CHECK_EQ(frame_alloc_below(0, FRAME_OTHER, FRAME_DMA_LIMIT - 1), FRAME_NONE);
}

/* With more RAM than a zone has, frames come from the zone that fewest can use. */
KTEST(frames_of_the_highest_zone_are_taken_first)
{
	uint32_t first = frame_alloc(0, FRAME_OTHER);

	CHECK(first);
	CHECK(frame_total() < FRAME_LOW_LIMIT + 0x400 || first >= FRAME_LOW_LIMIT);
	CHECK(frame_total() < FRAME_DMA_LIMIT + 0x400 || first >= FRAME_DMA_LIMIT);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
}

struct block {
	uint32_t first;
	unsigned int order;
};

/* Whether a block lies apart from all that are in use, where and how it must. */
static bool is_new(const struct block *blocks, const struct block *block, uint32_t limit)
{
	uint32_t size = 1U << block->order;

	for (const struct block *other = blocks; other < blocks + MANY; other++)
		if (other != block && other->first && other->first < block->first + size &&
		    block->first < other->first + (1U << other->order))
			return false;
	return block->first % size == 0 && block->first + size <= limit;
}

/* Wrong frees of a block in use, each refused for its own reason. */
static bool refuses_wrong_frees(const struct block *block)
{
	uint32_t inside = block->first + (1U << block->order) - 1;

	if (frame_free(block->first, block->order + 1) !=
	    (block->first >> block->order & 1 ? FRAME_UNALIGNED : FRAME_WRONG_ORDER))
		return false;
	return block->order == 0 || frame_free(inside, 0) == FRAME_INSIDE;
}

KTEST(random_frame_operations_agree_with_a_model)
{
	static struct block blocks[MANY];
	static const uint32_t limits[] = { FRAME_DMA_LIMIT, FRAME_LOW_LIMIT, FRAME_NO_LIMIT };
	uint32_t free = frame_count(FRAME_FREE), used = 0;

	memset(blocks, 0, sizeof(blocks));
	for (unsigned int round = 0; round < 4000; round++) {
		struct block *block = &blocks[ktest_random() % MANY];

		if (block->first) {
			CHECK(refuses_wrong_frees(block));
			CHECK_EQ(frame_free(block->first, block->order), FRAME_FREED);
			CHECK_EQ(frame_free(block->first, block->order), FRAME_IS_FREE);
			used -= 1U << block->order;
			block->first = FRAME_NONE;
		} else {
			uint32_t limit = limits[ktest_random() % 3];

			block->order = ktest_random() % 4;
			block->first = frame_alloc_below(block->order, FRAME_OTHER, limit);
			CHECK(!block->first || is_new(blocks, block, limit));
			used += block->first ? 1U << block->order : 0;
		}
		CHECK_EQ(frame_count(FRAME_FREE), free - used);
	}
	CHECK_EQ(frame_count_by_lists(), free - used);
	for (unsigned int i = 0; i < MANY; i++)
		if (blocks[i].first)
			CHECK_EQ(frame_free(blocks[i].first, blocks[i].order), FRAME_FREED);
}

KTEST(the_nth_frame_request_is_refused_on_demand)
{
	uint32_t first, third;

	frame_fail_at(2, 1);
	first = frame_alloc(0, FRAME_OTHER);
	CHECK(first && !frame_has_failed());
	CHECK_EQ(frame_alloc(0, FRAME_OTHER), FRAME_NONE);
	CHECK(frame_has_failed());
	third = frame_alloc(0, FRAME_OTHER);
	CHECK(third);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
	CHECK_EQ(frame_free(third, 0), FRAME_FREED);
}

KTEST(several_frame_requests_in_a_row_are_refused_on_demand)
{
	uint32_t first;

	frame_fail_at(1, 3);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(frame_alloc(0, FRAME_OTHER), FRAME_NONE);
	first = frame_alloc(0, FRAME_OTHER);
	CHECK(first);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
	frame_fail_at(1, 1);
	CHECK(!frame_has_failed());
	frame_fail_at(0, 0);
	first = frame_alloc(0, FRAME_OTHER);
	CHECK(first);
	CHECK_EQ(frame_free(first, 0), FRAME_FREED);
}

KTEST(frame_states_take_8_bytes_for_each_frame)
{
	CHECK_EQ(frame_count(FRAME_STATE), (frame_total() * 8 + PAGE_MASK) / PAGE_SIZE);
}

KTEST(every_owner_and_every_refusal_has_a_name_of_its_own)
{
	for (unsigned int i = 0; i < FRAME_OWNERS; i++)
		for (unsigned int j = 0; j < i; j++)
			CHECK(strcmp(frame_owner_name(i), frame_owner_name(j)) != 0);
	for (unsigned int i = 0; i <= FRAME_UNALIGNED; i++)
		for (unsigned int j = 0; j < i; j++)
			CHECK(strcmp(frame_refusal_name(i), frame_refusal_name(j)) != 0);
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
