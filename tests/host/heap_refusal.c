/* SPDX-License-Identifier: MIT */
/*
 * Every single refusal of the hook: scenarios are run again and again, with the
 * first call of the hook refused, the second, and so on until none is left to
 * be refused, and then with every two of them, and with all that lie between.
 * Growing, shrinking and sbrk(0) are refused alike.
 *
 * A request that fails although nothing was refused is an error. One that fails
 * since something was leaves all blocks as they were and the heap sound, and
 * succeeds when it is made again. In the end all memory is back at the hook.
 */
#include "arena.h"
#include "kernel/mm/heap.h"
#include "quick_lists.h"
#include "tap.h"

#include <string.h>

#define PAGE	   ((size_t)4096)
#define LIMIT	   ((size_t)8 << 20)
#define SLOTS	   128
#define PAIRS_UPTO 64
#define STRETCHES  64

static struct heap heap;

static struct slot {
	unsigned char *ptr;
	size_t size;
} slots[SLOTS];

/*
 * The hook refuses its calls @first and @last, or all from one to the other. If
 * it scatters, each growth leaves a gap, which goes when what follows on it goes.
 */
static struct {
	unsigned long calls, refused, first, last;
	bool between, scatters;
	char *before[STRETCHES], *start[STRETCHES];
	unsigned int gaps;
} hooked;

/* Refusals in all: to grow, to shrink, to tell where the end is. */
static unsigned long refused_growth, refused_shrinking, refused_answers;

static bool is_refused(intptr_t increment)
{
	unsigned long n = ++hooked.calls;

	if (hooked.between ? n < hooked.first || n > hooked.last
			   : n != hooked.first && n != hooked.last)
		return false;
	hooked.refused++;
	refused_growth += increment > 0;
	refused_shrinking += increment < 0;
	refused_answers += increment == 0;
	return true;
}

static void leave_gap(void)
{
	char *before = arena_sbrk((intptr_t)PAGE);

	TAP_MUST(before != HEAP_SBRK_FAILED && hooked.gaps < STRETCHES);
	hooked.before[hooked.gaps] = before;
	hooked.start[hooked.gaps++] = before + PAGE;
}

static void close_gap(void)
{
	if (hooked.gaps > 0 && arena_sbrk(0) == hooked.start[hooked.gaps - 1])
		arena_sbrk(hooked.before[--hooked.gaps] - (char *)arena_sbrk(0));
}

static void *hook(intptr_t increment)
{
	void *before;

	if (is_refused(increment))
		return HEAP_SBRK_FAILED;
	if (increment > 0 && hooked.scatters)
		leave_gap();
	before = arena_sbrk(increment);
	if (increment < 0)
		close_gap();
	return before;
}

static void on_fault(struct heap *of, const struct heap_fault *fault)
{
	(void)of;
	printf("# %s: block %p, %zx, %zx\n", heap_fault_name(fault->kind), fault->block,
	       fault->expected, fault->found);
	TAP_MUST(!"a fault");
}

/* What blocks hold, from another place on in each of them. */
static unsigned char pattern[LIMIT + SLOTS];

static void fill(struct slot *slot, size_t from)
{
	memcpy(slot->ptr + from, pattern + (slot - slots) + from, slot->size - from);
}

static void must_be_intact(const struct slot *slot, size_t size)
{
	TAP_MUST(memcmp(slot->ptr, pattern + (slot - slots), size) == 0);
}

static void examine(void)
{
	size_t granted = 0, blocks = 0;
	struct heap_stats stats;
	struct heap_fault fault;

	if (!heap_check(&heap, &fault))
		on_fault(&heap, &fault);
	for (const struct slot *slot = slots; slot < slots + SLOTS; slot++) {
		if (!slot->ptr)
			continue;
		must_be_intact(slot, slot->size);
		granted += heap_usable_size(&heap, slot->ptr);
		blocks++;
	}
	heap_stats(&heap, &stats);
	TAP_MUST(stats.granted == granted && stats.granted_blocks == blocks);
	TAP_MUST(stats.total == heap.given && stats.binned == heap_count_bins(&heap));
	TAP_MUST(stats.cached == heap_count_cached(&heap) && quick_lists_are_right(&heap));
}

