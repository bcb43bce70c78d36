/* SPDX-License-Identifier: MIT */
/* The kernel's heap: each function's contract, memory running out, interrupts. */
#include "kernel/dev/timer.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/cpu.h"
#include "tests/kernel/ktest.h"

#include <string.h>

static bool all(const void *ptr, unsigned char value, size_t n)
{
	const unsigned char *bytes = ptr;

	while (n > 0)
		if (bytes[--n] != value)
			return false;
	return true;
}

KTEST(kmalloc_gives_aligned_memory_in_the_heaps_region)
{
	char *ptr = kmalloc(100);

	CHECK(ptr && (uintptr_t)ptr % HEAP_ALIGN == 0);
	CHECK((uintptr_t)ptr >= HEAP_BASE && (uintptr_t)ptr < HEAP_LIMIT);
	CHECK(ksize(ptr) >= 100);
	kfree(ptr);
}

KTEST(kmalloc_of_0_gives_distinct_blocks_that_are_freed_like_any)
{
	void *first = kmalloc(0), *second = kmalloc(0);

	CHECK(first && second && first != second);
	kfree(first);
	kfree(second);
}

KTEST(kfree_of_null_does_nothing)
{
	kfree(NULL);
	kfree_sensitive(NULL);
	CHECK_EQ(ksize(NULL), 0);
	CHECK_EQ(kernel_brk.end, kernel_brk.base);
}

KTEST(cleared_allocations_are_zero_where_the_memory_was_used_before)
{
	char *ptr = kmalloc(1000);

	CHECK(ptr);
	memset(ptr, 0xFF, 1000);
	kfree(ptr);
	ptr = kzalloc(1000);
	CHECK(ptr && all(ptr, 0, 1000));
	memset(ptr, 0xFF, 1000);
	kfree(ptr);
	ptr = kcalloc(10, 100);
	CHECK(ptr && all(ptr, 0, 1000));
	kfree(ptr);
}

KTEST(products_that_overflow_are_refused)
{
	void *ptr = kmalloc(10);

	CHECK(ptr);
	CHECK(!kcalloc(SIZE_MAX / 2, 3));
	CHECK(!kmalloc_array(0x10000, 0x10000));
	CHECK(!kmalloc_array(SIZE_MAX, 2));
	CHECK(!krealloc_array(ptr, 0x10001, 0x10000));
	kfree(ptr);
	ptr = kmalloc_array(3, 7);
	CHECK(ptr && ksize(ptr) >= 21);
	ptr = krealloc_array(ptr, 30, 7);
	CHECK(ptr && ksize(ptr) >= 210);
	kfree(ptr);
}

KTEST(sizes_near_the_end_of_all_numbers_are_refused)
{
	for (size_t i = 0; i < 100; i++) {
		CHECK(!kmalloc(SIZE_MAX - i));
		CHECK(!kmalloc((size_t)PTRDIFF_MAX - i));
		CHECK(!kzalloc(SIZE_MAX - i));
		CHECK(!kmemalign(64, SIZE_MAX - i));
		CHECK(!kmemdup("", SIZE_MAX - i));
		CHECK(!krealloc(NULL, SIZE_MAX - i));
	}
}

KTEST(kmemalign_aligns_to_powers_of_two_and_refuses_others)
{
	for (size_t align = 1; align <= 65536; align *= 2) {
		void *ptr = kmemalign(align, 100);

		CHECK(ptr && (uintptr_t)ptr % align == 0);
		CHECK(ksize(ptr) >= 100);
		kfree(ptr);
	}
	CHECK(!kmemalign(0, 10));
	CHECK(!kmemalign(3, 10));
	CHECK(!kmemalign(48, 10));
}

KTEST(krealloc_keeps_contents_growing_and_shrinking)
{
	char *ptr = krealloc(NULL, 10), *wall;

	CHECK(ptr);
	memset(ptr, 1, 10);
	wall = kmalloc(10); /* so that it has to move */
	CHECK(wall);
	ptr = krealloc(ptr, 5000);
	CHECK(ptr && all(ptr, 1, 10));
	memset(ptr, 2, 5000);
	ptr = krealloc(ptr, 20);
	CHECK(ptr && all(ptr, 2, 20));
	ptr = krealloc(ptr, 0);
	CHECK(ptr);
	kfree(ptr);
	kfree(wall);
}

KTEST(krealloc_that_fails_leaves_the_old_block)
{
	char *ptr = kmalloc(100), *wall = kmalloc(10);

	CHECK(ptr && wall);
	memset(ptr, 3, 100);
	CHECK(!krealloc(ptr, HEAP_LIMIT - HEAP_BASE));
	CHECK(all(ptr, 3, 100));
	kfree(ptr);
	kfree(wall);
}

