/* SPDX-License-Identifier: MIT */
/*
 * All sequences of requests: every malloc, free and realloc of three blocks in
 * five sizes, up to a depth, on heaps of every size from nothing at all to where
 * nothing is refused any more.
 *
 *	heap_sequences [DEPTH]		or DEPTH in the environment
 *
 * After each step the heap is examined, and the contents of all blocks. After
 * each sequence everything is freed, and then the heap must be gone. A step is
 * taken back by a copy of the heap and its memory, instead of starting over.
 *
 * The hook is asked for whole pages, so that of the memory there is, a page
 * more or less matters. A request goes to the first slot that is empty: another
 * one would make the same sequence under other names.
 */
#include "kernel/mm/heap.h"
#include "poison.h"
#include "tap.h"

#include <string.h>

#ifndef SEQUENCES_DEPTH
#define SEQUENCES_DEPTH 4
#endif

#define SLOTS	3
#define SIZES	5
#define DEEPEST 8
#define PAGE	((size_t)4096)
#define ROOM	(512 * PAGE)
#define LARGEST 140000
#define SEEDS	4093

/* What is tried with each slot. */
struct family {
	const char *name;
	size_t sizes[SIZES];
	bool aligned;	   /* heap_memalign() too */
	bool apart;	   /* memory never follows on what was given before */
	unsigned int less; /* by so many the depth is less */
	size_t step;	   /* from one limit to the next */
};

struct slot {
	unsigned char *ptr;
	size_t size, seed;
};

/* A stretch of memory given by a hook that leaves gaps. */
struct stretch {
	unsigned char *before, *start;
};

/* All that a step changes, but for the memory itself. */
struct state {
	struct heap heap;
	struct slot slots[SLOTS];
	unsigned char *end;
	struct stretch stretches[4 * DEEPEST];
	unsigned int gaps;
};

static _Alignas(4096) unsigned char room[ROOM];
static unsigned char pattern[LARGEST + SEEDS];

static struct state now;
static struct {
	struct state state;
	unsigned char room[ROOM];
} saved[DEEPEST + 1];

static const struct family *family;
static size_t limit, next_seed;
static unsigned long sequences, steps, refused;

/* The hook */

static void *give(size_t n)
{
	unsigned char *before = now.end;
	size_t gap = family->apart ? PAGE : 0;

	if (n + gap > limit - (size_t)(before - room))
		return HEAP_SBRK_FAILED;
	if (gap) {
		TAP_MUST(now.gaps < sizeof(now.stretches) / sizeof(now.stretches[0]));
		now.stretches[now.gaps++] = (struct stretch){ before, before + gap };
	}
	ASAN_UNPOISON_MEMORY_REGION(before + gap, n);
	now.end = before + gap + n;
	return before + gap;
}

/* When a stretch is gone, so is the gap before it. */
static void *take_back(size_t n)
{
	unsigned char *before = now.end;

	TAP_MUST(n <= (size_t)(before - room));
	now.end -= n;
	if (now.gaps > 0) {
		const struct stretch *newest = &now.stretches[now.gaps - 1];

		TAP_MUST(now.end >= newest->start);
		if (now.end == newest->start) {
			now.end = newest->before;
			now.gaps--;
		}
	}
	ASAN_POISON_MEMORY_REGION(now.end, (size_t)(before - now.end));
	return before;
}

static void *hook(intptr_t increment)
{
	if (increment == 0)
		return now.end;
	return increment > 0 ? give((size_t)increment) : take_back((size_t)-increment);
}

/* Copies */

/* The memory given, one stretch after the other: the @i-th of them, NULL after the last. */
static unsigned char *given(unsigned int i, size_t *n)
{
	unsigned char *from = now.gaps ? now.stretches[i].start : room;
	unsigned char *to = i + 1 < now.gaps ? now.stretches[i + 1].before : now.end;

	if (i > 0 && i >= now.gaps)
		return NULL;
	*n = (size_t)(to - from);
	return from;
}

static void keep(unsigned int depth)
{
	unsigned char *from;
	size_t n;

	saved[depth].state = now;
	for (unsigned int i = 0; (from = given(i, &n)) != NULL; i++)
		memcpy(saved[depth].room + (from - room), from, n);
}

static void restore(unsigned int depth)
{
	unsigned char *from;
	size_t n;

	ASAN_POISON_MEMORY_REGION(room, (size_t)(now.end - room));
	now = saved[depth].state;
	for (unsigned int i = 0; (from = given(i, &n)) != NULL; i++) {
		ASAN_UNPOISON_MEMORY_REGION(from, n);
		memcpy(from, saved[depth].room + (from - room), n);
	}
}

/* Steps */

static void examine(void)
{
	struct heap_fault fault;

	if (heap_check(&now.heap, &fault))
		return;
	printf("# %s: block %p, %zx, %zx\n", heap_fault_name(fault.kind), fault.block,
	       fault.expected, fault.found);
	TAP_MUST(!"heap_check");
}

static void examine_slots(void)
{
	for (const struct slot *slot = now.slots; slot < now.slots + SLOTS; slot++)
		if (slot->ptr)
			TAP_MUST(memcmp(slot->ptr, pattern + slot->seed, slot->size) == 0);
}

static void done(void)
{
	steps++;
	examine();
	examine_slots();
}

