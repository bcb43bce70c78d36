/* SPDX-License-Identifier: MIT */
/* The corners of the heap that nobody comes through by chance. */
#include "arena.h"
#include "kernel/mm/heap.h"
#include "tap.h"

#include <string.h>

#define PAGE   ((size_t)4096)
#define MOST   64
#define RECORD 5 /* words at the start of a segment */

static struct heap heap;

/* A hook over arena_sbrk() that leaves a gap before each growth, and can be made to refuse. */
static bool leaves_gaps, refuses_to_tell;
static size_t gap;
static unsigned int calls;

static void *hook(intptr_t increment)
{
	calls++;
	if (refuses_to_tell && increment == 0)
		return HEAP_SBRK_FAILED;
	if (leaves_gaps && increment > 0)
		arena_sbrk((intptr_t)gap);
	return arena_sbrk(increment);
}

/* Allocates beside the last block if from the top: no large one leaves a gap for small ones. */
static void *beside(size_t size)
{
	heap.large_end = 0;
	return heap_malloc(&heap, size);
}

/* A hook whose memory comes in pieces, each below the one before, and cannot be given back. */
static char *descend_from;

static void *descending_hook(intptr_t increment)
{
	return increment < 0 ? HEAP_SBRK_FAILED : (descend_from -= increment);
}

static void fresh(void)
{
	leaves_gaps = refuses_to_tell = false;
	gap = PAGE;
	calls = 0;
	arena_reset(ARENA_ALONE, 64UL << 20, 0, 1);
	heap_init(&heap, hook);
}

/* The record of the segment that begins with this block. */
static size_t *record_before(char *ptr)
{
	return (size_t *)(void *)ptr - 1 - RECORD;
}

/* Frees a block that is small or not, and has it merged. */
static void free_merged(void *ptr)
{
	heap_free(&heap, ptr);
	heap_trim(&heap, SIZE_MAX);
}

/* The same, and it goes to a bin when another one becomes the remainder, and is taken whole. */
static void free_binned(void *ptr)
{
	char *other = beside(HEAP_REMAINDER_MOST - HEAP_WORD), *wall = beside(PAGE);

	free_merged(ptr);
	heap_free(&heap, other);
	TAP_MUST(heap_malloc(&heap, HEAP_REMAINDER_MOST - HEAP_WORD) == other && !heap.remainder);
	heap_free(&heap, wall);
	heap_free(&heap, other);
}

/* More blocks of one bin than are tried, none large enough, and one that is in the next. */
static void test_bin_longer_than_tries(void)
{
	char *small[MOST], *ptr;
	size_t size = 600 * HEAP_WORD;

	fresh();
	for (unsigned int i = 0; i < 12; i++) {
		small[i] = heap_malloc(&heap, size);
		heap_malloc(&heap, 1);
	}
	for (unsigned int i = 0; i < 12; i++)
		heap_free(&heap, small[i]);
	ptr = heap_malloc(&heap, size + 4 * HEAP_WORD);
	tap_ok(ptr && heap_check(&heap, NULL),
	       "a bin of blocks that are all too small is left after a few tries");
	for (unsigned int i = 0; i < 12; i++)
		if (ptr == small[i])
			ptr = NULL;
	tap_ok(ptr != NULL, "and none of them is handed out");
}

static void test_three_segments(void)
{
	char *ptr[3];
	struct heap_stats stats;
	size_t segments;

	fresh();
	leaves_gaps = true;
	for (unsigned int i = 0; i < 3; i++)
		ptr[i] = heap_malloc(&heap, 200000);
	heap_stats(&heap, &stats);
	segments = stats.segments;
	tap_ok(segments >= 3, "stretches of memory that do not follow on each other are segments");
	heap_free(&heap, ptr[2]);
	heap_trim(&heap, 0);
	heap_stats(&heap, &stats);
	tap_ok(stats.segments >= 2 && stats.segments < segments && heap_check(&heap, NULL),
	       "the newest is given back, and the heap knows where the others lie");
	memset(ptr[0], 1, 200000);
	memset(ptr[1], 2, 200000);
	tap_ok(heap_usable_size(&heap, ptr[0]) >= 200000 &&
		       heap_usable_size(&heap, ptr[1]) >= 200000,
	       "their blocks are still known");
}

