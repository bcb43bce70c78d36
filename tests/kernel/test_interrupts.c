/* SPDX-License-Identifier: MIT */
/*
 * Interrupts whose handlers allocate and free, at every point of a call.
 *
 * A call is run one instruction at a time. Before the k-th instruction at which
 * an interrupt could come, because interrupts are on there, the handler runs, as
 * it would in an interrupt: then the call goes on. This is repeated for k = 1, 2,
 * ... until the call ends before there is a k-th.
 */
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"

#include <string.h>

#define HELD  4
#define LARGE 100000

static uint32_t armed_at, open_points; /* the k, and how many points there have been */
static uint32_t closed, longest;       /* instructions with interrupts off, now and at most */
static char *held[HELD];
static unsigned int turns;

/* What a driver might do: gives back what an earlier interrupt took, takes and resizes. */
static void handler(void)
{
	unsigned int i = turns++ % HELD;

	kfree(held[i]);
	held[i] = kmalloc(i * 40 + 1);
	if (held[i])
		held[i] = krealloc(held[i], i * 90 + 1);
}

static void look(const struct trap_frame *frame)
{
	if (!(frame->eflags & EFLAGS_IF)) {
		closed++;
		longest = closed > longest ? closed : longest;
		return;
	}
	closed = 0;
	if (++open_points == armed_at)
		handler();
}

static void release_held(void)
{
	for (unsigned int i = 0; i < HELD; i++) {
		kfree(held[i]);
		held[i] = NULL;
	}
}

static bool all(const char *bytes, char value, size_t n)
{
	while (n > 0)
		if (bytes[--n] != value)
			return false;
	return true;
}

/* One scenario: before the call, the call, and whether all is well after it. */
struct scenario {
	void (*prepare)(void);
	void (*call)(void *);
	bool (*finish)(void);
};

static char *block, *wall;

static void sweep(const char *name, const struct scenario *scenario)
{
	uint32_t k = 0;

	longest = 0;
	do {
		armed_at = ++k;
		open_points = closed = 0;
		scenario->prepare();
		trap_step(scenario->call, NULL, look);
		CHECK(heap_check(&kernel_heap, NULL));
		CHECK(scenario->finish());
		release_held();
		kheap_trim(SIZE_MAX); /* the next round finds no other heap */
	} while (open_points >= armed_at);
	kprintf("# %s: %u points, at most %u instructions with interrupts off\n", name, k - 1,
		longest);
	CHECK(k > 5);
}

static void prepare_nothing(void)
{
	block = wall = NULL;
}

static void prepare_block(void)
{
	block = kmalloc(200);
	wall = kmalloc(10);
	if (block)
		memset(block, 5, 200);
}

static uintptr_t break_before;

static void prepare_large(void)
{
	block = kmalloc(3 * LARGE);
	wall = NULL;
	break_before = kernel_brk.end;
}

/* One waits in the list that the call takes from. */
static void prepare_cached(void)
{
	prepare_block();
	kfree(block);
	block = NULL;
}

/* The quick list that the call would put it into is full; free blocks lie on either side. */
static void prepare_full(void)
{
	char *blocks[HEAP_QUICK_MOST], *before = kmalloc(200);

	block = kmalloc(200);
	for (unsigned int i = 0; i < HEAP_QUICK_MOST; i++)
		blocks[i] = kmalloc(200);
	wall = kmalloc(10);
	for (unsigned int i = HEAP_QUICK_MOST; i-- > 0;) /* as many wait as there is room for */
		kfree(blocks[i]);
	kfree(before);
}

/* As much as waits in a heap of this size, each block between two that are free. */
static void prepare_all_that_waits(void)
{
	static char *blocks[2 * HEAP_QUICK_MOST];

	for (size_t size = HEAP_MIN_BLOCK; size <= HEAP_MAX_SMALL; size += HEAP_ALIGN) {
		for (unsigned int i = 0; i < 2 * HEAP_QUICK_MOST; i++)
			blocks[i] = i % 2 ? kmalloc(size - HEAP_WORD) : kmalloc(HEAP_MAX_SMALL);
		for (unsigned int i = 0; i < 2 * HEAP_QUICK_MOST; i++)
			kfree(blocks[i]);
	}
	block = wall = NULL;
}

