/* SPDX-License-Identifier: MIT */
/*
 * The heap over real pages. tests/host/ has the heap's contract in full; here
 * it stands on a break of its own, so that what is damaged is thrown away, and
 * what touches memory beyond the break faults.
 */
#include "kernel/mm/frame.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/scratch.h"

#include <string.h>

#define BLOCKS 64

static struct heap *const heap = &scratch_heap;

KTEST(length_header_lies_one_word_before_the_block)
{
	scratch_open();
	for (size_t size = 0; size < 300; size++) {
		char *ptr = heap_malloc(heap, size);

		CHECK(ptr && (uintptr_t)ptr % HEAP_ALIGN == 0);
		CHECK((*scratch_header(ptr) & ~(size_t)7) >= size + sizeof(size_t));
		CHECK((*scratch_header(ptr) & ~(size_t)7) <=
		      size + sizeof(size_t) + HEAP_MIN_BLOCK);
		heap_free(heap, ptr);
	}
	CHECK_EQ(scratch_faults, 0);
	scratch_throw_away();
}

KTEST(links_of_a_free_block_lie_at_its_pointer)
{
	void **first, **second;

	scratch_open();
	first = heap_malloc(heap, 64);
	CHECK(first && heap_malloc(heap, 8));
	second = heap_malloc(heap, 64);
	CHECK(second && heap_malloc(heap, 8));
	scratch_release_to_bin(first);
	scratch_release_to_bin(second);
	CHECK(second[0] == first); /* next: a block */
	CHECK(first[0] == NULL);
	CHECK(first[1] == &second[0]); /* prev: what leads here */
	CHECK((char *)second[1] >= (char *)heap->bins);
	CHECK((char *)second[1] < (char *)(heap->bins + HEAP_BINS));
	CHECK(*(void **)second[1] == second);
	scratch_throw_away();
}

/* In each order, each block merged with those beside it that are free. */
static void check_merging(size_t size, void (*release)(void *))
{
	const size_t words = (size + HEAP_WORD) / HEAP_WORD;
	char *blocks[4];

	scratch_open();
	for (unsigned int i = 0; i < 4; i++)
		CHECK((blocks[i] = heap_malloc(heap, size)));
	release(blocks[0]);
	release(blocks[2]);
	CHECK(scratch_is(words == 26 ? "[ f26 u26 f26 u26 t ]" : "[ f152 u152 f152 u152 t ]"));
	release(blocks[1]);
	CHECK(scratch_is(words == 26 ? "[ f78 u26 t ]" : "[ f456 u152 t ]"));
	release(blocks[3]);
	CHECK(scratch_is("[ t ]"));
	scratch_throw_away();
}

static void just_free(void *ptr)
{
	heap_free(heap, ptr);
}

KTEST(free_neighbours_merge_into_one_block)
{
	check_merging(100, scratch_release);
	check_merging(100, scratch_release_to_bin);
	check_merging(600, just_free);
}

/* Quick lists */

