/* SPDX-License-Identifier: MIT */
/* Paging: pages appear, disappear, are protected, and their tables come and go. */
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"

#include <errno.h>
#include <string.h>

#define VIRT	      (TEMP_BASE + 0x10000)
#define ERROR_PRESENT 1U
#define ERROR_WRITE   2U

extern char __text_start[], __text_end[], __rodata_start[];
extern char boot_stack_guard[], fault_stack_guard[];

static void write_byte(void *address)
{
	*(volatile char *)address = 0;
}

static void read_byte(void *address)
{
	(void)*(volatile char *)address;
}

/* Whether an access ends in a page fault with this error code. */
static bool faults(void (*access)(void *), const void *address, uint32_t error)
{
	struct trap_frame frame;

	return trap_catch(access, (void *)(uintptr_t)address, &frame) &&
	       frame.vector == TRAP_PAGE_FAULT && frame.error == error;
}

KTEST(mapped_page_is_there_and_an_unmapped_one_is_not)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER), found = 0;
	unsigned int prot = 0;

	CHECK(frame);
	CHECK(faults(read_byte, (void *)VIRT, 0));
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, PAGE_WRITE), 0);
	CHECK(paging_translate(&kernel_space, VIRT + 123, &found, &prot));
	CHECK(paging_translate(&kernel_space, VIRT, NULL, NULL));
	CHECK_EQ(found, frame);
	CHECK_EQ(prot, PAGE_WRITE);
	*(volatile uint32_t *)VIRT = 0xCAFE;
	CHECK_EQ(*(volatile uint32_t *)VIRT, 0xCAFE);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, &found), 0);
	CHECK_EQ(found, frame);
	CHECK(!paging_translate(&kernel_space, VIRT, NULL, NULL));
	CHECK(faults(read_byte, (void *)VIRT, 0));
	CHECK(faults(write_byte, (void *)VIRT, ERROR_WRITE));
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(one_frame_mapped_twice_is_the_same_memory)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, PAGE_WRITE), 0);
	CHECK_EQ(paging_map(&kernel_space, VIRT + PAGE_SIZE, frame, PAGE_WRITE), 0);
	*(volatile uint32_t *)VIRT = 77;
	CHECK_EQ(*(volatile uint32_t *)(VIRT + PAGE_SIZE), 77);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, NULL), 0);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT + PAGE_SIZE, NULL), 0);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(page_protected_against_writing_faults_when_written)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, PAGE_WRITE), 0);
	CHECK(!trap_catch(write_byte, (void *)VIRT, NULL));
	CHECK_EQ(paging_protect(&kernel_space, VIRT, 0), 0);
	CHECK(faults(write_byte, (void *)VIRT, ERROR_PRESENT | ERROR_WRITE));
	CHECK(!trap_catch(read_byte, (void *)VIRT, NULL));
	CHECK_EQ(paging_protect(&kernel_space, VIRT, PAGE_WRITE), 0);
	CHECK(!trap_catch(write_byte, (void *)VIRT, NULL));
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, NULL), 0);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(page_table_is_taken_with_the_first_page_and_given_back_with_the_last)
{
	uint32_t tables = frame_count(FRAME_TABLES);
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, 0), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 1);
	CHECK_EQ(paging_map(&kernel_space, VIRT + PAGE_SIZE, frame, 0), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 1);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, NULL), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 1);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT + PAGE_SIZE, NULL), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
	CHECK_EQ(paging_count_tables(), tables);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(paging_refuses_what_makes_no_sense_and_changes_nothing)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER), other = 0;

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, VIRT + 1, frame, 0), -EINVAL);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, NULL), -ENOENT);
	CHECK_EQ(paging_protect(&kernel_space, VIRT, 0), -ENOENT);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, 0), 0);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame + 1, 0), -EEXIST);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT + 4, NULL), -EINVAL);
	CHECK_EQ(paging_protect(&kernel_space, VIRT + 4, 0), -EINVAL);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, &other), 0);
	CHECK_EQ(other, frame);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(mapping_without_a_frame_for_the_table_fails_and_loses_nothing)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(frame);
	frame_fail_at(1, 1);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, 0), -ENOMEM);
	CHECK(frame_has_failed());
	CHECK(!paging_translate(&kernel_space, VIRT, NULL, NULL));
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

/* A span across the border of two page tables, both of them new. */
#define SPAN	  5U
#define SPAN_VIRT (TEMP_BASE + 0x400000 - 2 * PAGE_SIZE)

static uint32_t span_frames[SPAN];

static bool take_span(void)
{
	bool taken = true;

	for (unsigned int i = 0; i < SPAN; i++)
		taken &= (span_frames[i] = frame_alloc(0, FRAME_OTHER)) != FRAME_NONE;
	return taken;
}

