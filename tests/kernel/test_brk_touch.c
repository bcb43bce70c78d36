/* SPDX-License-Identifier: MIT */
/* A process's break: the end moves at once, pages come when they are touched. */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "tests/kernel/ktest.h"

#include <errno.h>
#include <string.h>

#define BASE  0x08100000U
#define LIMIT 0xBF700000U

static struct address_space space;
static struct brk brk;

static bool open_break(void)
{
	if (paging_create(&space))
		return false;
	paging_switch(&space);
	return brk_init_on_touch(&brk, &space, BASE, LIMIT) == 0;
}

static void close_break(void)
{
	paging_switch(&kernel_space);
	paging_destroy(&space);
}

static volatile char *byte_at(uintptr_t address)
{
	return (volatile char *)address;
}

static bool touch_and_fill(uintptr_t page, int byte)
{
	if (brk_touch(&brk, page + 123))
		return false;
	memset((void *)page, byte, PAGE_SIZE);
	return true;
}

KTEST(page_below_a_processs_break_comes_when_it_is_touched)
{
	unsigned int prot = 0;

	CHECK(open_break());
	CHECK(brk_move(&brk, 3 * PAGE_SIZE + 1) == (void *)BASE);
	CHECK_EQ(frame_count(FRAME_USER), 0);
	CHECK_EQ(brk_touch(&brk, BASE + PAGE_SIZE + 5), 0);
	CHECK_EQ(frame_count(FRAME_USER), 1);
	CHECK(paging_translate(&space, BASE + PAGE_SIZE, NULL, &prot));
	CHECK_EQ(prot, PAGE_USER | PAGE_WRITE);
	CHECK_EQ(*byte_at(BASE + PAGE_SIZE), 0);
	CHECK_EQ(*byte_at(BASE + 2 * PAGE_SIZE - 1), 0);
	CHECK_EQ(brk_touch(&brk, BASE + 4 * PAGE_SIZE - 1), 0); /* the rest of the last page */
	CHECK_EQ(frame_count(FRAME_USER), 2);
	close_break();
}

KTEST(page_above_a_processs_break_or_below_its_base_is_not_provided)
{
	CHECK(open_break());
	CHECK_EQ(brk_touch(&brk, BASE), -EFAULT);
	CHECK_EQ(brk_set(&brk, BASE + PAGE_SIZE), 0);
	CHECK_EQ(brk_touch(&brk, BASE + PAGE_SIZE), -EFAULT);
	CHECK_EQ(brk_touch(&brk, BASE - 1), -EFAULT);
	CHECK_EQ(brk_touch(&brk, UINTPTR_MAX), -EFAULT);
	CHECK_EQ(frame_count(FRAME_USER), 0);
	CHECK_EQ(brk_touch(&brk, BASE + PAGE_SIZE - 1), 0);
	close_break();
}

KTEST(processs_break_gives_back_the_pages_that_were_touched)
{
	CHECK(open_break());
	CHECK_EQ(brk_set(&brk, BASE + 100 * PAGE_SIZE), 0);
	for (unsigned int i = 0; i < 100; i += 7)
		CHECK_EQ(brk_touch(&brk, BASE + i * PAGE_SIZE), 0);
	CHECK_EQ(frame_count(FRAME_USER), 15);
	CHECK_EQ(brk_set(&brk, BASE + 49 * PAGE_SIZE + 1), 0);
	CHECK_EQ(frame_count(FRAME_USER), 8);
	CHECK_EQ(brk_set(&brk, BASE + 49 * PAGE_SIZE), 0);
	CHECK_EQ(frame_count(FRAME_USER), 7);
	CHECK_EQ(brk_set(&brk, BASE), 0);
	CHECK_EQ(frame_count(FRAME_USER), 0);
	close_break();
}

/* Also what the process has written above its break, in the break's own page. */
KTEST(memory_that_comes_below_a_processs_break_again_reads_zero)
{
	CHECK(open_break());
	CHECK_EQ(brk_set(&brk, BASE + PAGE_SIZE + 100), 0);
	CHECK(touch_and_fill(BASE, 1) && touch_and_fill(BASE + PAGE_SIZE, 2));
	CHECK_EQ(brk_set(&brk, BASE + PAGE_SIZE + 200), 0);
	CHECK_EQ(*byte_at(BASE + PAGE_SIZE + 99), 2);
	for (unsigned int i = 100; i < 200; i++)
		CHECK_EQ(*byte_at(BASE + PAGE_SIZE + i), 0);
	CHECK_EQ(brk_set(&brk, BASE + 10), 0);
	CHECK_EQ(brk_set(&brk, BASE + 2 * PAGE_SIZE), 0);
	CHECK_EQ(*byte_at(BASE + 9), 1);
	for (unsigned int i = 10; i < PAGE_SIZE; i++)
		CHECK_EQ(*byte_at(BASE + i), 0);
	CHECK_EQ(brk_touch(&brk, BASE + PAGE_SIZE), 0);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		CHECK_EQ(*byte_at(BASE + PAGE_SIZE + i), 0);
	close_break();
}