KTEST(small_blocks_wait_beside_each_other_and_are_given_again_last_first)
{
	char *blocks[3];

	scratch_open();
	for (unsigned int i = 0; i < 3; i++)
		CHECK((blocks[i] = heap_malloc(heap, 100)));
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(heap_free(heap, blocks[i]), 26 * HEAP_WORD);
	CHECK(scratch_is("[ c26 c26 c26 t ]"));
	for (unsigned int i = 3; i > 0; i--)
		CHECK(heap_malloc(heap, 97) == blocks[i - 1]);
	CHECK(scratch_is("[ u26 u26 u26 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(blocks_that_are_not_small_do_not_wait)
{
	char *small, *large;

	scratch_open();
	small = heap_malloc(heap, HEAP_MAX_SMALL - HEAP_WORD);
	large = heap_malloc(heap, HEAP_MAX_SMALL);
	CHECK(small && large && heap_malloc(heap, 1));
	heap_free(heap, small);
	heap_free(heap, large);
	CHECK(scratch_is("[ c130 f132 u4 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* What finds no room is merged at once, with nothing that waits. */
KTEST(quick_lists_have_room_as_the_heap_allows)
{
	static char *blocks[HEAP_QUICK_MOST + 3];

	for (size_t size = HEAP_MIN_BLOCK; size <= HEAP_MAX_SMALL; size += HEAP_ALIGN) {
		struct heap_stats stats;
		size_t most;

		scratch_open();
		for (size_t i = 0; i < HEAP_QUICK_MOST + 3; i++)
			CHECK((blocks[i] = heap_malloc(heap, size - HEAP_WORD)));
		most = heap->quick_limit / size;
		if (most > HEAP_QUICK_MOST)
			most = HEAP_QUICK_MOST;
		if (most > HEAP_QUICK_BYTES / size)
			most = HEAP_QUICK_BYTES / size;
		for (size_t i = 0; i < HEAP_QUICK_MOST + 2; i++)
			CHECK_EQ(heap_free(heap, blocks[i]), size);
		heap_stats(heap, &stats);
		CHECK(heap_check(heap, NULL));
		CHECK_EQ(stats.cached_blocks, most);
		CHECK_EQ(stats.cached, most * size);
		CHECK_EQ(heap_count_cached(heap), most * size);
		CHECK_EQ(stats.binned_blocks, 1);
		CHECK_EQ(stats.binned, (HEAP_QUICK_MOST + 2 - most) * size);
		CHECK_EQ(heap_count_bins(heap), stats.binned);
		CHECK(scratch_comes_to_nothing());
	}
}

KTEST(trim_that_keeps_all_merges_what_waits)
{
	void *blocks[32], *wall;
	uintptr_t end;

	scratch_open();
	for (size_t i = 0; i < 32; i++)
		CHECK((blocks[i] = heap_malloc(heap, 12 + 8 * i)));
	wall = heap_malloc(heap, 1000);
	CHECK(wall);
	for (size_t i = 0; i < 32; i++)
		heap_free(heap, blocks[i]);
	CHECK(heap_count_cached(heap) > HEAP_QUICK_LEAST);
	end = scratch_brk.end;
	CHECK_EQ(heap_trim(heap, SIZE_MAX), 0);
	CHECK_EQ(heap_count_cached(heap), 0);
	CHECK_EQ(scratch_brk.end, end);
	CHECK(scratch_is("[ f* u252 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/*
 * A page is full. Nine blocks side by side wait, each in a list of its own: there
 * is no room for more in so short a heap. Merged they are as much as is asked for.
 */
KTEST(null_comes_only_after_all_that_waits_has_been_merged)
{
	static char *blocks[200], *waits[9];
	size_t n = 0;

	scratch_open_pages(1);
	for (size_t i = 0; i < 9; i++)
		CHECK((waits[i] = scratch_block(4 + 2 * i)));
	while ((blocks[n] = heap_malloc(heap, 36)))
		n++;
	for (size_t i = 0; i < 9; i++)
		heap_free(heap, waits[i]);
	CHECK_EQ(heap_count_cached(heap), 432);
	CHECK(heap_malloc(heap, 432 - HEAP_WORD) == waits[0]);
	CHECK_EQ(heap_count_cached(heap), 0);
	heap_free(heap, blocks[40]);
	heap_free(heap, blocks[41]);
	heap_free(heap, blocks[50]);
	CHECK(!heap_malloc(heap, 80));
	CHECK_EQ(heap_count_cached(heap), 0);
	CHECK_EQ(heap_count_bins(heap), 120);
	CHECK(heap_malloc(heap, 50) == blocks[40]); /* small ones too */
	CHECK(scratch_comes_to_nothing());
}

KTEST(small_request_too_comes_to_null_only_after_merging)
{
	static char *blocks[200];
	size_t n = 0;

	scratch_open_pages(1);
	while ((blocks[n] = heap_malloc(heap, 36)))
		n++;
	heap_free(heap, blocks[40]);
	heap_free(heap, blocks[41]);
	CHECK(heap_malloc(heap, 76) == blocks[40]);
	CHECK(!heap_malloc(heap, 76));
	CHECK(scratch_comes_to_nothing());
}

/* While the heap grows, what waits is freed, though no call frees more than one. */
KTEST(growing_heap_frees_what_waits_one_at_a_time)
{
	size_t cached, calls = 0;

	scratch_open();
	for (size_t size = 12; size <= 260; size += 8) {
		char *ptr[4];

		for (unsigned int i = 0; i < 4; i++)
			CHECK((ptr[i] = heap_malloc(heap, size)));
		heap_free(heap, ptr[0]);
		heap_free(heap, ptr[2]);
	}
	for (cached = heap_count_cached(heap); cached > 0 && calls < 1000; calls++) {
		struct heap_stats before, after;

		heap_stats(heap, &before);
		CHECK(heap_malloc(heap, 300 + calls % 8 * 8));
		heap_stats(heap, &after);
		CHECK(before.cached_blocks - after.cached_blocks <= 1);
		CHECK(heap_check(heap, NULL));
		cached = after.cached;
	}
	CHECK_EQ(cached, 0);
	CHECK(scratch_comes_to_nothing());
}

static size_t class_of(size_t size)
{
	return (size - HEAP_MIN_BLOCK) / HEAP_ALIGN;
}

/* The next round begins here, and is due. */
static void start_round(size_t size)
{
	heap->drain_class = class_of(size);
	heap->drain_at = 0;
}

static size_t room(size_t size)
{
	const struct heap_quick *quick = &heap->quick[class_of(size)];

	return (quick->end - (uintptr_t)&quick->block[1]) / HEAP_WORD;
}

/* Rounds take it back as they come by. Blocks of 128 and of 144 bytes have used up most of what
 * there may be; nothing of that waits. */
KTEST(quick_lists_lose_the_room_that_a_shorter_heap_has_not)
{
	static char *blocks[HEAP_QUICK_MOST], *others[5];
	size_t had = HEAP_QUICK_MOST, of_others = 3 * 128 + 2 * 144;
	char *large;

	scratch_open();
	for (size_t i = 0; i < HEAP_QUICK_MOST; i++)
		CHECK((blocks[i] = scratch_block(6)) && scratch_block(4));
	for (size_t i = 0; i < 5; i++)
		CHECK((others[i] = scratch_block(i < 3 ? 32 : 36)));
	for (size_t i = 0; i < 5; i++)
		heap_free(heap, others[i]);
	for (size_t i = 0; i < 5; i++)
		CHECK(scratch_block(i < 3 ? 32 : 36));
	CHECK_EQ(heap->quick_room, of_others);
	large = heap_malloc(heap, 300000);
	CHECK(large && heap->quick_limit >= of_others + HEAP_QUICK_MOST * 24);
	for (size_t i = 0; i < HEAP_QUICK_MOST; i++)
		heap_free(heap, blocks[i]);
	CHECK_EQ(room(24), HEAP_QUICK_MOST);
	CHECK_EQ(heap->quick_room, of_others + HEAP_QUICK_MOST * 24);
	heap_free(heap, large);
	CHECK(heap->quick_limit < heap->quick_room);
	CHECK_EQ(heap->quick_limit, HEAP_QUICK_LEAST + heap->given / HEAP_QUICK_PART);
	while (heap->quick_room > heap->quick_limit) {
		start_round(24);
		CHECK(scratch_block(130)); /* more than is merged */
		CHECK_EQ(room(24), had);
		start_round(24);
		CHECK(scratch_block(130));
		CHECK_EQ(room(24), --had);
		CHECK_EQ(heap->quick_room, of_others + had * 24);
	}
	CHECK(had > 1 && had < HEAP_QUICK_MOST);
	start_round(24);
	CHECK(scratch_block(130));
	CHECK_EQ(room(24), had);
	scratch_merge();
	CHECK_EQ(room(24), 0);
	CHECK_EQ(room(128), 0);
	CHECK_EQ(heap->quick_room, 0);
	CHECK(scratch_comes_to_nothing());
}

/* Whoever may take long by itself does not merge another's block as well. */
KTEST(large_request_from_the_top_merges_nothing_that_waits)
{
	char *waits;

	scratch_open();
	waits = scratch_block(10);
	CHECK(waits && scratch_block(4));
	heap_free(heap, waits);
	start_round(40);
	CHECK(scratch_block(150));
	CHECK(heap_memalign(heap, 64, 2000));
	CHECK_EQ(heap_count_cached(heap), 40);
	CHECK(heap->drain_class == 3 && heap->drain_at == 0);
	CHECK(scratch_block(130));
	CHECK_EQ(heap_count_cached(heap), 0);
	CHECK_EQ(heap->drain_class, 4);
	CHECK(scratch_comes_to_nothing());
}

/* To merge it would take long; a call that takes from the top does not. */
KTEST(block_that_waits_beside_a_free_one_is_left_to_wait)
{
	char *first, *waits;

	scratch_open();
	first = scratch_block(12);
	waits = scratch_block(10);
	CHECK(first && waits && scratch_block(4));
	heap_free(heap, waits);
	heap->quick_limit = 0; /* no room for another */
	heap_free(heap, first);
	start_round(40);
	CHECK(scratch_block(100) && heap->drain_class == 4);
	CHECK(scratch_is("[ f12 c10 u4 u100 t ]"));
	CHECK(scratch_block(12) == first);
	start_round(40);
	CHECK(scratch_block(100));
	CHECK(scratch_is("[ u12 f10 u4 u100 u100 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Allocates beside the last block if from the top: no large one leaves a gap for small ones. */
static char *beside(size_t size)
{
	heap->large_end = 0;
	return heap_malloc(heap, size);
}

/* What is left of a block that was split is carved up before another one is split. */
KTEST(small_requests_in_a_row_lie_side_by_side)
{
	char *large[2], *small[3];

	scratch_open();
	for (unsigned int i = 0; i < 2; i++) {
		CHECK((large[i] = beside(800)));
		CHECK(heap_malloc(heap, 1));
	}
	heap_free(heap, large[0]);
	heap_free(heap, large[1]);
	for (unsigned int i = 0; i < 3; i++)
		CHECK((small[i] = heap_malloc(heap, 36 + i * 8)));
	CHECK(small[1] == small[0] + 40 && small[2] == small[1] + 48);
	CHECK_EQ(heap_count_bins(heap), 2 * 808 - 40 - 48 - 56);
	heap_free(heap, small[1]);
	scratch_release(small[2]);
	CHECK_EQ(heap_count_bins(heap), 2 * 808 - 40);
	CHECK(heap_check(heap, NULL));
	CHECK(scratch_comes_to_nothing());
}

/* Up to a length: a longer one is for those who ask for more. */
KTEST(block_freed_last_is_carved_up_and_the_one_before_it_is_found_in_its_bin)
{
	char *first, *second, *third;

	scratch_open();
	first = scratch_block(40);
	CHECK(first && scratch_block(4));
	second = beside(HEAP_REMAINDER_MOST - HEAP_WORD);
	CHECK(second && scratch_block(4));
	third = beside(HEAP_REMAINDER_MOST);
	CHECK(third && scratch_block(4));
	scratch_release(first);
	CHECK(heap->remainder == (void *)first && heap->remainder_size == 160);
	CHECK_EQ(heap->summary, 0);
	heap_free(heap, third);
	CHECK(heap->remainder == (void *)first);
	heap_free(heap, second);
	CHECK(heap->remainder == (void *)second);
	CHECK_EQ(heap->remainder_size, HEAP_REMAINDER_MOST);
	CHECK(scratch_is("[ f40 u4 f134 u4 f136 u4 t ]"));
	CHECK(scratch_block(40) == first);
	CHECK(scratch_block(40) == second && scratch_block(30) == second + 160);
	CHECK(scratch_is("[ u40 u4 u40 u30 f64 u4 f136 u4 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Small ones from the top between them lie in gaps, and not each beside another large one. */
KTEST(large_blocks_freed_among_small_ones_make_room_for_larger_ones)
{
	char *large[64];
	uintptr_t end;

	scratch_open();
	for (unsigned int i = 0; i < 64; i++)
		CHECK(scratch_block(8) && (large[i] = heap_malloc(heap, 2000)));
	for (unsigned int i = 0; i < 64; i++)
		heap_free(heap, large[i]);
	CHECK(heap_check(heap, NULL));
	end = scratch_brk.end;
	for (unsigned int i = 0; i < 16; i++)
		CHECK(heap_malloc(heap, 5000));
	CHECK_EQ(scratch_brk.end, end);
	CHECK(scratch_comes_to_nothing());
}

/* All of the heap */

KTEST(break_is_lowered_when_the_top_becomes_free)
{
	char *ptr;

	scratch_open();
	ptr = heap_malloc(heap, 200 * 1024);
	CHECK(ptr && scratch_brk.end > SCRATCH_BASE + 200 * 1024);
	heap_free(heap, ptr);
	CHECK(scratch_brk.end < SCRATCH_BASE + 128 * 1024);
	CHECK(heap_trim(heap, 0) > 0);
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
}

KTEST(heap_takes_and_gives_without_moving_the_break_each_time)
{
	uintptr_t end;

	scratch_open();
	CHECK(heap_malloc(heap, 1));
	end = scratch_brk.end;
	for (unsigned int i = 0; i < 100; i++) {
		void *ptr = heap_malloc(heap, PAGE_SIZE);

		CHECK(ptr);
		heap_free(heap, ptr);
		CHECK_EQ(scratch_brk.end, end);
	}
	scratch_throw_away();
}

KTEST(heap_returns_null_when_its_region_is_full_and_nothing_is_lost)
{
	struct heap_stats before, after;
	void *ptr, *last = NULL;

	scratch_open();
	while ((ptr = heap_malloc(heap, 1000))) {
		*(void **)ptr = last;
		last = ptr;
	}
	CHECK_EQ(scratch_brk.end, SCRATCH_LIMIT - PAGE_SIZE);
	heap_stats(heap, &before);
	CHECK(!heap_malloc(heap, 1000));
	CHECK(!heap_realloc(heap, last, 5000));
	heap_stats(heap, &after);
	CHECK(memcmp(&before, &after, sizeof(before)) == 0);
	for (; last; last = ptr) {
		ptr = *(void **)last;
		heap_free(heap, last);
	}
	heap_trim(heap, 0);
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
}

/* Each time the n-th frame is refused, until none is; the heap is whole after each. */
KTEST(heap_survives_a_refusal_of_any_frame)
{
	uint32_t free = frame_count(FRAME_FREE), n = 0;
	bool refused = true;

	for (n = 1; refused; n++) {
		char *small, *large;

		scratch_open();
		frame_fail_at(n, 1);
		small = heap_malloc(heap, 10);
		large = heap_malloc(heap, 90000);
		refused = frame_has_failed();
		frame_fail_at(0, 0);
		CHECK(heap_check(heap, NULL));
		heap_free(heap, small);
		heap_free(heap, large);
		heap_trim(heap, 0);
		CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
		CHECK_EQ(frame_count(FRAME_FREE), free);
	}
	CHECK(n > 20);
}

KTEST(block_freed_twice_is_reported_and_left_alone)
{
	char *ptr, *other;

	scratch_open();
	ptr = heap_malloc(heap, 40);
	other = heap_malloc(heap, 40);
	CHECK(ptr && other);
	heap_free(heap, ptr);
	CHECK(scratch_is("[ c12 u12 t ]"));
	CHECK_EQ(heap_free(heap, ptr), 0);
	CHECK(scratch_caught(HEAP_FAULT_NOT_USED, scratch_header(ptr)));
	CHECK(scratch_is("[ c12 u12 t ]"));
	scratch_merge();
	CHECK(scratch_is("[ f12 u12 t ]"));
	CHECK_EQ(heap_free(heap, ptr), 0);
	CHECK(scratch_caught(HEAP_FAULT_NOT_USED, scratch_header(ptr)));
	CHECK(scratch_is("[ f12 u12 t ]"));
	scratch_throw_away();
}

KTEST(pointer_from_elsewhere_is_reported)
{
	static char elsewhere[64] __attribute__((aligned(8)));
	char *ptr;

	scratch_open();
	ptr = heap_malloc(heap, 40);
	CHECK(ptr);
	heap_free(heap, elsewhere + 8);
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_RANGE);
	heap_free(heap, ptr + 1);
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_ALIGNMENT);
	CHECK_EQ(scratch_faults, 2);
	heap_free(heap, ptr);
	CHECK_EQ(scratch_faults, 2);
	scratch_throw_away();
}

KTEST(header_overwritten_from_the_block_before_is_reported)
{
	char *ptr, *victim;

	scratch_open();
	ptr = heap_malloc(heap, 44);
	victim = heap_malloc(heap, 40);
	CHECK(ptr && victim && heap_malloc(heap, 40));
	memset(ptr, 0, 44);
	heap_free(heap, ptr);
	CHECK_EQ(scratch_faults, 0);
	ptr = heap_malloc(heap, 44);
	memset(ptr, 0, 44 + sizeof(size_t));
	heap_free(heap, victim);
	CHECK_EQ(scratch_faults, 1);
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_LENGTH);
	heap_free(heap, ptr);
	CHECK_EQ(scratch_faults, 2);
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_NEXT);
	scratch_throw_away();
}

KTEST(links_written_after_free_are_reported_when_followed)
{
	void **ptr;

	scratch_open();
	ptr = heap_malloc(heap, 40);
	CHECK(ptr && heap_malloc(heap, 40));
	scratch_release_to_bin(ptr);
	ptr[0] = (void *)0xDEAD0004;
	CHECK(!heap_check(heap, NULL));
	CHECK(!heap_malloc(heap, 40));
	CHECK_EQ(scratch_faults, 1);
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_LINK);
	scratch_throw_away();
}

/* It still waits, and can be merged when the damage is gone. */
KTEST(block_whose_neighbour_is_damaged_stays_in_its_quick_list)
{
	size_t *block, *wall;
	uint32_t sum;

	scratch_open();
	block = heap_malloc(heap, 36);
	wall = heap_malloc(heap, 36);
	CHECK(block && wall && heap_malloc(heap, 36));
	heap_free(heap, block);
	*scratch_header(wall) ^= 1;
	sum = scratch_sum();
	scratch_merge();
	CHECK(scratch_caught(HEAP_FAULT_FOOTER, scratch_header(wall)));
	CHECK_EQ(scratch_sum(), sum);
	*scratch_header(wall) ^= 1;
	CHECK(scratch_is("[ c10 u10 u10 t ]"));
	scratch_merge();
	CHECK(scratch_is("[ f10 u10 u10 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* As after any violation; that it was met while merging another block makes no difference. */
KTEST(allocation_that_meets_damage_in_a_quick_list_gives_null)
{
	void *block, *ptr;

	scratch_open();
	block = heap_malloc(heap, 36);
	CHECK(block && heap_malloc(heap, 36));
	heap_free(heap, block);
	*scratch_header(block) ^= HEAP_ALIGN;
	do
		ptr = heap_malloc(heap, 100); /* from the top, until merging is due */
	while (ptr && scratch_faults == 0);
	CHECK(scratch_caught(HEAP_FAULT_NOT_USED, scratch_header(block)));
	CHECK(!ptr);
	scratch_throw_away();
}

/* A block that is swallowed has waited behind a neighbour that says it is longer than it is. */
KTEST(block_that_waits_is_merged_only_if_the_next_knows_it)
{
	void *block, *next, *last;

	scratch_open();
	block = heap_malloc(heap, 36);
	next = heap_malloc(heap, 36);
	last = heap_malloc(heap, 36);
	CHECK(block && next && last);
	*scratch_header(block) += 40;
	heap_free(heap, block);
	heap_free(heap, next);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, scratch_header(block)));
	scratch_merge();
	CHECK(scratch_caught(HEAP_FAULT_NEXT, scratch_header(last)));
	scratch_throw_away();
}

KTEST(random_operations_keep_contents_and_heap_sound)
{
	static unsigned char *blocks[BLOCKS];
	static size_t sizes[BLOCKS];

	scratch_open();
	memset(blocks, 0, sizeof(blocks));
	for (unsigned int round = 0; round < 5000; round++) {
		unsigned int i = ktest_random() % BLOCKS;

		if (blocks[i]) {
			for (size_t k = 0; k < sizes[i]; k++)
				CHECK_EQ(blocks[i][k], i);
			heap_free(heap, blocks[i]);
			blocks[i] = NULL;
			continue;
		}
		sizes[i] = ktest_random() % (ktest_random() % 8 ? 200 : 9000);
		blocks[i] = heap_malloc(heap, sizes[i]);
		CHECK(blocks[i]);
		memset(blocks[i], (int)i, sizes[i]);
	}
	CHECK(heap_check(heap, NULL));
	CHECK(heap_count_cached(heap) > 0);
	for (unsigned int i = 0; i < BLOCKS; i++)
		heap_free(heap, blocks[i]);
	heap_trim(heap, 0);
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
	CHECK_EQ(scratch_faults, 0);
}