static void test_keep_less_than_a_block(void)
{
	struct heap_stats stats;

	fresh();
	heap_malloc(&heap, 100);
	heap_trim(&heap, 1);
	heap_stats(&heap, &stats);
	tap_ok(heap_check(&heap, NULL) && stats.top >= HEAP_MIN_BLOCK && stats.top < 2 * PAGE,
	       "of a byte to be kept, a block stays");
}

static void test_hook_that_does_not_tell(void)
{
	char *ptr;

	fresh();
	refuses_to_tell = true;
	tap_ok(!heap_malloc(&heap, 10) && calls == 1,
	       "where the hook does not tell its end, nothing more is asked of it");
	refuses_to_tell = false;
	ptr = heap_malloc(&heap, 100000);
	refuses_to_tell = true;
	heap_free(&heap, ptr);
	tap_ok(heap_trim(&heap, 0) == 0 && heap_check(&heap, NULL), "and nothing is given back");
}

static void test_fragmentation(void)
{
	static char *blocks[MOST];
	struct heap_stats stats;

	fresh();
	for (unsigned int i = 0; i < MOST; i++)
		blocks[i] = heap_malloc(&heap, 100000);
	for (unsigned int i = 0; i < MOST; i += 2)
		heap_free(&heap, blocks[i]);
	heap_stats(&heap, &stats);
	tap_ok(stats.binned > 3000000 && stats.fragmentation > 900 && stats.fragmentation < 1000,
	       "many free blocks of one size are called fragmented");
	for (unsigned int i = 1; i < MOST; i += 2)
		heap_free(&heap, blocks[i]);
	heap_stats(&heap, &stats);
	tap_ok(stats.fragmentation == 0, "and one free block is not");
	tap_ok(stats.peak > 64 * 100000 && stats.total < stats.peak, "the peak stays");
}

/* The newest of a bin comes first: a smaller one that fits, then a larger one. */
static void test_best_of_a_bin_stays_best(void)
{
	char *large, *small;

	fresh();
	large = beside(604 * HEAP_WORD);
	heap_malloc(&heap, 1);
	small = beside(602 * HEAP_WORD);
	heap_malloc(&heap, 1);
	heap_free(&heap, large);
	heap_free(&heap, small);
	tap_ok(heap_malloc(&heap, 600 * HEAP_WORD) == small,
	       "of two blocks in a bin that fit, the smaller one is taken");
}

/* Growth is asked for so that the block can be lengthened, and then lies elsewhere. */
static void test_growth_elsewhere(void)
{
	char *ptr, *moved;

	fresh();
	ptr = heap_malloc(&heap, 100);
	memset(ptr, 3, 100);
	leaves_gaps = true;
	moved = heap_realloc(&heap, ptr, 300000);
	tap_ok(moved && moved != ptr && moved[0] == 3 && moved[99] == 3,
	       "a block whose growth came elsewhere moves there");
	tap_ok(heap_check(&heap, NULL), "and the heap is sound");
}

/* The record at the start of the newest segment begins with a link to the one before. */
static void test_segment_links(void)
{
	char *ptr;
	size_t *record, older;
	bool seen_all = true;

	fresh();
	heap_malloc(&heap, 10);
	leaves_gaps = true;
	ptr = heap_malloc(&heap, 300000);
	record = record_before(ptr);
	older = *record;
	tap_ok(heap_check(&heap, NULL), "two segments that are linked are sound");
	const size_t wrong[] = { older + 1, heap.low - HEAP_ALIGN, heap.high & ~(HEAP_ALIGN - 1),
				 (heap.high & ~(HEAP_ALIGN - 1)) + 64 * HEAP_ALIGN,
				 (heap.high & ~(HEAP_ALIGN - 1)) - HEAP_ALIGN };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		*record = wrong[i];
		seen_all &= !heap_check(&heap, NULL);
	}
	*record = older;
	tap_ok(seen_all, "a link to where no segment can be is not followed");
}

