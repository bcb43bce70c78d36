/* SPDX-License-Identifier: MIT */
/* Address spaces: each has a lower half of its own, and all have the kernel's. */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"

#include <errno.h>

#define VIRT	   0x08048000U
#define TABLE_SPAN 0x400000U
#define ACCESSED   0x20U /* the processor's mark in an entry */

static struct address_space one, other;

static void read_byte(void *address)
{
	(void)*(volatile char *)address;
}

/* Whether both have the same tables for the kernel's half. */
static bool same_kernel(const struct address_space *a, const struct address_space *b)
{
	for (unsigned int i = DIRECT_BASE / TABLE_SPAN; i < PAGING_DIR_ENTRIES; i++)
		if ((a->dir[i] ^ b->dir[i]) & ~ACCESSED)
			return false;
	return true;
}

static volatile uint32_t *word_at(uintptr_t virt)
{
	return (volatile uint32_t *)virt;
}

KTEST(space_has_nothing_but_the_kernels_half)
{
	uint32_t tables = frame_count(FRAME_TABLES);

	CHECK_EQ(paging_create(&one), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 1);
	CHECK_EQ(paging_count_tables(), tables + 1);
	CHECK_EQ(paging_count(&one, 0, UINTPTR_MAX), 0);
	CHECK(paging_switch(&one) == &kernel_space);
	CHECK(trap_catch(read_byte, (void *)VIRT, NULL)); /* on the boot stack, and it returns */
	CHECK(paging_switch(&kernel_space) == &one);
	paging_destroy(&one);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
}

KTEST(same_address_in_two_spaces_is_different_memory)
{
	CHECK(paging_create(&one) == 0 && paging_create(&other) == 0);
	paging_switch(&one);
	CHECK_EQ(paging_provide(&one, VIRT, FRAME_USER, PAGE_WRITE | PAGE_USER), 0);
	CHECK_EQ(*word_at(VIRT), 0);
	*word_at(VIRT) = 1;
	paging_switch(&other);
	CHECK(trap_catch(read_byte, (void *)VIRT, NULL));
	CHECK_EQ(paging_provide(&other, VIRT, FRAME_USER, PAGE_WRITE | PAGE_USER), 0);
	CHECK_EQ(*word_at(VIRT), 0);
	*word_at(VIRT) = 2;
	paging_switch(&one);
	CHECK_EQ(*word_at(VIRT), 1);
	paging_switch(&other);
	CHECK_EQ(*word_at(VIRT), 2);
	CHECK_EQ(paging_count_user_pages(), 2);
	paging_destroy(&one); /* the first in the list, and the last of two */
	CHECK_EQ(*word_at(VIRT), 2);
	paging_switch(&kernel_space);
	paging_destroy(&other);
	CHECK_EQ(paging_count_user_pages(), 0);
}

/* A page table that comes into the kernel's half is there in every space, and goes from every. */
KTEST(kernels_heap_grows_and_shrinks_in_every_space_at_once)
{
	const uintptr_t last = HEAP_BASE + 2 * PAGE_SIZE;
	uint32_t tables = frame_count(FRAME_TABLES);

	CHECK(paging_create(&one) == 0 && paging_create(&other) == 0);
	paging_switch(&one);
	CHECK_EQ(kbrk((void *)(last + 4)), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 3); /* the heap was empty, and had none */
	CHECK(same_kernel(&one, &kernel_space) && same_kernel(&other, &kernel_space));
	*word_at(last) = 0xCAFE;
	paging_switch(&other);
	CHECK_EQ(*word_at(last), 0xCAFE);
	paging_switch(&kernel_space);
	CHECK_EQ(*word_at(last), 0xCAFE);
	CHECK_EQ(kbrk((void *)HEAP_BASE), 0);
	CHECK(same_kernel(&one, &kernel_space) && same_kernel(&other, &kernel_space));
	paging_switch(&one);
	CHECK(trap_catch(read_byte, (void *)last, NULL));
	paging_switch(&kernel_space);
	paging_destroy(&other);
	paging_destroy(&one);
}

KTEST(kernels_half_is_refused_to_a_process)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER), frames[2] = { frame, frame }, found;
	const uintptr_t last = DIRECT_BASE - PAGE_SIZE, text = (uintptr_t)read_byte & ~PAGE_MASK;

	CHECK(frame && paging_create(&one) == 0);
	CHECK_EQ(paging_map(&one, DIRECT_BASE, frame, PAGE_USER), -EINVAL);
	CHECK_EQ(paging_map(&one, UINTPTR_MAX & ~PAGE_MASK, frame, PAGE_USER), -EINVAL);
	CHECK_EQ(paging_map_span(&one, last, frames, 2, PAGE_USER), -EINVAL);
	CHECK_EQ(paging_unmap(&one, text, &found), -ENOENT);
	CHECK_EQ(paging_protect(&one, text, PAGE_USER | PAGE_WRITE), -ENOENT);
	CHECK(!paging_translate(&one, text, NULL, NULL));
	CHECK_EQ(paging_map(&one, last, frame, PAGE_USER), 0);
	CHECK_EQ(paging_unmap(&one, last, &found), 0);
	CHECK_EQ(found, frame);
	paging_destroy(&one);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(space_without_a_frame_is_refused_and_so_is_a_page)
{
	uint32_t tables = frame_count(FRAME_TABLES), n = 0;
	int error;

	frame_fail_at(1, 1);
	CHECK_EQ(paging_create(&one), -ENOMEM);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
	CHECK_EQ(paging_create(&one), 0);
	paging_switch(&one);
	do {
		frame_fail_at(++n, 1);
		error = paging_provide(&one, VIRT, FRAME_USER, PAGE_USER);
		CHECK_EQ(error != 0, frame_has_failed());
		CHECK_EQ(frame_count(FRAME_USER), error == 0);
		CHECK_EQ(frame_count(FRAME_TABLES), tables + 1 + (error == 0));
	} while (error);
	frame_fail_at(0, 0);
	CHECK_EQ(n, 3); /* a page and a table, refused in turn */
	CHECK_EQ(paging_provide(&one, VIRT, FRAME_USER, PAGE_USER), -EEXIST);
	CHECK_EQ(frame_count(FRAME_USER), 1);
	paging_switch(&kernel_space);
	paging_destroy(&one);
}

KTEST(pages_far_from_each_other_are_released_within_a_span_and_not_beside_it)
{
	static const uintptr_t pages[] = { 0x1000, VIRT, VIRT + PAGE_SIZE, VIRT + 5 * TABLE_SPAN,
					   DIRECT_BASE - PAGE_SIZE };

	CHECK_EQ(paging_create(&one), 0);
	paging_switch(&one);
	for (unsigned int i = 0; i < 5; i++)
		CHECK_EQ(paging_provide(&one, pages[i], FRAME_USER, 0), 0);
	paging_release(&one, VIRT + PAGE_SIZE, DIRECT_BASE - PAGE_SIZE);
	CHECK_EQ(paging_count_user_pages(), 3);
	for (unsigned int i = 0; i < 5; i++)
		CHECK_EQ(paging_translate(&one, pages[i], NULL, NULL), i < 2 || i == 4);
	paging_release(&one, VIRT, VIRT);
	CHECK_EQ(frame_count(FRAME_USER), 3);
	paging_release(&one, 0, DIRECT_BASE);
	CHECK_EQ(frame_count(FRAME_USER), 0);
	paging_switch(&kernel_space);
	paging_destroy(&one);
}
