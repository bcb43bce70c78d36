/* SPDX-License-Identifier: MIT */
/*
 * The heap under a fuzzer that looks which code is reached (libFuzzer): bytes
 * are operations, and whatever they are, the heap must agree with a table of
 * what should be there. What it has found worth keeping is in corpus.txt.
 *
 *	first byte	the company of the break, and how much memory there is
 *	then always	operation and slot, two bytes for a size
 *
 * A fuzzer wants a crash: TAP_MUST() leaves with a failure, which is one to it.
 */
#include "arena.h"
#include "kernel/mm/heap.h"
#include "quick_lists.h"
#include "tap.h"

#include <string.h>

#define SLOTS	    16
#define PAGE	    ((size_t)4096)
#define LARGEST	    ((size_t)2 << 20)
#define CHECK_EVERY 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct heap heap;
static unsigned int faults;

static struct slot {
	unsigned char *ptr;
	size_t size;
} slots[SLOTS];

/* What blocks hold, each from another place on. */
static unsigned char pattern[LARGEST + SLOTS];

static void on_fault(struct heap *of, const struct heap_fault *fault)
{
	TAP_MUST(of == &heap && fault->kind != HEAP_SOUND);
	faults++;
}

static void draw_pattern(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(pattern); i++) {
		state = state * 1664525 + 1013904223;
		pattern[i] = (unsigned char)(state >> 24);
	}
}

static void fill(const struct slot *slot, size_t from)
{
	if (from < slot->size)
		memcpy(slot->ptr + from, pattern + (slot - slots) + from, slot->size - from);
}

static void must_be_intact(const struct slot *slot, size_t size)
{
	TAP_MUST(memcmp(slot->ptr, pattern + (slot - slots), size) == 0);
}

/* All of the top or its last part of a page, with @slot's block or without, give or take a bit. */
static size_t size_near_top(const struct slot *slot, uint8_t high, uint8_t low)
{
	struct heap_stats stats;
	size_t size;

	heap_stats(&heap, &stats);
	size = high & 1 ? stats.top : stats.top % PAGE;
	if (high & 2)
		size += heap_usable_size(&heap, slot->ptr);
	return size + (size_t)(low & 15) * HEAP_WORD - 8 * HEAP_WORD;
}

/* The upper bits choose a range. Some hit by purpose what chance would take long to hit. */
static size_t decode_size(const struct slot *slot, uint8_t high, uint8_t low)
{
	size_t n = (size_t)(high & 31) << 8 | low;

	switch (high >> 5) {
	case 0:
		return low;
	case 1:
		return slots[low % SLOTS].size + (high & 15) * HEAP_WORD - 8 * HEAP_WORD;
	case 2:
		return n;
	case 3:
		return size_near_top(slot, high, low);
	case 4:
		return n * HEAP_WORD;
	case 5:
		return n * 16 + (high & 1);
	case 6:
		return ((size_t)1 << (high & 15)) + low - 128;
	default:
		return n < 4096 ? n * 64 : HEAP_MAX_REQUEST - n;
	}
}

static void examine(void)
{
	size_t granted = 0, blocks = 0;
	struct heap_stats stats;

	TAP_MUST(heap_check(&heap, NULL));
	for (const struct slot *slot = slots; slot < slots + SLOTS; slot++) {
		if (!slot->ptr)
			continue;
		must_be_intact(slot, slot->size);
		granted += heap_usable_size(&heap, slot->ptr);
		blocks++;
	}
	heap_stats(&heap, &stats);
	TAP_MUST(stats.granted == granted && stats.granted_blocks == blocks);
	TAP_MUST(stats.total == heap.given && quick_lists_are_right(&heap));
	TAP_MUST(stats.binned == heap_count_bins(&heap) &&
		 stats.cached == heap_count_cached(&heap));
}

/* A request was refused: it can never be had, or nothing waits that could make up for it. */
static void must_be_all(size_t size)
{
	TAP_MUST(size > HEAP_MAX_REQUEST - LARGEST || heap_count_cached(&heap) == 0);
}

static void adopt(struct slot *slot, unsigned char *ptr, size_t size, size_t align)
{
	if (!ptr) {
		must_be_all(size);
		return;
	}
	TAP_MUST((uintptr_t)ptr % align == 0 && heap_usable_size(&heap, ptr) >= size);
	*slot = (struct slot){ ptr, size };
	fill(slot, 0);
}

static void resize(struct slot *slot, size_t size)
{
	size_t kept = size < slot->size ? size : slot->size;
	unsigned char *ptr = heap_realloc(&heap, slot->ptr, size);

	if (!ptr) {
		must_be_all(size);
		must_be_intact(slot, slot->size);
		return;
	}
	TAP_MUST((uintptr_t)ptr % HEAP_ALIGN == 0 && heap_usable_size(&heap, ptr) >= size);
	*slot = (struct slot){ ptr, size };
	must_be_intact(slot, kept);
	fill(slot, kept);
}

static void drop(struct slot *slot)
{
	size_t usable = heap_usable_size(&heap, slot->ptr), room = heap.quick_room;

	must_be_intact(slot, slot->size);
	TAP_MUST(heap_free(&heap, slot->ptr) == usable + HEAP_WORD);
	TAP_MUST(heap.quick_room <= room || heap.quick_room <= heap.quick_limit);
	slot->ptr = NULL;
}

/* The second time nothing happens, but for a fault. */
static void drop_twice(struct slot *slot)
{
	unsigned char *ptr = slot->ptr;

	drop(slot);
	TAP_MUST(heap_free(&heap, ptr) == 0 && faults == 1);
	faults = 0;
}

static void with_block(struct slot *slot, unsigned int what, size_t size)
{
	if (what < 6)
		resize(slot, size);
	else if (what < 14)
		drop(slot);
	else
		drop_twice(slot);
}

static void step(const uint8_t *data)
{
	unsigned int what = data[0] & 15;
	struct slot *slot = &slots[data[0] >> 4];
	size_t size = decode_size(slot, data[1], data[2]), align = (size_t)1 << data[2] % 18;

	if (what == 15)
		heap_trim(&heap, size);
	else if (slot->ptr)
		with_block(slot, what, size);
	else if (what < 12)
		adopt(slot, heap_malloc(&heap, size), size, HEAP_ALIGN);
	else
		adopt(slot, heap_memalign(&heap, align, size), size, align);
	TAP_MUST(faults == 0);
}

static void end(enum arena_company company)
{
	examine();
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		if (slot->ptr)
			drop(slot);
	heap_trim(&heap, 0);
	examine();
	TAP_MUST(faults == 0);
	if (company == ARENA_ALONE || company == ARENA_POOR)
		TAP_MUST(arena_is_empty() && heap.given == 0);
}

/* Where a page begins in the arena, so that the same bytes do the same in each build. */
static size_t to_page(void)
{
	arena_reset(ARENA_ALONE, 0, 0, 1);
	return -(uintptr_t)arena_sbrk(0) % PAGE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool drawn;
	enum arena_company company;

	if (!drawn)
		draw_pattern();
	drawn = true;
	if (size == 0)
		return 0;
	company = (enum arena_company)(data[0] & 3);
	arena_reset(company, (size_t)(data[0] >> 4) * 20 * PAGE, to_page() + (data[0] >> 2 & 3),
		    data[0]);
	heap_init(&heap, arena_sbrk);
	heap_set_fault(&heap, on_fault);
	for (size_t i = 1, steps = 1; i + 3 <= size; i += 3, steps++) {
		step(data + i);
		if (steps % CHECK_EVERY == 0)
			examine();
	}
	end(company);
	return 0;
}