/* No top is left, and a free block in a list is said to be it. */
static void test_top_that_is_none(void)
{
	struct heap_stats stats;
	char *ptr;

	fresh();
	ptr = heap_malloc(&heap, 100);
	heap_malloc(&heap, 1);
	free_merged(ptr);
	heap_stats(&heap, &stats);
	tap_ok(heap_malloc(&heap, stats.top - HEAP_WORD) && heap.top == heap.fence &&
		       heap_check(&heap, NULL),
	       "a request may take all of the top");
	heap.top = (struct heap_block *)(void *)ptr;
	tap_ok(!heap_check(&heap, NULL), "a top that is not the last free block is seen");
}

static void test_counting_a_ring(void)
{
	void **first, **second;
	size_t both;

	fresh();
	first = heap_malloc(&heap, 100);
	heap_malloc(&heap, 1);
	second = heap_malloc(&heap, 100);
	heap_malloc(&heap, 1);
	free_binned(first);
	free_binned(second);
	both = heap_count_bins(&heap);
	first[0] = second;
	tap_ok(both > 200 && heap_count_bins(&heap) > 2 * both,
	       "counting a bin that is a ring comes to an end");
}

static struct heap_fault seen;

static void note(struct heap *of, const struct heap_fault *fault)
{
	(void)of;
	seen = *fault;
}

/* The record of a segment: a link, its start and end, what the older ones span, each damaged in turn. */
static void test_damaged_record(void)
{
	bool reported = true, kept = true;

	for (unsigned int word = 0; word < RECORD; word++) {
		for (unsigned int i = 0; i < 4; i++) {
			static const size_t damage[] = { 0x41414140, 4096, 1, -PAGE };
			size_t *record, was;
			char *ptr;

			fresh();
			heap_set_fault(&heap, note);
			seen.kind = HEAP_SOUND;
			ptr = heap_malloc(&heap, 1000);
			record = record_before(ptr);
			heap_free(&heap, ptr);
			was = record[word];
			record[word] += damage[i];
			kept &= heap_trim(&heap, 0) == 0;
			reported &= seen.kind == HEAP_FAULT_RANGE && !heap_check(&heap, NULL);
			record[word] = was;
			reported &= heap_trim(&heap, 0) > 0 && arena_is_empty();
		}
	}
	tap_ok(reported, "a damaged record of a segment is reported before it is used");
	tap_ok(kept, "and nothing is given back by it");
}

/* The same in an older segment, which matters when the newest goes. */
static void test_damaged_older_record(void)
{
	bool reported = true, kept = true, continued = true;

	for (unsigned int word = 0; word < RECORD; word++) {
		size_t *record;
		char *ptr;

		fresh();
		heap_set_fault(&heap, note);
		seen.kind = HEAP_SOUND;
		record = record_before(heap_malloc(&heap, 10));
		arena_sbrk((intptr_t)PAGE);
		ptr = heap_malloc(&heap, 200000);
		heap_free(&heap, ptr);
		record[word] += 0x41414140;
		kept &= heap_trim(&heap, 0) == 0;
		reported &= seen.kind == HEAP_FAULT_RANGE && seen.block == record_before(ptr) &&
			    !heap_check(&heap, NULL);
		record[word] -= 0x41414140;
		continued &= heap_trim(&heap, 0) > 0 && heap_check(&heap, NULL);
	}
	tap_ok(reported,
	       "a damaged record of an older segment is reported before that is continued");
	tap_ok(kept, "and nothing is given back");
	tap_ok(continued, "and a whole one is continued");
}

/* Whether a record with one word damaged, which is put right again, is reported and not used. */
static bool damage_is_reported(size_t *record, size_t word, size_t damage)
{
	bool reported;

	record[word] += damage;
	seen.kind = HEAP_SOUND;
	reported = heap_trim(&heap, 0) == 0 && seen.kind == HEAP_FAULT_RANGE &&
		   seen.block == record && !heap_check(&heap, NULL);
	record[word] -= damage;
	return reported;
}

