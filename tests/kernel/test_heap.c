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
	heap_free(heap, first);
	heap_free(heap, second);
	CHECK(second[0] == (char *)first - sizeof(size_t)); /* next */
	CHECK(second[1] == NULL);			    /* prev */
	CHECK(first[0] == NULL);
	CHECK(first[1] == (char *)second - sizeof(size_t));
	scratch_throw_away();
}

KTEST(free_neighbours_merge_into_one_block)
{
	char *blocks[4];

	scratch_open();
	for (unsigned int i = 0; i < 4; i++)
		CHECK((blocks[i] = heap_malloc(heap, 100)));
	heap_free(heap, blocks[0]);
	heap_free(heap, blocks[2]);
	CHECK(scratch_is("[ f26 u26 f26 u26 t ]"));
	heap_free(heap, blocks[1]);
	CHECK(scratch_is("[ f78 u26 t ]"));
	heap_free(heap, blocks[3]);
	CHECK(scratch_is("[ t ]"));
	scratch_throw_away();
}

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
	CHECK(scratch_is("[ f12 u12 t ]"));
	heap_free(heap, ptr);
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
	heap_free(heap, ptr);
	ptr[0] = (void *)0xDEAD0004;
	CHECK(!heap_check(heap, NULL));
	CHECK(!heap_malloc(heap, 40));
	CHECK_EQ(scratch_faults, 1);
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_LINK);
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
	for (unsigned int i = 0; i < BLOCKS; i++)
		heap_free(heap, blocks[i]);
	heap_trim(heap, 0);
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
	CHECK_EQ(scratch_faults, 0);
}
