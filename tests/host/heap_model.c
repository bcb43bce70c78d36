/* SPDX-License-Identifier: MIT */
/*
 * The heap against a model: random operations, the contents of every block
 * checked whenever it is touched, the whole heap checked now and then.
 *
 *	heap_model [SEED [OPERATIONS]]	or both in the environment
 *
 * The model is a table of what should be there. Whatever the hook's company,
 * the heap must agree with it byte for byte, and be gone when all is freed.
 */
#include "arena.h"
#include "kernel/mm/heap.h"
#include "quick_lists.h"
#include "tap.h"

#include <limits.h>
#include <string.h>

/* Each build of this program has a seed of its own. */
#ifndef MODEL_SEED
#define MODEL_SEED 1
#endif
#ifndef MODEL_OPERATIONS
#define MODEL_OPERATIONS 10000000
#endif

#define SLOTS	    1024
#define LARGEST	    300000
#define LIMIT	    (24UL << 20)
#define CHECK_EVERY 4096
#define LIFE	    32768 /* operations of one heap: what others took of the arena is lost */

struct slot {
	unsigned char *ptr;
	size_t size;
	unsigned char seed;
};

static struct heap heap;
static struct slot slots[SLOTS];
static uint32_t state;
static unsigned long refused, operations_done, moves;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Mostly small, sometimes large, and now and then just around a power of two. */
static size_t random_size(void)
{
	uint32_t bits = next_random() % 100;

	if (bits < 70)
		return next_random() % 200;
	if (bits < 95)
		return next_random() % 4096;
	if (bits < 99)
		return (1UL << next_random() % 16) + next_random() % 17 - 8;
	return next_random() % LARGEST;
}

/* What blocks hold, each from another place on. */
static unsigned char pattern[LARGEST + UCHAR_MAX];

static void draw_pattern(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (unsigned char)next_random();
}

static void fill(struct slot *slot, size_t from)
{
	if (from < slot->size)
		memcpy(slot->ptr + from, pattern + slot->seed + from, slot->size - from);
}

static bool intact(const struct slot *slot, size_t n)
{
	return memcmp(slot->ptr, pattern + slot->seed, n) == 0;
}

static void adopt(struct slot *slot, void *ptr, size_t size, size_t align)
{
	if (!ptr) {
		refused++;
		TAP_MUST(size > HEAP_MAX_REQUEST || heap_count_cached(&heap) == 0);
		return;
	}
	TAP_MUST((uintptr_t)ptr % align == 0);
	TAP_MUST(heap_usable_size(&heap, ptr) >= size);
	*slot = (struct slot){ ptr, size, (unsigned char)next_random() };
	fill(slot, 0);
}

static void resize(struct slot *slot, size_t size)
{
	size_t kept = size < slot->size ? size : slot->size;
	unsigned char *ptr = heap_realloc(&heap, slot->ptr, size);

	if (!ptr) {
		refused++;
		TAP_MUST(size > HEAP_MAX_REQUEST || heap_count_cached(&heap) == 0);
		TAP_MUST(intact(slot, slot->size));
		return;
	}
	TAP_MUST((uintptr_t)ptr % HEAP_ALIGN == 0);
	slot->ptr = ptr;
	slot->size = size;
	TAP_MUST(intact(slot, kept));
	fill(slot, kept);
}

static void step(void)
{
	struct slot *slot = &slots[next_random() % SLOTS];
	uint32_t what = next_random() % 16;
	size_t size = random_size();

	if (!slot->ptr && what < 13) {
		adopt(slot, heap_malloc(&heap, size), size, HEAP_ALIGN);
	} else if (!slot->ptr) {
		size_t align = (size_t)1 << next_random() % 14;

		adopt(slot, heap_memalign(&heap, align, size), size, align);
	} else if (what < 5) {
		resize(slot, size);
	} else {
		TAP_MUST(intact(slot, slot->size));
		heap_free(&heap, slot->ptr);
		slot->ptr = NULL;
	}
}

static void compare(void)
{
	struct heap_stats stats;
	struct heap_fault fault;
	size_t blocks = 0, usable = 0;

	if (!heap_check(&heap, &fault)) {
		printf("# after %lu operations: %s, block %p, %zx, %zx\n", operations_done,
		       heap_fault_name(fault.kind), fault.block, fault.expected, fault.found);
		TAP_MUST(!"heap_check");
	}
	for (size_t i = 0; i < SLOTS; i++) {
		blocks += slots[i].ptr != NULL;
		usable += heap_usable_size(&heap, slots[i].ptr);
	}
	heap_stats(&heap, &stats);
	TAP_MUST(stats.granted_blocks == blocks && stats.granted == usable);
	TAP_MUST(stats.binned == heap_count_bins(&heap));
	TAP_MUST(stats.cached == heap_count_cached(&heap));
	TAP_MUST(stats.total == stats.granted + stats.headers + stats.cached + stats.binned +
					stats.top + stats.bookkeeping);
	TAP_MUST(stats.total == heap.given);
	TAP_MUST(quick_lists_are_right(&heap));
}

static void free_all(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		TAP_MUST(!slots[i].ptr || intact(&slots[i], slots[i].size));
		heap_free(&heap, slots[i].ptr);
		slots[i].ptr = NULL;
	}
	compare();
	heap_trim(&heap, 0);
	compare();
}

/* One heap from its first block to its end. */
static void live(enum arena_company company, unsigned long operations)
{
	arena_reset(company, LIMIT, company == ARENA_ALONE ? 0 : next_random() % 5000, state);
	heap_init(&heap, arena_sbrk);
	while (operations-- > 0) {
		step();
		if (++operations_done % CHECK_EVERY == 0)
			compare();
		if (operations == LIFE / 2)
			free_all();
	}
	free_all();
	if (company == ARENA_ALONE || company == ARENA_POOR)
		TAP_MUST(arena_is_empty());
	moves += arena_moves();
}

static void run(enum arena_company company, unsigned long operations, const char *name)
{
	unsigned long heaps = 0;

	refused = operations_done = moves = 0;
	for (; operations_done < operations; heaps++)
		live(company, LIFE);
	printf("# %lu operations on %lu heaps, %lu refused, the break moved %lu times\n",
	       operations_done, heaps, refused, moves);
	tap_ok(heaps > 0, name);
	if (company == ARENA_ALONE || company == ARENA_POOR)
		tap_ok(moves > 2 * heaps, "  and each time the break is back where it began");
	if (company == ARENA_POOR)
		tap_ok(refused > 0, "  and some requests were refused");
}

/* A number from the command line, else from the environment, else the default. */
static unsigned long setting(const char *argument, const char *name, unsigned long otherwise)
{
	const char *text = argument ? argument : getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned long seed = setting(argc > 1 ? argv[1] : NULL, "SEED", MODEL_SEED);
	unsigned long operations =
		setting(argc > 2 ? argv[2] : NULL, "OPERATIONS", MODEL_OPERATIONS);

	state = (uint32_t)seed * 2654435761U | 1;
	draw_pattern();
	printf("# seed %lu, words of %zu bits\n", seed, HEAP_WORD_BITS);
	run(ARENA_ALONE, operations / 10 * 4, "agrees with the model over a break of its own");
	run(ARENA_FOREIGN, operations / 10 * 2, "agrees when someone else moves the break too");
	run(ARENA_SCATTERED, operations / 10 * 2, "agrees when memory comes from several regions");
	run(ARENA_POOR, operations / 10 * 2, "agrees when growing is refused now and then");
	return tap_end();
}