/* The record of the newest of two segments, which lies above the other one or below it. */
static void test_damaged_newest_record(void)
{
	static _Alignas(64) char memory[1 << 20];
	bool reported = true;

	for (unsigned int i = 0; i < 4 * RECORD; i++) {
		static const size_t damage[] = { HEAP_ALIGN, -HEAP_ALIGN, 1 << 24, 0x41414140 };
		size_t *record, word = i % RECORD;

		fresh();
		heap_set_fault(&heap, note);
		heap_malloc(&heap, 10);
		arena_sbrk((intptr_t)PAGE);
		record = record_before(heap_malloc(&heap, 200000));
		reported &= damage_is_reported(record, word, damage[i / RECORD]);
		reported &= heap_trim(&heap, 0) > 0 && heap_check(&heap, NULL);

		descend_from = memory + sizeof(memory);
		heap_init(&heap, descending_hook);
		heap_set_fault(&heap, note);
		heap_malloc(&heap, 10);
		record = record_before(heap_malloc(&heap, 200000));
		reported &= damage_is_reported(record, word, damage[i / RECORD]);
		reported &= heap_check(&heap, NULL);
	}
	tap_ok(reported, "so is that of a newest segment, above an older one or below");
}

/* A segment that ends a few bytes earlier or later has the same fence. */
static void test_damaged_end(void)
{
	bool reported = true;
	size_t *record, end, fence;

	fresh();
	heap_set_fault(&heap, note);
	leaves_gaps = true;
	gap = PAGE + 5;
	for (unsigned int i = 0; i < 3; i++)
		record = record_before(heap_malloc(&heap, 100000));
	end = record[2];
	fence = end & ~(HEAP_ALIGN - 1);
	TAP_MUST(end > fence);
	for (record[2] = fence; record[2] < fence + HEAP_ALIGN; record[2]++) {
		if (record[2] == end)
			continue;
		seen.kind = HEAP_SOUND;
		reported &= heap_trim(&heap, 0) == 0 && seen.kind == HEAP_FAULT_RANGE &&
			    !heap_check(&heap, NULL);
	}
	record[2] = end;
	tap_ok(reported, "an end that is off by less than a unit is reported");
	tap_ok(heap_trim(&heap, 0) > 0 && heap_check(&heap, NULL), "and the right one is not");
}

static bool within(void *context, const struct heap_piece *piece)
{
	bool *inside = context;

	*inside &= (uintptr_t)piece->address + piece->size <= heap.high;
	return true;
}

/* An end and the fence before it that lead out of the heap together. */
static void test_end_beyond(void)
{
	bool inside = true;
	size_t *record;

	fresh();
	heap_malloc(&heap, 10);
	arena_sbrk((intptr_t)PAGE);
	record = record_before(heap_malloc(&heap, 100000));
	TAP_MUST(arena_sbrk((intptr_t)PAGE) != HEAP_SBRK_FAILED);
	record[2] += PAGE;
	((size_t *)(void *)heap.fence)[-1] = PAGE | 3;
	tap_ok(!heap_walk(&heap, within, &inside) && inside && !heap_check(&heap, NULL),
	       "a walk does not leave the heap where the end of a segment leads beyond");
}

/* A top that is consistent in itself, and ends before the fence. */
static void test_top_that_is_short(void)
{
	struct heap_stats stats;
	size_t *top, *end;
	char *ptr;

	fresh();
	heap_set_fault(&heap, note);
	seen.kind = HEAP_SOUND;
	ptr = heap_malloc(&heap, 2000);
	heap_stats(&heap, &stats);
	top = (size_t *)(void *)heap.top - 1;
	end = top + 64;
	top[0] = 64 * HEAP_WORD | 2;
	end[-1] = 64 * HEAP_WORD;
	end[0] = (stats.top - 64 * HEAP_WORD) | 1;
	tap_ok(!heap_malloc(&heap, 100) && seen.kind == HEAP_FAULT_LENGTH && seen.block == top &&
		       seen.expected == stats.top && seen.found == 64 * HEAP_WORD,
	       "a top that does not reach up to the fence is reported");
	seen.kind = HEAP_SOUND;
	heap_free(&heap, ptr);
	tap_ok(seen.kind == HEAP_FAULT_LENGTH && seen.block == top, "also by the block before it");
}

