/* SPDX-License-Identifier: MIT */
/* The break: bytes above, pages below, nothing behind. */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"

#include <errno.h>
#include <string.h>

/* A region of the tests' own, above that of the heap. */
#define BASE  (TEMP_BASE + 0x100000)
#define LIMIT (BASE + 0x40000)

static uint32_t mapped(void)
{
	return paging_count(&kernel_space, BASE, LIMIT);
}

static void read_byte(void *address)
{
	(void)*(volatile char *)address;
}

static bool is_zero(uintptr_t from, uintptr_t to)
{
	for (; from < to; from++)
		if (*(const volatile char *)from)
			return false;
	return true;
}

KTEST(break_maps_a_page_with_its_first_byte_and_unmaps_it_with_its_last)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	CHECK(brk_move(&brk, 0) == (void *)BASE);
	CHECK(brk_move(&brk, 1) == (void *)BASE);
	CHECK_EQ(mapped(), 1);
	CHECK(brk_move(&brk, PAGE_SIZE - 1) == (void *)(BASE + 1));
	CHECK_EQ(mapped(), 1);
	CHECK(brk_move(&brk, 1) == (void *)(BASE + PAGE_SIZE));
	CHECK_EQ(mapped(), 2);
	CHECK(brk_move(&brk, -1) == (void *)(BASE + PAGE_SIZE + 1));
	CHECK_EQ(mapped(), 1);
	CHECK_EQ(brk_set(&brk, BASE), 0);
	CHECK_EQ(mapped(), 0);
}

KTEST(break_has_its_frames_counted_for_its_owner)
{
	uint32_t heap = frame_count(FRAME_HEAP), other = frame_count(FRAME_OTHER);
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	brk.owner = FRAME_OTHER;
	CHECK(brk_move(&brk, 3 * PAGE_SIZE) == (void *)BASE);
	CHECK_EQ(frame_count(FRAME_HEAP), heap);
	CHECK_EQ(frame_count(FRAME_OTHER), other + 3);
	CHECK_EQ(brk_set(&brk, BASE), 0);
	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	CHECK(brk_move(&brk, 1) == (void *)BASE);
	CHECK_EQ(frame_count(FRAME_HEAP), heap + 1);
	CHECK_EQ(brk_set(&brk, BASE), 0);
}

KTEST(break_moved_byte_by_byte_up_and_down_5000_times)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	for (uintptr_t i = 0; i < 5000; i++) {
		CHECK(brk_move(&brk, 1) == (void *)(BASE + i));
		*(volatile char *)(BASE + i) = (char)i;
	}
	CHECK_EQ(mapped(), 2);
	for (uintptr_t i = 5000; i > 0; i--) {
		CHECK_EQ(*(volatile char *)(BASE + i - 1), (char)(i - 1));
		CHECK(brk_move(&brk, -1) == (void *)(BASE + i));
	}
	CHECK_EQ(mapped(), 0);
}

KTEST(break_moved_across_a_page_by_10_up_and_20_down)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	CHECK_EQ(brk_set(&brk, BASE + PAGE_SIZE + 5), 0);
	for (unsigned int i = 0; i < 100; i++) {
		CHECK(brk_move(&brk, 10) != BRK_FAILED);
		CHECK(brk_move(&brk, -20) != BRK_FAILED);
		CHECK_EQ(mapped(), (brk.end - BASE + PAGE_MASK) >> PAGE_SHIFT);
	}
	CHECK_EQ(brk_set(&brk, BASE), 0);
}

KTEST(fresh_pages_read_zero_also_after_shrinking_and_growing_again)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(brk_set(&brk, BASE + 5 * PAGE_SIZE), 0);
		CHECK(is_zero(BASE, BASE + 5 * PAGE_SIZE));
		memset((void *)BASE, 0x5A, 5 * PAGE_SIZE);
		CHECK_EQ(brk_set(&brk, BASE), 0);
	}
}

