/* SPDX-License-Identifier: MIT */
/*
 * What the floors below the heap cost, in instructions: booted under
 * -icount shift=0, where the time stamp counter counts them exactly. Each
 * figure is taken twice, with little there already and with much, since
 * nothing here may grow with what is there.
 */
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/run.h"
#include "kernel/x86/cpu.h"
#include "tests/kernel/ktest.h"

#define STEP 256U /* pages moved at a time */

/* Instructions for each page that the break moves over; the timer is masked meanwhile. */
static uint32_t cost_per_page(intptr_t pages)
{
	unsigned long flags = irq_save();
	uint64_t before = rdtsc();
	void *moved = ksbrk(pages * (intptr_t)PAGE_SIZE);
	uint32_t cost = (uint32_t)(rdtsc() - before);

	irq_restore(flags);
	return moved == BRK_FAILED ? 0 : cost / STEP;
}

static void print(const char *what, uint32_t figure)
{
	kprintf("# figure: %s: %u instructions\n", what, figure);
}

KTEST(figure_break_costs_the_same_per_page_however_much_is_mapped)
{
	uint32_t room = (HEAP_LIMIT - HEAP_BASE) >> PAGE_SHIFT;
	uint32_t free = frame_count(FRAME_FREE);
	uint32_t much = (free < room ? free : room) / 2 / STEP * STEP;
	uint32_t grow[2], shrink[2];

	grow[0] = cost_per_page(STEP);
	shrink[0] = cost_per_page(-(intptr_t)STEP);
	CHECK(ksbrk((intptr_t)(much * PAGE_SIZE)) != BRK_FAILED);
	grow[1] = cost_per_page(STEP);
	shrink[1] = cost_per_page(-(intptr_t)STEP);
	CHECK(ksbrk(-(intptr_t)(much * PAGE_SIZE)) != BRK_FAILED);
	print("a page of growth", grow[0]);
	print("a page of growth with half of what can be mapped", grow[1]);
	print("a page of shrinking", shrink[0]);
	print("a page of shrinking with half of what can be mapped", shrink[1]);
	CHECK(grow[0] > 0 && shrink[0] > 0);
	CHECK(grow[1] <= grow[0] + grow[0] / 20);
	CHECK(shrink[1] <= shrink[0] + shrink[0] / 20);
}

/* Memory map, probe, frame states, free lists and the direct map, for each frame there is. */
KTEST(figure_setting_up_memory_for_each_frame)
{
	uint32_t tenths;

	CHECK(memory_setup_cycles > 0 && memory_setup_cycles < UINT32_MAX / 10);
	tenths = (uint32_t)memory_setup_cycles * 10 / frame_total();
	kprintf("# figure: a frame at boot: %u.%u instructions\n", tenths / 10, tenths % 10);
}