/* What a scenario is made of. */

/* A request has failed: only if the hook has refused since @refused, and with nothing lost. */
static void must_be_excused(unsigned long refused)
{
	TAP_MUST(hooked.refused > refused);
	examine();
}

static void get_aligned(unsigned int i, size_t align, size_t size)
{
	struct slot *slot = &slots[i];
	unsigned char *ptr;

	for (;;) {
		unsigned long refused = hooked.refused;

		ptr = heap_memalign(&heap, align, size);
		if (ptr)
			break;
		must_be_excused(refused);
	}
	TAP_MUST((uintptr_t)ptr % align == 0 && heap_usable_size(&heap, ptr) >= size);
	*slot = (struct slot){ ptr, size };
	fill(slot, 0);
	examine();
}

static void get(unsigned int i, size_t size)
{
	get_aligned(i, HEAP_ALIGN, size);
}

static void resize(unsigned int i, size_t size)
{
	struct slot *slot = &slots[i];
	size_t kept = size < slot->size ? size : slot->size;
	unsigned char *ptr;

	for (;;) {
		unsigned long refused = hooked.refused;

		ptr = heap_realloc(&heap, slot->ptr, size);
		if (ptr)
			break;
		must_be_excused(refused);
	}
	*slot = (struct slot){ ptr, size };
	must_be_intact(slot, kept);
	if (size > kept)
		fill(slot, kept);
	examine();
}

static void drop(unsigned int i)
{
	TAP_MUST(heap_free(&heap, slots[i].ptr) >= slots[i].size);
	slots[i].ptr = NULL;
	examine();
}

static void trim(size_t keep)
{
	heap_trim(&heap, keep);
	examine();
}

/* Scenarios */

static void small_blocks(void)
{
	for (unsigned int i = 0; i < 10; i++)
		get(i, i * 10);
	drop(3);
	drop(5);
	drop(4);
	get(3, 60);
}

static void large_blocks(void)
{
	get(0, 100000);
	get(1, 300000);
	drop(0);
	get(0, 200000);
	drop(1);
	get(1, 350000);
}

static void grown_in_place(void)
{
	get(0, 100);
	resize(0, 5000);
	resize(0, 90000);
	resize(0, 100);
	get(1, 10);
	drop(1);
	resize(0, 170000);
	resize(0, 340000);
}

static void grown_by_copy(void)
{
	get(0, 1000);
	get(1, 1000);
	resize(0, 100000);
	get(2, 1000);
	resize(1, 150000);
	resize(0, 160000);
	resize(2, 200000);
}

static void aligned(void)
{
	get_aligned(0, 4096, 1000);
	get_aligned(1, 64, 70000);
	get_aligned(2, 65536, 10);
	drop(1);
	get_aligned(1, 8192, 100000);
	get_aligned(3, 131072, 131072);
}

static void trimmed_and_grown_again(void)
{
	for (unsigned int round = 0; round < 3; round++) {
		get(0, 200000);
		get(1, 50000);
		drop(1);
		trim(1000);
		get(1, 300000);
		drop(0);
		drop(1);
		trim(0);
	}
}

static void ended_by_a_block(void)
{
	get(0, 130000);
	get(1, 70000 + 3 * HEAP_WORD);
	drop(0);
	trim(0);
	resize(1, 140000);
	resize(1, 1);
	get(0, 600000);
	drop(1);
	trim(0);
}

static void many_blocks(void)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		get(i, i * 61 % 3000);
	for (unsigned int i = 0; i < SLOTS; i += 2)
		drop(i);
	for (unsigned int i = 1; i < SLOTS; i += 2)
		resize(i, i * 83 % 4000);
	for (unsigned int i = 0; i < SLOTS; i += 2)
		get_aligned(i, HEAP_ALIGN << i % 5, i * 43 % 3000);
}