KTEST(copies_are_equal_and_terminated)
{
	char *copy = kmemdup("abcdef", 6), *string = kstrdup("hello"), *part = kstrndup("hello", 3);

	CHECK(copy && memcmp(copy, "abcdef", 6) == 0);
	CHECK(string && strcmp(string, "hello") == 0);
	CHECK(part && strcmp(part, "hel") == 0);
	CHECK(!kstrdup(NULL) && !kstrndup(NULL, 4));
	kfree(copy);
	kfree(string);
	kfree(part);
}

KTEST(sensitive_contents_are_gone_after_kfree_sensitive)
{
	char *wall, *ptr = kmalloc(64), *again;

	wall = kmalloc(8);
	CHECK(ptr && wall);
	memset(ptr, 0x77, 64);
	kfree_sensitive(ptr);
	again = kmalloc(64);
	CHECK(again == ptr);
	CHECK(all(again + 2 * sizeof(void *), 0, 64 - 2 * sizeof(void *) - sizeof(size_t)));
	kfree(again);
	kfree(wall);
}

/* Takes memory until there is none, in ever smaller blocks, chained through themselves. */
static void **take_all(void)
{
	void **last = NULL, **ptr;

	for (size_t size = 1 << 20; size >= sizeof(void *); size /= 4) {
		while ((ptr = kmalloc(size))) {
			*ptr = last;
			last = ptr;
		}
	}
	return last;
}

KTEST(memory_runs_out_as_null_and_all_of_it_comes_back)
{
	uint32_t free = frame_count(FRAME_FREE), left;
	void **last = take_all(), **next;
	bool refused = !kmalloc(1) && !kzalloc(1) && !kmemalign(64, 1) && !kstrdup("x");

	left = frame_count(FRAME_FREE);
	for (; last; last = next) {
		next = *last;
		kfree(last);
	}
	CHECK(refused);
	CHECK(left < 16 || free > (HEAP_LIMIT - HEAP_BASE) >> PAGE_SHIFT);
	kheap_trim(0);
	CHECK_EQ(frame_count(FRAME_FREE), free);
}

/* The blocks that wait would do, were they one; it is NULL when they are, and still too short. */
KTEST(kmalloc_gives_null_only_after_all_that_waits_has_been_merged)
{
	char *blocks[8], *wall, *ptr;
	struct heap_stats stats;
	size_t all = 0;

	for (size_t i = 0; i < 8; i++) { /* there is room for one of each length */
		CHECK((blocks[i] = kmalloc(44 + i * HEAP_ALIGN)));
		all += 48 + i * HEAP_ALIGN;
	}
	wall = kmalloc(1);
	heap_stats(&kernel_heap, &stats);
	ptr = krealloc(wall, ksize(wall) + stats.top); /* no top is left */
	CHECK(ptr && ptr == wall);
	for (size_t i = 0; i < 8; i++)
		kfree(blocks[i]);
	CHECK_EQ(heap_count_cached(&kernel_heap), all);
	frame_fail_at(1, UINT32_MAX);
	ptr = kmalloc(all);
	CHECK(!ptr);
	CHECK_EQ(heap_count_cached(&kernel_heap), 0);
	CHECK_EQ(heap_count_bins(&kernel_heap), all);
	ptr = kmalloc(all - HEAP_WORD);
	frame_fail_at(0, 0);
	CHECK(ptr == blocks[0]);
	kfree(ptr);
	kfree(wall);
}

KTEST(statistics_count_calls_failures_and_the_peak)
{
	struct kmalloc_stats before, after;
	size_t first_size, second_size;
	char *first, *second;

	kmalloc_stats(&before);
	first = kmalloc(100);
	second = kcalloc(3, 1000);
	CHECK(first && second);
	first_size = ksize(first);
	second_size = ksize(second);
	kfree(first);
	CHECK(!kmalloc(SIZE_MAX) && !kcalloc(SIZE_MAX, 2) && !krealloc(second, SIZE_MAX));
	second = krealloc(second, 10);
	CHECK(second);
	kmalloc_stats(&after);
	CHECK_EQ(after.allocations, before.allocations + 2);
	CHECK_EQ(after.reallocations, before.reallocations + 1);
	CHECK_EQ(after.frees, before.frees + 1);
	CHECK_EQ(after.failures, before.failures + 3);
	CHECK_EQ(after.granted, ksize(second));
	CHECK(after.peak_granted >= first_size + second_size);
	kfree(second);
	kfree(NULL);
	kmalloc_stats(&after);
	CHECK_EQ(after.frees, before.frees + 2);
	CHECK_EQ(after.granted, 0);
}

/* What the totals have grown by since @before. */
static bool totals_grew(struct kmalloc_stats *before, size_t asked, size_t granted)
{
	struct kmalloc_stats now;
	bool as_much;

	kmalloc_stats(&now);
	as_much = now.asked_total - before->asked_total == asked &&
		  now.granted_total - before->granted_total == granted;
	*before = now;
	return as_much;
}