/* Every second frame of a row is in use elsewhere. */
KTEST(break_grows_over_frames_that_do_not_follow_on_each_other)
{
	uint32_t frames[32];
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	for (unsigned int i = 0; i < 32; i++)
		CHECK((frames[i] = frame_alloc(0, FRAME_OTHER)));
	for (unsigned int i = 0; i < 32; i += 2)
		CHECK_EQ(frame_free(frames[i], 0), FRAME_FREED);
	CHECK_EQ(brk_set(&brk, BASE + 12 * PAGE_SIZE), 0);
	memset((void *)BASE, 3, 12 * PAGE_SIZE);
	CHECK_EQ(*(volatile char *)(BASE + 12 * PAGE_SIZE - 1), 3);
	CHECK_EQ(brk_set(&brk, BASE), 0);
	for (unsigned int i = 1; i < 32; i += 2)
		CHECK_EQ(frame_free(frames[i], 0), FRAME_FREED);
}

KTEST(last_partial_page_keeps_its_bytes_and_stays_usable)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	CHECK_EQ(brk_set(&brk, BASE + 100), 0);
	memset((void *)BASE, 7, 100);
	CHECK_EQ(brk_set(&brk, BASE + 3 * PAGE_SIZE), 0);
	CHECK_EQ(*(volatile char *)(BASE + 99), 7);
	CHECK_EQ(brk_set(&brk, BASE + 100), 0);
	CHECK_EQ(*(volatile char *)(BASE + 99), 7);
	*(volatile char *)(BASE + PAGE_SIZE - 1) = 1;
	CHECK_EQ(brk_set(&brk, BASE), 0);
}

KTEST(page_behind_the_break_is_not_mapped)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	CHECK_EQ(brk_set(&brk, BASE + 2 * PAGE_SIZE), 0);
	CHECK(trap_catch(read_byte, (void *)(BASE + 2 * PAGE_SIZE), NULL));
	CHECK(!trap_catch(read_byte, (void *)(BASE + 2 * PAGE_SIZE - 1), NULL));
	CHECK_EQ(brk_set(&brk, LIMIT - PAGE_SIZE), 0);
	CHECK(trap_catch(read_byte, (void *)(LIMIT - PAGE_SIZE), NULL));
	CHECK_EQ(brk_set(&brk, BASE), 0);
}

KTEST(break_outside_of_its_region_is_refused_and_stays)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	CHECK_EQ(brk_set(&brk, BASE + 10), 0);
	CHECK_EQ(brk_set(&brk, BASE - 1), -EINVAL);
	CHECK_EQ(brk_set(&brk, LIMIT - PAGE_SIZE + 1), -EINVAL);
	CHECK_EQ(brk_set(&brk, UINTPTR_MAX), -EINVAL);
	CHECK(brk_move(&brk, -11) == BRK_FAILED);
	CHECK(brk_move(&brk, INTPTR_MAX) == BRK_FAILED);
	CHECK(brk_move(&brk, INTPTR_MIN) == BRK_FAILED);
	CHECK(brk_move(&brk, (intptr_t)(LIMIT - BASE)) == BRK_FAILED);
	CHECK(brk_move(&brk, 0) == (void *)(BASE + 10));
	CHECK_EQ(mapped(), 1);
	CHECK_EQ(brk_set(&brk, BASE), 0);
}

/* The kernel's own break: nothing is allocated between tests. */
KTEST(break_moved_by_a_huge_amount_and_back)
{
	uint32_t pages = frame_count(FRAME_FREE) / 4 * 3;
	uintptr_t end;

	if (pages > (HEAP_LIMIT - HEAP_BASE) >> PAGE_SHIFT)
		pages = (HEAP_LIMIT - HEAP_BASE) / 2 >> PAGE_SHIFT;
	end = HEAP_BASE + (pages << PAGE_SHIFT);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(ksbrk((intptr_t)(pages << PAGE_SHIFT)) == (void *)HEAP_BASE);
		CHECK(ksbrk(0) == (void *)end);
		CHECK_EQ(paging_count(&kernel_space, HEAP_BASE, HEAP_LIMIT), pages);
		CHECK(is_zero(end - PAGE_SIZE, end));
		memset((void *)(end - PAGE_SIZE), 1, PAGE_SIZE);
		CHECK(ksbrk(-(intptr_t)(pages << PAGE_SHIFT)) == (void *)end);
		CHECK_EQ(paging_count(&kernel_space, HEAP_BASE, HEAP_LIMIT), 0);
	}
}

