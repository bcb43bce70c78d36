/* SPDX-License-Identifier: MIT */
/*
 * What the floors below the heap cost. The break's figures are taken twice, with
 * little there already and with much, since nothing here may grow with what is
 * there.
 */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/run.h"
#include "tests/bench/bench.h"

#define STEP   256U /* pages moved at a time */
#define FRAMES 4096U

/* Instructions for moving the break over so many pages; 0 if it cannot be moved. */
static uint32_t cost_of(intptr_t pages)
{
	uintptr_t before;
	uint32_t cost = bench_count((bench_fn *)ksbrk, (uintptr_t)(pages * (intptr_t)PAGE_SIZE), 0,
				    0, &before);

	return before == (uintptr_t)BRK_FAILED ? 0 : cost;
}

static void print_pages(const char *name, uint32_t growth, uint32_t shrinking)
{
	bench_scene("break %s", name);
	bench_print("growth", growth, STEP, "instructions");
	bench_print("shrinking", shrinking, STEP, "instructions");
}

/* For each page. */
BENCH(quick_floors_break_costs_the_same_per_page_however_much_is_mapped)
{
	uint32_t room = (HEAP_LIMIT - HEAP_BASE) >> PAGE_SHIFT;
	uint32_t free = frame_count(FRAME_FREE);
	uint32_t much = (free < room ? free : room) / 2 / STEP * STEP;
	uint32_t grow[2], shrink[2];

	grow[0] = cost_of(STEP);
	shrink[0] = cost_of(-(intptr_t)STEP);
	CHECK(ksbrk((intptr_t)(much * PAGE_SIZE)) != BRK_FAILED);
	grow[1] = cost_of(STEP);
	shrink[1] = cost_of(-(intptr_t)STEP);
	CHECK(ksbrk(-(intptr_t)(much * PAGE_SIZE)) != BRK_FAILED);
	print_pages("with little mapped", grow[0], shrink[0]);
	print_pages("with half of all mapped", grow[1], shrink[1]);
	CHECK(grow[0] > 0 && shrink[0] > 0);
	CHECK(grow[1] <= grow[0] + grow[0] / 20);
	CHECK(shrink[1] <= shrink[0] + shrink[0] / 20);
}

/* Memory map, probe, frame states, free lists and the direct map, for each frame there is. */
BENCH(quick_floors_setting_up_memory_for_each_frame)
{
	CHECK(memory_setup_cycles > 0);
	bench_scene("boot");
	bench_print("frame", memory_setup_cycles, frame_total(), "instructions");
}

static uint32_t firsts[FRAMES];

struct cost {
	uint32_t sum, worst;
};

static void add(struct cost *cost, uint32_t instructions)
{
	cost->sum += instructions;
	cost->worst = instructions > cost->worst ? instructions : cost->worst;
}

/* Blocks of one order, 16 MiB in all, are taken and given back in the same order. */
static void print_order(unsigned int order)
{
	uint32_t n = FRAMES >> order;
	struct cost alloc = { 0, 0 }, free = { 0, 0 };
	uintptr_t result;

	for (uint32_t i = 0; i < n; i++) {
		add(&alloc, bench_count((bench_fn *)frame_alloc, order, FRAME_OTHER, 0, &result));
		firsts[i] = (uint32_t)result;
	}
	for (uint32_t i = 0; i < n; i++)
		add(&free, bench_count((bench_fn *)frame_free, firsts[i], order, 0, NULL));
	bench_scene("frame order %u", order);
	bench_print("alloc", alloc.sum, n, "instructions");
	bench_print("free", free.sum, n, "instructions");
	bench_print("worst alloc", alloc.worst, 1, "instructions");
	bench_print("worst free", free.worst, 1, "instructions");
}

BENCH(quick_floors_frames)
{
	for (unsigned int order = 0; order <= FRAME_MAX_ORDER; order++)
		print_order(order);
}