KTEST(statistics_tell_what_was_asked_for_and_what_was_granted)
{
	struct kmalloc_stats before;
	char *ptr, *other, *aligned;

	kmalloc_stats(&before);
	CHECK((ptr = kmalloc(37)) && totals_grew(&before, 37, 44));
	CHECK((other = kcalloc(5, 10)) && totals_grew(&before, 50, 52));
	CHECK((aligned = kmemalign(64, 0)) && totals_grew(&before, 0, ksize(aligned)));
	CHECK(krealloc(ptr, 41) == ptr && totals_grew(&before, 41, 44));
	CHECK((ptr = krealloc(ptr, 100)) && totals_grew(&before, 100, 100));
	CHECK(!kmalloc(SIZE_MAX) && !kcalloc(SIZE_MAX, 2) && !krealloc(ptr, SIZE_MAX));
	kfree(ptr);
	kfree(other);
	kfree(aligned);
	CHECK(totals_grew(&before, 0, 0));
	CHECK((ptr = krealloc(NULL, 1)) && totals_grew(&before, 1, 12));
	kfree(ptr);
}

KTEST(slack_is_what_was_granted_and_not_asked_for)
{
	static const struct {
		uint64_t asked, granted;
		unsigned int slack;
	} rows[] = {
		{ 0, 0, 0 },
		{ 0, 12, 1000 },
		{ 12, 12, 0 },
		{ 37, 44, 159 },
		{ 3 << 20, 4 << 20, 250 },
		{ 3ULL << 60, 4ULL << 60, 250 },
		{ 0xFFFFFFFF, 0x1FFFFFFFFULL, 500 },
		{ 0, UINT64_MAX, 1000 },
		{ UINT64_MAX, UINT64_MAX, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct kmalloc_stats stats = { .asked_total = rows[i].asked,
					       .granted_total = rows[i].granted };

		CHECK_EQ(kmalloc_slack(&stats), rows[i].slack);
	}
}

KTEST(statistics_of_the_heap_tell_sizes_fragmentation_and_peak)
{
	struct heap_stats stats;
	char *blocks[4];

	for (unsigned int i = 0; i < 4; i++)
		CHECK((blocks[i] = kmalloc(1000)));
	kfree(blocks[0]);
	kfree(blocks[2]);
	heap_stats(&kernel_heap, &stats);
	CHECK_EQ(stats.sizes[9], 2); /* 512 to 1023 */
	CHECK_EQ(stats.sizes[10], 0);
	CHECK_EQ(stats.largest_free, stats.top);
	CHECK_EQ(stats.fragmentation, stats.binned * 1000 / (stats.binned + stats.top));
	CHECK(stats.fragmentation > 0);
	CHECK(stats.peak >= stats.total && stats.total == kernel_brk.end - HEAP_BASE);
	kfree(blocks[1]);
	kfree(blocks[3]);
	heap_stats(&kernel_heap, &stats);
	CHECK_EQ(stats.sizes[9], 0);
	CHECK_EQ(stats.fragmentation, 0);
}

static unsigned int violations;

static void count_violation(struct heap *heap, const struct heap_fault *fault)
{
	(void)heap;
	violations += fault->kind == HEAP_FAULT_NOT_USED;
}

/* Where the fault hook returns, as only a test's does. */
KTEST(freed_block_is_neither_resized_nor_freed_again)
{
	heap_fault_hook *hook = kernel_heap.fault;
	char *ptr = kmalloc(100), *wall = kmalloc(10), *moved;

	CHECK(ptr && wall);
	kfree(ptr);
	violations = 0;
	heap_set_fault(&kernel_heap, count_violation);
	moved = krealloc(ptr, 200);
	kfree(ptr);
	heap_set_fault(&kernel_heap, hook);
	CHECK(!moved);
	CHECK_EQ(violations, 2);
	kfree(wall);
}

#define RING 16
static void *volatile ring[RING];
static volatile uint32_t interrupts;

/* Frees what an earlier interrupt has allocated, and allocates again. */
static void allocate_in_interrupt(void)
{
	uint32_t i = interrupts++ % RING;

	kfree(ring[i]);
	ring[i] = kmalloc(i * 20 + 1);
}

static timer_hook *watch; /* the framework's, which must go on */

static void allocate_and_watch(void)
{
	allocate_in_interrupt();
	watch();
}

KTEST(interrupt_handlers_allocate_while_we_do)
{
	uint32_t until;

	interrupts = 0;
	watch = timer_set_hook(NULL);
	timer_set_hook(allocate_and_watch);
	until = timer_ticks() + 50;
	while ((int32_t)(timer_ticks() - until) < 0) {
		void *ptr = kmalloc(ktest_random() % 500);

		kfree(krealloc(ptr, ktest_random() % 500));
	}
	timer_set_hook(watch);
	for (unsigned int i = 0; i < RING; i++) {
		kfree(ring[i]);
		ring[i] = NULL;
	}
	CHECK(interrupts > 10);
}