static void test_fence_with_a_length(void)
{
	size_t *fence;

	fresh();
	heap_set_fault(&heap, note);
	seen.kind = HEAP_SOUND;
	heap_malloc(&heap, 10);
	fence = (size_t *)(void *)heap.fence - 1;
	*fence |= 1024;
	tap_ok(!heap_malloc(&heap, 10) && seen.kind == HEAP_FAULT_NEXT && seen.block == fence,
	       "a fence that has got a length is reported");
	*fence &= ~(size_t)1024;
	tap_ok(heap_malloc(&heap, 10) != NULL, "and a whole one is not");
}

/* A free block within the payload of another, perfect in itself, as the first of a bin. */
static void test_binned_block_that_is_none(void)
{
	size_t *forged, bin = 14;

	fresh();
	forged = (size_t *)heap_malloc(&heap, 100 * HEAP_WORD) + 7;
	forged[0] = 32 * HEAP_WORD | 2;
	forged[1] = 0;
	forged[2] = (size_t)&heap.bins[bin];
	forged[31] = 32 * HEAP_WORD;
	forged[32] = 32 * HEAP_WORD | 1;
	heap.bins[bin] = (struct heap_block *)(void *)(forged + 1);
	heap.filled[0] |= (size_t)1 << bin;
	heap.summary |= 1;
	tap_ok(!heap_check(&heap, &seen) && seen.kind == HEAP_FAULT_BIN && seen.block == forged,
	       "a block in a bin that no walk comes by is seen");
}

/* The same as the remainder, which is in no bin. */
static void test_remainder_that_is_none(void)
{
	size_t *forged;

	fresh();
	forged = (size_t *)heap_malloc(&heap, 100 * HEAP_WORD) + 7;
	forged[0] = 32 * HEAP_WORD | 2;
	forged[31] = 32 * HEAP_WORD;
	forged[32] = 32 * HEAP_WORD | 1;
	heap.remainder = (struct heap_block *)(void *)(forged + 1);
	heap.remainder_size = 32 * HEAP_WORD;
	tap_ok(!heap_check(&heap, &seen) && seen.kind == HEAP_FAULT_BIN && seen.block == forged,
	       "a remainder that no walk comes by is seen");
	heap.remainder = NULL;
	heap.remainder_size = 0;
	tap_ok(heap_check(&heap, NULL), "and none is not missed");
}

/* What a walk of the lists has seen: a sign for each block, and the newest of them. */
static char lists[64];
static struct heap_listed listed;
static size_t visits, visits_most;

static bool see_listed(void *context, const struct heap_listed *now)
{
	(void)context;
	listed = *now;
	if (visits < sizeof(lists) - 1)
		lists[visits] = "qrb"[now->list];
	return ++visits < visits_most;
}

/* A bin that leads out of the heap, or to what is no block, is not counted further. */
static void test_counting_a_broken_bin(void)
{
	void **ptr[2];
	size_t size;

	fresh();
	for (unsigned int i = 0; i < 2; i++) {
		ptr[i] = heap_malloc(&heap, 100);
		heap_malloc(&heap, 1);
	}
	free_binned(ptr[0]);
	size = heap_count_bins(&heap);
	free_binned(ptr[1]);
	tap_ok(heap_count_bins(&heap) == 2 * size, "all blocks of a bin are counted");
	((size_t *)(void *)ptr[1])[-1] = 0;
	tap_ok(heap_count_bins(&heap) == 0, "up to one without a length");
	((size_t *)(void *)ptr[1])[-1] = size | 2;
	ptr[1][0] = (void *)0x41414140;
	tap_ok(heap_count_bins(&heap) == size, "or as far as they can be followed");
	tap_ok(!heap_walk_lists(&heap, see_listed, NULL), "which a walk of the lists tells");
}

static bool walk_lists(size_t most)
{
	memset(lists, 0, sizeof(lists));
	visits = 0;
	visits_most = most;
	return heap_walk_lists(&heap, see_listed, NULL);
}

