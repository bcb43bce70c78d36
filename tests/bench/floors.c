/* SPDX-License-Identifier: MIT */
/*
 * What the floors below the heap cost. Figures are taken twice, with little there
 * already and with much, since nothing here may grow with what is there.
 */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/run.h"
#include "tests/bench/bench.h"

#include <string.h>

#define STEP   256U /* pages moved at a time */
#define FRAMES 4096U
#define HELD   64U /* blocks at most that fill the free lists below FRAME_MAX_ORDER */
#define ROW    3U  /* largest blocks that lie in pieces at the same time */
#define ORDERS (FRAME_MAX_ORDER + 1)

/* The break. */

/* Instructions for moving the break over so many pages; 0 if it cannot be moved. */
static uint32_t cost_of(intptr_t pages)
{
	uintptr_t before;
	uint32_t cost = bench_count((bench_fn *)ksbrk, (uintptr_t)(pages * (intptr_t)PAGE_SIZE), 0,
				    0, &before);

	return before == (uintptr_t)BRK_FAILED ? 0 : cost;
}

/* Half of the pages that could still be mapped, in bytes. */
static intptr_t half_of_all(void)
{
	uint32_t room = (HEAP_LIMIT - HEAP_BASE) >> PAGE_SHIFT;
	uint32_t free = frame_count(FRAME_FREE);

	return (intptr_t)((free < room ? free : room) / 2 / STEP * STEP * PAGE_SIZE);
}

struct break_costs {
	uint32_t grow, shrink;	       /* STEP pages */
	uint32_t grow_one, shrink_one; /* a page by itself */
};

/* One page lies below the break already, and so its page table is there. */
static struct break_costs break_costs(void)
{
	struct break_costs costs;

	if (ksbrk(PAGE_SIZE) == BRK_FAILED)
		return (struct break_costs){ 0 };
	costs.grow = cost_of(STEP);
	costs.shrink = cost_of(-(intptr_t)STEP);
	costs.grow_one = cost_of(1);
	costs.shrink_one = cost_of(-1);
	ksbrk(-(intptr_t)PAGE_SIZE);
	return costs;
}

static void print_pages(const char *name, const struct break_costs *costs)
{
	bench_scene("break %s", name);
	bench_print("growth", costs->grow, STEP, "instructions");
	bench_print("shrinking", costs->shrink, STEP, "instructions");
	bench_print("growth by one page", costs->grow_one, 1, "instructions");
	bench_print("shrinking by one page", costs->shrink_one, 1, "instructions");
}

static bool is_near(uint32_t figure, uint32_t other)
{
	return figure > 0 && figure <= other + other / 20;
}

/* For each page. */
BENCH(quick_floors_break_costs_the_same_per_page_however_much_is_mapped)
{
	struct break_costs little = break_costs(), much;
	intptr_t half = half_of_all();

	CHECK(ksbrk(half) != BRK_FAILED);
	much = break_costs();
	CHECK(ksbrk(-half) != BRK_FAILED);
	print_pages("with little mapped", &little);
	print_pages("with half of all mapped", &much);
	CHECK(little.grow > 0 && little.shrink > 0 && is_near(much.grow, little.grow));
	CHECK(is_near(much.shrink, little.shrink));
}

/* Page frames. */

/* What it takes to take a block and to free it; 0 where that was refused. */
struct frame_costs {
	uint32_t alloc, free;
};

static uint32_t cost_of_alloc(unsigned int order, uint32_t *first)
{
	uintptr_t result;
	uint32_t cost = bench_count((bench_fn *)frame_alloc, order, FRAME_OTHER, 0, &result);

	*first = (uint32_t)result;
	return *first ? cost : 0;
}

static uint32_t cost_of_free(unsigned int order, uint32_t first)
{
	uintptr_t refusal;
	uint32_t cost = bench_count((bench_fn *)frame_free, first, order, 0, &refusal);

	return refusal == FRAME_FREED ? cost : 0;
}

static struct {
	uint32_t first;
	unsigned int order;
} held[HELD];

static unsigned int nheld;

/* Takes blocks of an order until one would come out of a largest block. */
static void drain(unsigned int order)
{
	while (nheld < HELD) {
		uint32_t whole = frame_free_blocks(FRAME_MAX_ORDER);
		uint32_t first = frame_alloc(order, FRAME_OTHER);

		if (frame_free_blocks(FRAME_MAX_ORDER) < whole) {
			frame_free(first, order);
			return;
		}
		held[nheld].order = order;
		held[nheld++].first = first;
	}
}

/* From here on the next block of any order is cut from a largest one. */
static void drain_all(void)
{
	nheld = 0;
	for (unsigned int order = FRAME_MAX_ORDER; order-- > 0;)
		drain(order);
}

static void give_held(void)
{
	while (nheld-- > 0)
		frame_free(held[nheld].first, held[nheld].order);
}

/*
 * A largest block in pieces: two of @order, of which the first is the one to be
 * freed last, and one of each order above. Gives the cost of the first, which
 * splits the whole block.
 */
static uint32_t cut_up(unsigned int order, uint32_t pieces[ORDERS])
{
	uint32_t cost = cost_of_alloc(order, &pieces[0]);

	for (unsigned int i = order; i < FRAME_MAX_ORDER; i++)
		pieces[i + 1] = frame_alloc(i, FRAME_OTHER);
	return cost;
}