static void adopt(struct slot *slot, unsigned char *ptr, size_t size, size_t align)
{
	if (ptr) {
		TAP_MUST((uintptr_t)ptr % align == 0);
		TAP_MUST(heap_usable_size(&now.heap, ptr) >= size);
		next_seed = (next_seed + 1) % SEEDS;
		*slot = (struct slot){ ptr, size, next_seed };
		memcpy(ptr, pattern + slot->seed, size);
	} else {
		refused++;
		TAP_MUST(heap_count_cached(&now.heap) == 0);
	}
	done();
}

static void resize(struct slot *slot, size_t size)
{
	unsigned char *ptr = heap_realloc(&now.heap, slot->ptr, size);
	size_t kept = size < slot->size ? size : slot->size;

	if (ptr) {
		TAP_MUST((uintptr_t)ptr % HEAP_ALIGN == 0);
		TAP_MUST(memcmp(ptr, pattern + slot->seed, kept) == 0);
		memcpy(ptr + kept, pattern + slot->seed + kept, size - kept);
		slot->ptr = ptr;
		slot->size = size;
	} else {
		refused++;
		TAP_MUST(heap_count_cached(&now.heap) == 0);
	}
	done();
}

static void drop(struct slot *slot)
{
	TAP_MUST(heap_free(&now.heap, slot->ptr) >= slot->size);
	slot->ptr = NULL;
	done();
}

/* Everything freed: the break is where it began, and nothing is left of any kind. */
static void end_sequence(void)
{
	static const struct heap_stats nothing;
	struct heap_stats stats;

	sequences++;
	for (struct slot *slot = now.slots; slot < now.slots + SLOTS; slot++) {
		heap_free(&now.heap, slot->ptr);
		slot->ptr = NULL;
	}
	heap_trim(&now.heap, 0);
	examine();
	TAP_MUST(now.end == room);
	heap_stats(&now.heap, &stats);
	stats.peak = 0;
	TAP_MUST(memcmp(&stats, &nothing, sizeof(stats)) == 0);
}

static void go_on(unsigned int depth);

/* After a step of the sequence that is kept at @depth: on to the next, and back. */
static void next(unsigned int depth)
{
	go_on(depth - 1);
	restore(depth);
}

static void with_empty(struct slot *slot, unsigned int depth)
{
	for (unsigned int i = 0; i < SIZES; i++) {
		size_t size = family->sizes[i];

		adopt(slot, heap_malloc(&now.heap, size), size, HEAP_ALIGN);
		next(depth);
		if (!family->aligned)
			continue;
		adopt(slot, heap_memalign(&now.heap, 16 * HEAP_WORD, size), size, 16 * HEAP_WORD);
		next(depth);
		adopt(slot, heap_memalign(&now.heap, PAGE, size), size, PAGE);
		next(depth);
	}
}

static void with_block(struct slot *slot, unsigned int depth)
{
	for (unsigned int i = 0; i < SIZES; i++) {
		resize(slot, family->sizes[i]);
		next(depth);
	}
	drop(slot);
	next(depth);
}

/* All that can follow, in @depth steps. */
static void go_on(unsigned int depth)
{
	bool seen_empty = false;

	if (depth == 0) {
		end_sequence();
		return;
	}
	keep(depth);
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct slot *slot = &now.slots[i];

		if (slot->ptr)
			with_block(slot, depth);
		else if (!seen_empty)
			with_empty(slot, depth);
		seen_empty |= !slot->ptr;
	}
	end_sequence();
}

static unsigned long run(size_t size, unsigned int depth)
{
	unsigned long before = refused;

	limit = size;
	now = (struct state){ .end = room };
	ASAN_POISON_MEMORY_REGION(room, ROOM);
	heap_init(&now.heap, hook);
	go_on(depth);
	return refused - before;
}

static void run_family(const struct family *which, unsigned int depth)
{
	unsigned int heaps;
	size_t size = 0;

	family = which;
	sequences = steps = refused = 0;
	depth -= which->less;
	for (heaps = 0; run(size, depth) > 0; heaps++) {
		size += which->step;
		TAP_MUST(size < ROOM);
	}
	tap_ok(heaps > 2, which->name);
	tap_ok(run(ROOM, depth) == 0, "  and where there is memory in plenty nothing is refused");
	printf("# depth %u, %u heaps up to %zu KiB: %lu sequences, %lu steps, %lu refused\n", depth,
	       heaps + 2, size / 1024, sequences, steps, refused);
}

int main(int argc, char **argv)
{
	static const struct family families[] = {
		{ "small blocks on heaps of every size",
		  { 0, 5 * HEAP_WORD, 1000, 4000, 9000 },
		  false,
		  false,
		  0,
		  PAGE },
		{ "aligned blocks too",
		  { 0, 5 * HEAP_WORD, 1000, 4000, 9000 },
		  true,
		  false,
		  1,
		  PAGE },
		{ "blocks in stretches that lie apart",
		  { 0, 100, 2000, 4000, 9000 },
		  false,
		  true,
		  1,
		  PAGE },
		{ "large blocks, whose memory is given back",
		  { 0, 1000, 40000, 70000, LARGEST },
		  true,
		  false,
		  2,
		  8 * PAGE },
	};
	const char *text = argc > 1 ? argv[1] : getenv("DEPTH");
	unsigned long depth = text && *text ? strtoul(text, NULL, 0) : SEQUENCES_DEPTH;
	uint32_t state = 1;

	TAP_MUST(depth >= 3 && depth <= DEEPEST);
	for (size_t i = 0; i < sizeof(pattern); i++) {
		state = state * 1664525 + 1013904223;
		pattern[i] = (unsigned char)(state >> 24);
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		run_family(&families[i], (unsigned int)depth);
	return tap_end();
}