KTEST(page_that_a_process_has_protected_is_cleared_and_stays_protected)
{
	unsigned int prot = 99;

	CHECK(open_break());
	CHECK_EQ(brk_set(&brk, BASE + 100), 0);
	CHECK(touch_and_fill(BASE, 7));
	CHECK_EQ(paging_protect(&space, BASE, PAGE_USER), 0);
	CHECK_EQ(brk_set(&brk, BASE + 101), 0);
	CHECK_EQ(*byte_at(BASE + 99), 7);
	CHECK_EQ(*byte_at(BASE + 100), 0);
	CHECK_EQ(*byte_at(BASE + 101), 7);
	CHECK(paging_translate(&space, BASE, NULL, &prot));
	CHECK_EQ(prot, PAGE_USER);
	close_break();
}

KTEST(processs_break_is_refused_what_could_never_be_provided)
{
	uint32_t pages;

	CHECK(open_break());
	pages = frame_count(FRAME_FREE);
	CHECK_EQ(brk_set(&brk, BASE - 1), -EINVAL);
	CHECK_EQ(brk_set(&brk, LIMIT - PAGE_SIZE + 1), -EINVAL);
	CHECK(brk_move(&brk, INTPTR_MIN) == BRK_FAILED && brk_move(&brk, -1) == BRK_FAILED);
	if (pages < (LIMIT - BASE) / PAGE_SIZE - 2) {
		CHECK_EQ(brk_set(&brk, BASE + pages * PAGE_SIZE + 1), -ENOMEM);
		CHECK_EQ(brk_set(&brk, BASE + pages * PAGE_SIZE), 0);
		CHECK_EQ(brk_touch(&brk, BASE), 0); /* what it has itself counts as well */
		CHECK_EQ(brk_set(&brk, BASE + (pages - 1) * PAGE_SIZE), 0);
	}
	CHECK_EQ(brk_set(&brk, BASE + 1), 0);
	close_break();
}

/* Others have taken what there was when it was raised. */
KTEST(processs_break_can_be_lowered_however_little_memory_there_is)
{
	static uint32_t blocks[64];
	uint32_t pages, n = 0;
	unsigned int order = 0;

	CHECK(open_break());
	pages = frame_count(FRAME_FREE);
	while (pages >> order > 64)
		order++;
	if (pages < (LIMIT - BASE) / PAGE_SIZE - 2 && order <= FRAME_MAX_ORDER) {
		CHECK_EQ(brk_set(&brk, BASE + pages * PAGE_SIZE), 0);
		while (n < 64 && (blocks[n] = frame_alloc(order, FRAME_OTHER)))
			n++;
		CHECK(n > 0);
		CHECK_EQ(brk_set(&brk, BASE + pages * PAGE_SIZE), 0);
		CHECK_EQ(brk_set(&brk, BASE + (pages - 1) * PAGE_SIZE), 0);
		CHECK_EQ(brk_set(&brk, BASE + pages * PAGE_SIZE), -ENOMEM);
		while (n > 0)
			CHECK_EQ(frame_free(blocks[--n], order), FRAME_FREED);
	}
	close_break();
}

KTEST(touch_refused_at_any_frame_changes_nothing)
{
	uint32_t tables, n = 0;
	int error;

	CHECK(open_break());
	tables = frame_count(FRAME_TABLES);
	CHECK_EQ(brk_set(&brk, BASE + 1), 0);
	do {
		frame_fail_at(++n, 1);
		error = brk_touch(&brk, BASE);
		CHECK_EQ(error, frame_has_failed() ? -ENOMEM : 0);
		CHECK_EQ(frame_count(FRAME_USER), error == 0);
		CHECK_EQ(frame_count(FRAME_TABLES), tables + (error == 0));
	} while (error);
	frame_fail_at(0, 0);
	CHECK_EQ(n, 3); /* a page and a table, refused in turn */
	close_break();
}

KTEST(processs_break_moved_byte_by_byte_up_and_down_5000_times)
{
	CHECK(open_break());
	for (uintptr_t i = 0; i < 5000; i++) {
		CHECK(brk_move(&brk, 1) == (void *)(BASE + i));
		if (i % PAGE_SIZE == 0)
			CHECK_EQ(brk_touch(&brk, BASE + i), 0);
		*byte_at(BASE + i) = (char)i;
	}
	for (uintptr_t i = 5000; i > 0; i--) {
		CHECK_EQ(*byte_at(BASE + i - 1), (char)(i - 1));
		CHECK(brk_move(&brk, -1) == (void *)(BASE + i));
	}
	CHECK_EQ(frame_count(FRAME_USER), 0);
	close_break();
}

KTEST(processs_region_that_is_none_is_refused)
{
	CHECK_EQ(brk_init_on_touch(&brk, &space, BASE + 1, LIMIT), -EINVAL);
	CHECK_EQ(brk_init_on_touch(&brk, &space, LIMIT, LIMIT), -EINVAL);
}