KTEST(break_moved_by_amounts_with_the_sign_bit_is_refused)
{
	static const uint32_t amounts[] = { 0x80000000, 0x80000001, 0xC0000000, 0xFFFFF000 };

	CHECK_EQ(kbrk((void *)(HEAP_BASE + 100)), 0);
	for (unsigned int i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		CHECK(ksbrk((intptr_t)amounts[i]) == BRK_FAILED);
		CHECK(ksbrk(0) == (void *)(HEAP_BASE + 100));
	}
	CHECK_EQ(kbrk((void *)(HEAP_BASE - 1)), -EINVAL);
	CHECK_EQ(kbrk((void *)HEAP_LIMIT), -EINVAL);
	CHECK(ksbrk(-100) == (void *)(HEAP_BASE + 100));
	CHECK(ksbrk(0) == (void *)HEAP_BASE);
}

KTEST(break_is_refused_a_region_that_is_none)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE + 1, LIMIT), -EINVAL);
	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT + 1), -EINVAL);
	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, BASE), -EINVAL);
	CHECK_EQ(brk_init(&brk, &kernel_space, LIMIT, BASE), -EINVAL);
}

KTEST(growth_refused_at_any_frame_is_undone_whole)
{
	uint32_t free = frame_count(FRAME_FREE), n = 0;
	struct brk brk;
	bool refused = true;

	CHECK_EQ(brk_init(&brk, &kernel_space, BASE, LIMIT), 0);
	while (refused) {
		frame_fail_at(++n, 1);
		refused = brk_set(&brk, BASE + 4 * PAGE_SIZE + 1) == -ENOMEM;
		CHECK_EQ(refused, frame_has_failed());
		if (refused) {
			CHECK_EQ(brk.end, BASE);
			CHECK_EQ(mapped(), 0);
			CHECK_EQ(frame_count(FRAME_FREE), free);
		}
	}
	CHECK_EQ(n, 7); /* five pages and a page table were asked for, and refused in turn */
	CHECK_EQ(brk_set(&brk, BASE), 0);
}

/* From below the end of one page table, over the whole next one, into a third. */
KTEST(growth_over_page_tables_refused_at_any_frame_is_undone_whole)
{
	const uintptr_t base = HEAP_LIMIT - 0xC00000 - 3 * PAGE_SIZE;
	const uint32_t pages = 3 + 1024 + 3;
	uint32_t free = frame_count(FRAME_FREE), tables = frame_count(FRAME_TABLES), n = 0;
	struct brk brk;

	if (free < 2 * pages)
		return; /* a small machine: the test above must do */
	CHECK_EQ(brk_init(&brk, &kernel_space, base, HEAP_LIMIT), 0);
	do {
		n += n < 70 || n + 80 > pages ? 1 : 61; /* not each of those in the middle */
		frame_fail_at(n, 1);
		if (brk_set(&brk, base + pages * PAGE_SIZE) == 0)
			break;
		CHECK(frame_has_failed());
		CHECK_EQ(brk.end, base);
		CHECK_EQ(paging_count(&kernel_space, HEAP_BASE, HEAP_LIMIT), 0);
		CHECK_EQ(frame_count(FRAME_FREE), free);
	} while (n < 2 * pages);
	CHECK_EQ(n, pages + 3 + 1); /* three page tables, and the request that was not made */
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 3);
	CHECK(is_zero(base + (pages - 1) * PAGE_SIZE, base + pages * PAGE_SIZE));
	CHECK_EQ(brk_set(&brk, base), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
}

KTEST(two_breaks_side_by_side_do_not_disturb_each_other)
{
	struct brk low, high;

	CHECK_EQ(brk_init(&low, &kernel_space, BASE, BASE + 0x4000), 0);
	CHECK_EQ(brk_init(&high, &kernel_space, BASE + 0x4000, LIMIT), 0);
	CHECK_EQ(brk_set(&low, BASE + 0x3000), 0);
	CHECK_EQ(brk_set(&low, BASE + 0x3001), -EINVAL);
	CHECK_EQ(brk_set(&high, BASE + 0x4001), 0);
	memset((void *)BASE, 1, 0x3000);
	CHECK_EQ(*(volatile char *)(BASE + 0x4000), 0);
	CHECK_EQ(brk_set(&low, BASE), 0);
	CHECK_EQ(*(volatile char *)(BASE + 0x4000), 0);
	CHECK_EQ(brk_set(&high, BASE + 0x4000), 0);
}