/*
 * A block of @order is cut from a largest one, and merges up to it again when it
 * is freed. @rows such lie in pieces, all of which are free but the first; then
 * that of @row is freed. So each of its buddies is alone in its list, or lies at
 * the end or the beginning, or between two others.
 */
static struct frame_costs extreme_costs(unsigned int order, unsigned int rows, unsigned int row)
{
	static uint32_t pieces[ROW][ORDERS];
	struct frame_costs costs = { 0, 0 };

	for (unsigned int i = 0; i < rows; i++)
		costs.alloc = cut_up(order, pieces[i]);
	for (unsigned int i = 0; i < rows; i++)
		for (unsigned int j = order; j < FRAME_MAX_ORDER; j++)
			frame_free(pieces[i][j + 1], j);
	costs.free = cost_of_free(order, pieces[row][0]);
	for (unsigned int i = 0; i < rows; i++)
		if (i != row)
			frame_free(pieces[i][0], order);
	return costs;
}

static bool is_counted(struct frame_costs costs)
{
	return costs.alloc > 0 && costs.free > 0;
}

static uint32_t greater(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* The worst there is. */
static struct frame_costs worst_costs(unsigned int order)
{
	struct frame_costs worst = extreme_costs(order, 1, 0);

	for (unsigned int row = 0; row < ROW; row++) {
		struct frame_costs costs = extreme_costs(order, ROW, row);

		if (!is_counted(costs))
			return costs;
		worst.alloc = greater(worst.alloc, costs.alloc);
		worst.free = greater(worst.free, costs.free);
	}
	return worst;
}

/* A block that is listed, and whose buddy is in use: nothing to split, nothing to merge. */
static struct frame_costs plain_costs(unsigned int order)
{
	uint32_t first = frame_alloc(order, FRAME_OTHER);
	uint32_t buddy = frame_alloc(order, FRAME_OTHER), again;
	struct frame_costs costs;

	frame_free(first, order);
	costs.alloc = cost_of_alloc(order, &again);
	costs.free = cost_of_free(order, again);
	frame_free(buddy, order);
	return again == first ? costs : (struct frame_costs){ 0, 0 };
}

struct order_costs {
	struct frame_costs plain, worst;
};

static void measure_frames(struct order_costs costs[ORDERS])
{
	drain_all();
	for (unsigned int order = 0; order < ORDERS; order++) {
		costs[order].plain = plain_costs(order);
		costs[order].worst = worst_costs(order);
	}
	give_held();
}

static void print_order(unsigned int order, const struct order_costs *costs)
{
	bench_scene("frame order %u", order);
	bench_print("plain alloc", costs->plain.alloc, 1, "instructions");
	bench_print("plain free", costs->plain.free, 1, "instructions");
	bench_print("worst alloc", costs->worst.alloc, 1, "instructions");
	bench_print("worst free", costs->worst.free, 1, "instructions");
}

static bool is_within(struct frame_costs costs, struct frame_costs worst)
{
	return is_counted(costs) && costs.alloc <= worst.alloc && costs.free <= worst.free;
}

/*
 * Blocks of one order, 16 MiB in all, are taken and given back in the same order.
 * Whether none was refused, and none took more than what is said to be the worst.
 */
static bool measure_row(unsigned int order, struct frame_costs worst)
{
	static uint32_t firsts[FRAMES];
	static struct frame_costs costs[FRAMES];
	uint32_t n = FRAMES >> order, alloc = 0, free = 0;
	bool within = true;

	for (uint32_t i = 0; i < n; i++)
		costs[i].alloc = cost_of_alloc(order, &firsts[i]);
	for (uint32_t i = 0; i < n; i++)
		costs[i].free = cost_of_free(order, firsts[i]);
	for (uint32_t i = 0; i < n; i++) {
		alloc += costs[i].alloc;
		free += costs[i].free;
		within = within && is_within(costs[i], worst);
	}
	bench_scene("frame order %u", order);
	bench_print("alloc", alloc, n, "instructions");
	bench_print("free", free, n, "instructions");
	return within;
}

BENCH(quick_floors_frames_cost_the_same_by_order_however_much_is_mapped)
{
	static struct order_costs little[ORDERS], much[ORDERS];
	intptr_t half = half_of_all();

	measure_frames(little);
	CHECK(ksbrk(half) != BRK_FAILED);
	measure_frames(much);
	CHECK(ksbrk(-half) != BRK_FAILED);
	for (unsigned int order = 0; order < ORDERS; order++) {
		print_order(order, &little[order]);
		CHECK(is_within(little[order].plain, little[order].worst));
		CHECK(measure_row(order, little[order].worst));
	}
	CHECK(memcmp(little, much, sizeof(little)) == 0);
}

/* The start. */

/* Memory map, probe, frame states, free lists and the direct map, for each frame there is. */
BENCH(quick_floors_setting_up_memory_for_each_frame)
{
	CHECK(memory_setup_cycles > 0);
	bench_scene("boot");
	bench_print("frame", memory_setup_cycles, frame_total(), "instructions");
}