static bool give_span(void)
{
	bool given = true;

	for (unsigned int i = 0; i < SPAN; i++)
		given &= frame_free(span_frames[i], 0) == FRAME_FREED;
	return given;
}

static uint32_t mapped_temporarily(void)
{
	return paging_count(&kernel_space, TEMP_BASE, UINTPTR_MAX);
}

KTEST(span_of_pages_is_mapped_and_unmapped_across_two_tables)
{
	uint32_t tables = frame_count(FRAME_TABLES), found[SPAN] = { 0 };

	CHECK(take_span());
	CHECK_EQ(paging_map_span(&kernel_space, SPAN_VIRT, span_frames, SPAN, PAGE_WRITE), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables + 2);
	CHECK_EQ(mapped_temporarily(), SPAN);
	for (unsigned int i = 0; i < SPAN; i++) {
		uintptr_t virt = SPAN_VIRT + i * PAGE_SIZE;
		unsigned int prot;

		CHECK(paging_translate(&kernel_space, virt, &found[i], &prot));
		CHECK(found[i] == span_frames[i] && prot == PAGE_WRITE);
		*(volatile uint32_t *)virt = i;
	}
	memset(found, 0, sizeof(found));
	CHECK_EQ(paging_unmap_span(&kernel_space, SPAN_VIRT, found, SPAN), SPAN);
	CHECK(memcmp(found, span_frames, sizeof(found)) == 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
	for (unsigned int i = 0; i < SPAN; i++) /* nothing of it is remembered by the processor */
		CHECK(faults(read_byte, (void *)(SPAN_VIRT + i * PAGE_SIZE), 0));
	CHECK(give_span());
}

KTEST(span_refused_at_any_page_changes_nothing)
{
	uint32_t tables = frame_count(FRAME_TABLES), frame = frame_alloc(0, FRAME_OTHER), found;

	CHECK(take_span() && frame);
	for (unsigned int i = 0; i < SPAN; i++) {
		uintptr_t taken = SPAN_VIRT + i * PAGE_SIZE;

		CHECK_EQ(paging_map(&kernel_space, taken, frame, 0), 0);
		CHECK_EQ(paging_map_span(&kernel_space, SPAN_VIRT, span_frames, SPAN, PAGE_WRITE),
			 -EEXIST);
		CHECK_EQ(mapped_temporarily(), 1);
		CHECK_EQ(frame_count(FRAME_TABLES), tables + 1);
		CHECK_EQ(paging_unmap(&kernel_space, taken, &found), 0);
		CHECK_EQ(found, frame);
	}
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
	CHECK(give_span());
}

KTEST(span_without_a_frame_for_any_of_its_tables_is_undone)
{
	uint32_t tables = frame_count(FRAME_TABLES);

	CHECK(take_span());
	for (uint32_t n = 1; n <= 2; n++) {
		frame_fail_at(n, 1);
		CHECK_EQ(paging_map_span(&kernel_space, SPAN_VIRT, span_frames, SPAN, PAGE_WRITE),
			 -ENOMEM);
		CHECK(frame_has_failed());
		CHECK_EQ(mapped_temporarily(), 0);
		CHECK_EQ(frame_count(FRAME_TABLES), tables);
		CHECK(faults(read_byte, (void *)SPAN_VIRT, 0));
	}
	CHECK(give_span());
}

KTEST(unmapping_a_span_ends_at_the_first_page_that_is_not_there)
{
	uint32_t tables = frame_count(FRAME_TABLES), found[SPAN];

	CHECK(take_span());
	for (unsigned int hole = 0; hole < SPAN; hole++) {
		uintptr_t virt = SPAN_VIRT + hole * PAGE_SIZE;

		CHECK_EQ(paging_map_span(&kernel_space, SPAN_VIRT, span_frames, SPAN, 0), 0);
		CHECK_EQ(paging_unmap(&kernel_space, virt, NULL), 0);
		CHECK_EQ(paging_unmap_span(&kernel_space, SPAN_VIRT, found, SPAN), hole);
		CHECK(memcmp(found, span_frames, hole * sizeof(found[0])) == 0);
		CHECK_EQ(mapped_temporarily(), SPAN - 1 - hole);
		CHECK_EQ(paging_unmap_span(&kernel_space, virt + PAGE_SIZE, found, SPAN),
			 SPAN - 1 - hole);
		CHECK_EQ(frame_count(FRAME_TABLES), tables);
	}
	CHECK(give_span());
}

KTEST(span_that_is_not_aligned_or_beyond_the_last_address_is_refused)
{
	const uintptr_t last = 0xFFFFF000U;
	uint32_t found[2];

	CHECK(take_span());
	CHECK_EQ(paging_map_span(&kernel_space, SPAN_VIRT + 4, span_frames, SPAN, 0), -EINVAL);
	CHECK_EQ(paging_map_span(&kernel_space, last, span_frames, 2, 0), -EINVAL);
	CHECK_EQ(paging_map_span(&kernel_space, VIRT, span_frames, UINT32_MAX, 0), -EINVAL);
	CHECK_EQ(mapped_temporarily(), 0);
	CHECK_EQ(paging_map_span(&kernel_space, last - PAGE_SIZE, span_frames, 2, 0), 0);
	CHECK_EQ(paging_unmap_span(&kernel_space, last - PAGE_SIZE + 4, found, 2), 0);
	CHECK_EQ(paging_unmap_span(&kernel_space, last - PAGE_SIZE, found, 3), 2);
	CHECK_EQ(mapped_temporarily(), 0);
	CHECK(give_span());
}

KTEST(span_of_no_pages_is_nothing)
{
	uint32_t tables = frame_count(FRAME_TABLES);

	CHECK_EQ(paging_map_span(&kernel_space, VIRT, NULL, 0, 0), 0);
	CHECK_EQ(paging_unmap_span(&kernel_space, VIRT, NULL, 0), 0);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
}

KTEST(new_page_table_maps_nothing_whatever_was_in_its_frame)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER), dirty = frame_alloc_low(0, FRAME_OTHER);
	uint32_t found = FRAME_NONE;

	CHECK(frame && dirty);
	memset(phys_to_virt(dirty << PAGE_SHIFT), 0xFF, PAGE_SIZE);
	CHECK_EQ(frame_free(dirty, 0), FRAME_FREED);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, 0), 0);
	found = kernel_space.dir[VIRT >> 22] >> PAGE_SHIFT;
	CHECK_EQ(paging_count(&kernel_space, TEMP_BASE, UINTPTR_MAX), 1);
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, NULL), 0);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
	CHECK_EQ(found, dirty); /* else this has shown nothing */
}

