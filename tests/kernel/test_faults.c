/* SPDX-License-Identifier: MIT */
/*
 * Faults that other kernels' memory has had, by their numbers in our list of
 * them, each with a twin that does the legal thing beside it. Fault 48 has a
 * boot of its own (tests/boot/badram.t), and so has 51 (tests/boot/panic.t).
 */
#include "boot/bootinfo.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "tests/kernel/hoard.h"
#include "tests/kernel/ktest.h"

#include <errno.h>
#include <string.h>

#define REGION	     (TEMP_BASE + 0x380000)
#define REGION_LIMIT (REGION + 0x40000)

extern const char __image_start_phys[], __image_end_phys[];

KTEST(fault_10_wrong_frees_of_frames_are_refused_by_name)
{
	uint32_t first = frame_alloc(2, FRAME_OTHER), free = frame_count(FRAME_FREE);

	CHECK(first);
	CHECK_EQ(frame_free(first + 1, 0), FRAME_INSIDE);
	CHECK_EQ(frame_free(first, 3), first & 7 ? FRAME_UNALIGNED : FRAME_WRONG_ORDER);
	CHECK_EQ(frame_free(first, 0), FRAME_WRONG_ORDER);
	CHECK_EQ(frame_free(0xB8, 0), FRAME_IS_RESERVED);
	CHECK_EQ(frame_free(frame_total() + 1, 0), FRAME_OUTSIDE);
	CHECK_EQ(frame_count(FRAME_FREE), free);
	CHECK_EQ(frame_free(first, 2), FRAME_FREED);
	CHECK_EQ(frame_free(first, 2), FRAME_IS_FREE);
	CHECK_EQ(frame_free(first + 1, 0), FRAME_IS_FREE);
	CHECK_EQ(frame_count(FRAME_FREE), free + 4);
}

KTEST(fault_10_twin_right_frees_of_frames_are_not)
{
	for (unsigned int order = 0; order <= 4; order++) {
		uint32_t first = frame_alloc(order, FRAME_OTHER);

		CHECK(first);
		CHECK_EQ(frame_free(first, order), FRAME_FREED);
	}
}

KTEST(fault_47_break_refused_a_frame_midway_is_rolled_back)
{
	uint32_t free = frame_count(FRAME_FREE), tables = frame_count(FRAME_TABLES);
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, REGION, REGION_LIMIT), 0);
	frame_fail_at(9, 1);
	CHECK_EQ(brk_set(&brk, REGION + 16 * PAGE_SIZE), -ENOMEM);
	CHECK(frame_has_failed());
	CHECK_EQ(brk.end, REGION);
	CHECK_EQ(paging_count(&kernel_space, REGION, REGION_LIMIT), 0);
	CHECK_EQ(frame_count(FRAME_FREE), free);
	CHECK_EQ(frame_count(FRAME_TABLES), tables);
}

KTEST(fault_47_twin_break_that_gets_its_frames_stays)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, REGION, REGION_LIMIT), 0);
	CHECK_EQ(brk_set(&brk, REGION + 16 * PAGE_SIZE), 0);
	CHECK_EQ(brk.end, REGION + 16 * PAGE_SIZE);
	CHECK_EQ(paging_count(&kernel_space, REGION, REGION_LIMIT), 16);
	CHECK_EQ(brk_set(&brk, REGION), 0);
}

/* Pages below the break hold what is written: all first, then read, in case they are one. */
KTEST(fault_48_twin_break_over_ram_holds_what_is_written)
{
	struct brk brk;

	CHECK_EQ(brk_init(&brk, &kernel_space, REGION, REGION_LIMIT), 0);
	CHECK_EQ(brk_set(&brk, REGION_LIMIT - PAGE_SIZE), 0);
	for (uintptr_t at = REGION; at < brk.end; at += 1024)
		*(volatile uintptr_t *)at = at;
	for (uintptr_t at = REGION; at < brk.end; at += 1024)
		CHECK_EQ(*(volatile uintptr_t *)at, at);
	CHECK_EQ(brk_set(&brk, REGION), 0);
}

static bool hoard_touches_bytes(uint64_t base, uint64_t length)
{
	uint32_t first = (uint32_t)(base >> PAGE_SHIFT);
	uint32_t behind = (uint32_t)((base + length + PAGE_MASK) >> PAGE_SHIFT);

	return length > 0 && hoard_touches(first, behind - first);
}

KTEST(fault_49_no_frame_lies_on_image_stacks_or_modules)
{
	uint32_t image = (uint32_t)(uintptr_t)__image_start_phys;
	bool complete = hoard_take(), touches;

	/* The boot stack, its guard and the copied boot information are part of the image. */
	touches = hoard_touches_bytes(image, (uint32_t)(uintptr_t)__image_end_phys - image);
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		touches |=
			hoard_touches_bytes(bootinfo.modules[i].base, bootinfo.modules[i].length);
	touches |= hoard_touches(0, 1);
	CHECK(hoard_give());
	CHECK(complete && !touches);
}

KTEST(fault_49_twin_frames_beside_them_are_handed_out)
{
	uint32_t usable = 0;
	bool complete = hoard_take(), some = false;

	for (size_t i = 0; i < bootinfo.nregions; i++)
		if (bootinfo.regions[i].type == REGION_USABLE && !(bootinfo.regions[i].base >> 32))
			some |= hoard_touches_bytes(bootinfo.regions[i].base,
						    bootinfo.regions[i].length);
	usable = frame_count(FRAME_OTHER);
	CHECK(hoard_give());
	CHECK(complete && some && usable > 0);
}

KTEST(fault_50_no_frame_lies_in_rom_or_in_what_the_firmware_keeps)
{
	bool complete = hoard_take(), touches = hoard_touches(0xA0, 0x60);

	for (size_t i = 0; i < bootinfo.nregions; i++)
		if (bootinfo.regions[i].type != REGION_USABLE && !(bootinfo.regions[i].base >> 32))
			touches |= hoard_touches_bytes(bootinfo.regions[i].base,
						       bootinfo.regions[i].length);
	CHECK(hoard_give());
	CHECK(complete && !touches);
}

KTEST(fault_50_twin_every_frame_below_the_direct_maps_end_can_be_written)
{
	uint32_t n = 0, written = 0, first, last = FRAME_NONE;

	while ((first = frame_alloc_low(0, FRAME_OTHER))) {
		uint32_t *words = phys_to_virt(first << PAGE_SHIFT);

		words[0] = last;
		words[1023] = ~first;
		last = first;
		n++;
	}
	for (; last; last = first) {
		const uint32_t *words = phys_to_virt(last << PAGE_SHIFT);

		first = words[0];
		written += words[1023] == ~last;
		CHECK_EQ(frame_free(last, 0), FRAME_FREED);
	}
	CHECK(n > 0);
	CHECK_EQ(written, n);
}

static __attribute__((noinline)) unsigned int descend(volatile unsigned int *depth)
{
	volatile unsigned int here = *depth - 1;

	return here == 0 ? 0 : descend(&here) + here;
}

KTEST(fault_51_twin_recursion_that_fits_the_stack_is_silent)
{
	volatile unsigned int depth = 100;

	CHECK_EQ(descend(&depth), 99 * 100 / 2);
}
