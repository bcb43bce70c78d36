/* SPDX-License-Identifier: MIT */
/* The memory map of the machine we are on; tests/host/memmap_test.c has those of others. */
#include "boot/bootinfo.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/memmap.h"
#include "tests/kernel/ktest.h"

extern const char __image_start_phys[], __image_end_phys[];

/* Whether a frame could ever be handed out. The impossible order keeps it from being freed. */
static bool is_ours(uint32_t frame)
{
	enum frame_refusal refusal = frame_free(frame, FRAME_MAX_ORDER + 1);

	return refusal != FRAME_IS_RESERVED && refusal != FRAME_OUTSIDE;
}

KTEST(memory_in_use_by_others_is_never_handed_out)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	CHECK(is_ours(frame));
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
	CHECK(!is_ours(0));
	for (uintptr_t at = 0xA0000; at < 0x100000; at += PAGE_SIZE)
		CHECK(!is_ours(at >> PAGE_SHIFT));
	for (uintptr_t at = (uintptr_t)__image_start_phys; at < (uintptr_t)__image_end_phys;
	     at += PAGE_SIZE)
		CHECK(!is_ours(at >> PAGE_SHIFT));
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		for (uint32_t at = 0; at < bootinfo.modules[i].length; at += PAGE_SIZE)
			CHECK(!is_ours((bootinfo.modules[i].base + at) >> PAGE_SHIFT));
}

KTEST(memory_the_firmware_does_not_call_usable_is_never_handed_out)
{
	for (size_t i = 0; i < bootinfo.nregions; i++) {
		const struct boot_region *region = &bootinfo.regions[i];

		if (region->type == REGION_USABLE || region->base >> 32)
			continue;
		CHECK(!is_ours((uint32_t)(region->base >> PAGE_SHIFT)));
		CHECK(!is_ours((uint32_t)((region->base + region->length - 1) >> PAGE_SHIFT)));
	}
}

KTEST(claims_that_overlap_leave_the_least_usable)
{
	static struct memmap map;
	static const struct memmap_claim claims[] = {
		{ 0x200000, 0x10000, MEMMAP_USABLE },
		{ 0x204800, 0x1000, MEMMAP_RESERVED },
		{ 0x20F000, 0x10000, MEMMAP_MODULE },
	};

	memmap_build(&map, claims, sizeof(claims) / sizeof(claims[0]));
	CHECK_EQ(map.nranges, 2);
	CHECK_EQ(map.ranges[0].first, 0x200);
	CHECK_EQ(map.ranges[0].frames, 4);
	CHECK_EQ(map.ranges[1].first, 0x206);
	CHECK_EQ(map.ranges[1].frames, 9);
	CHECK_EQ(map.lost[MEMMAP_RESERVED], 0x1000);
	CHECK_EQ(map.lost[MEMMAP_MODULE], 0x1000);
	CHECK_EQ(map.ragged, 0x1000);
}