KTEST(protection_is_kept_as_it_was_asked_for)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, VIRT, frame, 0), 0);
	for (unsigned int prot = 0; prot <= (PAGE_WRITE | PAGE_USER); prot++) {
		unsigned int found = 99;

		CHECK_EQ(paging_protect(&kernel_space, VIRT, prot), 0);
		CHECK(paging_translate(&kernel_space, VIRT, NULL, &found));
		CHECK_EQ(found, prot);
	}
	CHECK_EQ(paging_unmap(&kernel_space, VIRT, NULL), 0);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}

KTEST(kernel_text_and_constants_cannot_be_written)
{
	CHECK(faults(write_byte, __text_start, ERROR_PRESENT | ERROR_WRITE));
	CHECK(faults(write_byte, (void *)((uintptr_t)__text_end - 1), ERROR_PRESENT | ERROR_WRITE));
	CHECK(faults(write_byte, __rodata_start, ERROR_PRESENT | ERROR_WRITE));
	CHECK(!trap_catch(read_byte, __text_start, NULL));
}

KTEST(page_0_and_the_page_below_each_stack_are_not_mapped)
{
	CHECK(faults(read_byte, NULL, 0));
	CHECK(faults(write_byte, (void *)(PAGE_SIZE - 1), ERROR_WRITE));
	CHECK(faults(read_byte, (void *)DIRECT_BASE, 0));
	CHECK(faults(write_byte, boot_stack_guard, ERROR_WRITE));
	CHECK(faults(write_byte, boot_stack_guard + PAGE_SIZE - 1, ERROR_WRITE));
	CHECK(!trap_catch(read_byte, boot_stack_guard + PAGE_SIZE, NULL));
	CHECK(faults(write_byte, fault_stack_guard, ERROR_WRITE));
	CHECK(faults(write_byte, fault_stack_guard + PAGE_SIZE - 1, ERROR_WRITE));
	CHECK(!trap_catch(read_byte, fault_stack_guard + PAGE_SIZE, NULL));
}

KTEST(nothing_is_mapped_below_the_kernels_half)
{
	CHECK_EQ(paging_count(&kernel_space, 0, DIRECT_BASE), 0);
	CHECK(paging_count(&kernel_space, DIRECT_BASE, HEAP_BASE) > 0);
}

KTEST(pages_are_counted_up_to_the_end_of_all_addresses)
{
	const uintptr_t last = 0xFFFFF000U;
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, last, frame, 0), 0);
	CHECK_EQ(paging_count(&kernel_space, TEMP_BASE, UINTPTR_MAX), 1);
	CHECK_EQ(paging_unmap(&kernel_space, last, NULL), 0);
	CHECK_EQ(paging_count(&kernel_space, TEMP_BASE, UINTPTR_MAX), 0);
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
}