static const struct scenario {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{ "small blocks", small_blocks },
	{ "large blocks", large_blocks },
	{ "blocks that grow in place", grown_in_place },
	{ "blocks that grow by a copy", grown_by_copy },
	{ "aligned blocks", aligned },
	{ "a heap trimmed and grown again", trimmed_and_grown_again },
	{ "a heap that ends with a block in use", ended_by_a_block },
	{ "many blocks", many_blocks },
};

/* All is freed. Whatever is refused on the way, nothing stays that was not. */
static void give_all_back(void)
{
	static const struct heap_stats nothing;
	struct heap_stats stats;
	unsigned long refused;

	for (unsigned int i = 0; i < SLOTS; i++)
		if (slots[i].ptr)
			drop(i);
	do {
		refused = hooked.refused;
		trim(0);
	} while (hooked.refused > refused);
	TAP_MUST(arena_is_empty());
	heap_stats(&heap, &stats);
	stats.peak = 0;
	TAP_MUST(memcmp(&stats, &nothing, sizeof(stats)) == 0);
}

/* A new heap, from the start of a page on, so that each run is the same. */
static void fresh(void)
{
	static size_t to_page;

	if (to_page == 0) {
		arena_reset(ARENA_ALONE, 0, 0, 1);
		to_page = PAGE - (uintptr_t)arena_sbrk(0) % PAGE;
	}
	arena_reset(ARENA_ALONE, LIMIT, to_page, 1);
	heap_init(&heap, hook);
	heap_set_fault(&heap, on_fault);
}

/* Runs a scenario; the number of calls that were refused. */
static unsigned long run(const struct scenario *scenario, unsigned long first, unsigned long last)
{
	hooked.calls = hooked.refused = 0;
	hooked.first = first;
	hooked.last = last;
	hooked.gaps = 0;
	fresh();
	scenario->run();
	give_all_back();
	return hooked.refused;
}

static unsigned long run_pairs(const struct scenario *scenario)
{
	unsigned long first, last, runs = 0;

	for (first = 1; run(scenario, first, first) == 1; first++)
		for (last = first + 1; runs++, run(scenario, first, last) > 1;)
			last++;
	return runs;
}

/* From one call to another; with longer ones a stretch of up to so many. */
static unsigned long run_stretches(const struct scenario *scenario)
{
	unsigned long runs = 0;

	hooked.between = true;
	for (unsigned long first = 1; run(scenario, first, first) == 1; first++)
		for (unsigned long n = 2; n <= PAIRS_UPTO; n *= 2, runs++)
			TAP_MUST(run(scenario, first, first + n - 1) > 0);
	hooked.between = false;
	return runs;
}

static void test(const struct scenario *scenario, bool scatters)
{
	unsigned long calls, pairs = 0, stretches, n;
	char name[100];

	hooked.scatters = scatters;
	TAP_MUST(run(scenario, 0, 0) == 0);
	calls = hooked.calls;
	for (n = 1; run(scenario, n, n) == 1;)
		n++;
	if (calls <= PAIRS_UPTO)
		pairs = run_pairs(scenario);
	stretches = run_stretches(scenario);
	snprintf(name, sizeof(name), "%s%s", scenario->name, scatters ? ", scattered" : "");
	tap_ok(n > calls && hooked.calls > 0, name);
	printf("# %lu calls of the hook; with one refused: %lu runs, with two: %lu, with several: "
	       "%lu\n",
	       calls, n - 1, pairs, stretches);
}

int main(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < sizeof(pattern); i++) {
		state = state * 1664525 + 1013904223;
		pattern[i] = (unsigned char)(state >> 24);
	}
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		test(&scenarios[i], false);
		test(&scenarios[i], true);
	}
	tap_ok(refused_growth > 0 && refused_shrinking > 0 && refused_answers > 0,
	       "to grow, to shrink and to tell the end were all refused");
	printf("# %lu, %lu and %lu times\n", refused_growth, refused_shrinking, refused_answers);
	return tap_end();
}