static char *free_before;

static void prepare_slide(void)
{
	free_before = kmalloc(2000);
	block = kmalloc(2000);
	wall = kmalloc(10);
	if (block)
		memset(block, 5, 200);
	kfree(free_before);
}

static bool finish(void)
{
	bool whole = block && all(block, 5, 200);

	kfree(block);
	kfree(wall);
	return whole;
}

static bool finish_fresh(void)
{
	if (!block)
		return false;
	memset(block, 5, 200);
	return finish();
}

static bool finish_freed(void)
{
	kfree(wall);
	return !block;
}

/* Unless the handler's blocks have taken some of the room before. */
static bool finish_slid(void)
{
	bool slid = block == free_before;

	return finish() && (open_points >= armed_at || slid);
}

/* Unless the handler's blocks have come to lie behind. */
static bool finish_trimmed(void)
{
	return !block && (open_points >= armed_at || kernel_brk.end < break_before);
}

static void call_kmalloc(void *unused)
{
	(void)unused;
	block = kmalloc(200);
}

static void call_kmalloc_large(void *unused)
{
	(void)unused;
	block = kmalloc(LARGE);
}

static void call_kzalloc(void *unused)
{
	(void)unused;
	block = kzalloc(300);
}

static void call_kmemalign(void *unused)
{
	(void)unused;
	block = kmemalign(256, 200);
}

static void call_kfree(void *unused)
{
	(void)unused;
	kfree(block);
	block = NULL;
}

static void call_krealloc_less(void *unused)
{
	(void)unused;
	block = krealloc(block, 200);
}

static void call_krealloc_more(void *unused)
{
	(void)unused;
	block = krealloc(block, 5000);
}

/* More than there is, and no frame to be had: all that waits is merged before it gives NULL. */
static void call_kmalloc_in_vain(void *unused)
{
	(void)unused;
	frame_fail_at(1, UINT32_MAX);
	block = kmalloc(30 * LARGE);
	frame_fail_at(0, 0);
}

static void call_krealloc_slide(void *unused)
{
	(void)unused;
	block = krealloc(block, 3900);
}

static void call_ksbrk(void *unused)
{
	void *before = ksbrk(3 * PAGE_SIZE);

	(void)unused;
	if (before != BRK_FAILED && ksbrk(0) == (char *)before + 3 * PAGE_SIZE)
		ksbrk(-(intptr_t)(3 * PAGE_SIZE));
}

static bool finish_nothing(void)
{
	return !block && !wall;
}

#define SWEEP(function, before, call, after)                                                       \
	KTEST(interrupt_at_every_point_of_##function)                                              \
	{                                                                                          \
		static const struct scenario scenario = { before, call, after };                   \
		sweep(#function, &scenario);                                                       \
	}

SWEEP(kmalloc, prepare_nothing, call_kmalloc, finish_fresh)
SWEEP(kmalloc_of_a_block_that_waits, prepare_cached, call_kmalloc, finish_fresh)
SWEEP(kmalloc_that_merges_all_that_waits, prepare_all_that_waits, call_kmalloc_in_vain,
      finish_nothing)
SWEEP(kmalloc_that_grows_the_heap, prepare_nothing, call_kmalloc_large, finish_fresh)
SWEEP(kzalloc, prepare_nothing, call_kzalloc, finish_fresh)
SWEEP(kmemalign, prepare_nothing, call_kmemalign, finish_fresh)
SWEEP(kfree, prepare_block, call_kfree, finish_freed)
SWEEP(kfree_that_merges, prepare_full, call_kfree, finish_freed)
SWEEP(kfree_that_trims_the_heap, prepare_large, call_kfree, finish_trimmed)
SWEEP(krealloc_in_place, prepare_block, call_krealloc_less, finish)
SWEEP(krealloc_that_slides, prepare_slide, call_krealloc_slide, finish_slid)
SWEEP(krealloc_with_a_copy, prepare_block, call_krealloc_more, finish)
SWEEP(ksbrk, prepare_nothing, call_ksbrk, finish_nothing)