/* Two in a quick list, the remainder, one in a bin, and the top in none. */
static void test_lists(void)
{
	char *ptr[8];

	fresh();
	tap_ok(walk_lists(99) && visits == 0, "an empty heap has nothing in lists");
	for (unsigned int i = 0; i < 8; i++)
		ptr[i] = beside(i % 2 ? 40 : 4000);
	heap_free(&heap, ptr[1]);
	heap_free(&heap, ptr[3]);
	heap_free(&heap, ptr[0]);
	heap_free(&heap, ptr[4]);
	heap_malloc(&heap, 100);
	tap_ok(walk_lists(99) && strcmp(lists, "qqrb") == 0, "each kept block is seen once");
	walk_lists(1);
	tap_ok(listed.block == ptr[1] - HEAP_WORD && heap_bin_size(listed.number) == listed.size &&
		       listed.size >= 40 + HEAP_WORD,
	       "with its list and its length: first that of a quick list which was freed first");
	walk_lists(3);
	tap_ok(listed.block == (size_t *)(void *)heap.remainder - 1 &&
		       listed.size == heap.remainder_size,
	       "then the remainder");
	walk_lists(4);
	tap_ok(listed.block == ptr[0] - HEAP_WORD && listed.size == 4000 + HEAP_ALIGN,
	       "then the bins");
	for (size_t most = 1; most <= 4; most++)
		tap_ok(!walk_lists(most) && visits == most, "a walk ends when the visitor says so");
}

/* A block of each bin's smallest length is in it, and one a little smaller in the bin before. */
static void test_bin_sizes(void)
{
	bool all = true;

	for (size_t bin = 1; heap_bin_size(bin) < (1 << 20); bin++)
		for (size_t less = 0; less < 2; less++) {
			void *ptr;

			fresh();
			ptr = heap_malloc(&heap,
					  heap_bin_size(bin) - HEAP_WORD - less * HEAP_ALIGN);
			heap_malloc(&heap, 1);
			free_binned(ptr);
			walk_lists(99);
			all = all && visits == 1 && listed.number == bin - less;
		}
	tap_ok(all && visits == 1, "bins begin where they say");
}

static void test_fault_names_neighbours(void)
{
	char *ptr[3];

	fresh();
	heap_set_fault(&heap, note);
	for (unsigned int i = 0; i < 3; i++)
		ptr[i] = heap_malloc(&heap, 8 * HEAP_WORD);
	for (unsigned int i = 0; i < 2; i++) {
		seen.kind = HEAP_SOUND;
		heap_free(&heap, ptr[1]);
		if (i > 0)
			heap_trim(&heap, SIZE_MAX);
		heap_free(&heap, ptr[1]);
		tap_ok(seen.kind == HEAP_FAULT_NOT_USED && seen.before == ptr[0] - HEAP_WORD &&
			       seen.after == ptr[2] - HEAP_WORD,
		       "a fault names the blocks on both sides");
		ptr[1] = heap_malloc(&heap, 8 * HEAP_WORD);
	}
	heap_free(&heap, (char *)&heap);
	tap_ok(seen.kind == HEAP_FAULT_RANGE || seen.kind == HEAP_FAULT_ALIGNMENT,
	       "one outside of the heap is a fault");
}

int main(void)
{
	test_bin_longer_than_tries();
	test_three_segments();
	test_keep_less_than_a_block();
	test_hook_that_does_not_tell();
	test_fragmentation();
	test_best_of_a_bin_stays_best();
	test_growth_elsewhere();
	test_segment_links();
	test_top_that_is_none();
	test_counting_a_ring();
	test_damaged_record();
	test_damaged_older_record();
	test_damaged_newest_record();
	test_damaged_end();
	test_end_beyond();
	test_top_that_is_short();
	test_fence_with_a_length();
	test_binned_block_that_is_none();
	test_remainder_that_is_none();
	test_counting_a_broken_bin();
	test_lists();
	test_bin_sizes();
	test_fault_names_neighbours();
	return tap_end();
}
