/* SPDX-License-Identifier: MIT */
/*
 * Faults that other heaps have had or fallen to, by their numbers in
 * docs/faults.md, each with a twin that does the legal thing beside it and must
 * stay silent.
 *
 * A fault counts as seen if it was reported once, with the right kind and
 * block, and the call that met it has not changed a byte of the heap. What is
 * damaged is then put right, and the heap goes on. Where a build without
 * instrumentation cannot see a fault, a test says what happens instead.
 *
 * Small blocks wait in quick lists when they are freed, and are merged later;
 * large ones are merged at once. Most tests are run with both.
 */
#include "kernel/dev/console.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/scratch.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define IN_USE	    ((size_t)1)
#define PREV_IN_USE ((size_t)2)
#define CACHED	    ((size_t)4)
#define USED	    (IN_USE | PREV_IN_USE)
#define FLAGS	    (HEAP_ALIGN - 1)

/* Words that blocks are longer by. */
#define SMALL 0
#define LARGE 150

/* A test that is run with small blocks and with large ones. */
#define KTEST_SMALL_AND_LARGE(name)                                                                \
	static void name(size_t more);                                                             \
	KTEST(name##_if_small)                                                                     \
	{                                                                                          \
		name(SMALL);                                                                       \
	}                                                                                          \
	KTEST(name##_if_large)                                                                     \
	{                                                                                          \
		name(LARGE);                                                                       \
	}                                                                                          \
	static void name(size_t more)

static struct heap *const heap = &scratch_heap;

static bool is(size_t more, const char *small, const char *large)
{
	return scratch_is(more ? large : small);
}

/* Five blocks, their payloads zero, and a break just behind them. */
#define FIVE	   "[ u6 u8 u10 u12 u14 t ]"
#define FIVE_LARGE "[ u156 u158 u160 u162 u164 t ]"
static char *five[5], *a, *b, *c;

static bool is_five(size_t more)
{
	return is(more, FIVE, FIVE_LARGE);
}

static bool five_blocks(size_t more)
{
	scratch_open();
	for (size_t i = 0; i < 5; i++)
		five[i] = scratch_block(6 + 2 * i + more);
	a = five[1];
	b = five[2];
	c = five[3];
	heap_trim(heap, 0);
	return is_five(more);
}

/* Five blocks, of which the third has been freed and merged with nothing. */
#define B_FREE	     "[ u6 u8 f10 u12 u14 t ]"
#define B_FREE_LARGE "[ u156 u158 f160 u162 u164 t ]"

static bool b_is_free(size_t more)
{
	return is(more, B_FREE, B_FREE_LARGE);
}

static bool five_but_b(size_t more)
{
	if (!five_blocks(more))
		return false;
	scratch_release_to_bin(b);
	return b_is_free(more);
}

/* Two free blocks of the same size, each between two in use; the bin leads from the first on. */
#define BINNED	     "[ f10 u6 f10 u6 t ]"
#define BINNED_LARGE "[ f160 u156 f160 u156 t ]"
static size_t *first, *second; /* headers */
static char *between, *behind;

static bool is_two_in_a_bin(size_t more)
{
	return is(more, BINNED, BINNED_LARGE);
}

static bool two_in_a_bin(size_t more)
{
	void *ptr[4];

	scratch_open();
	for (size_t i = 0; i < 4; i++)
		ptr[i] = scratch_block((i % 2 ? 6 : 10) + more);
	heap_trim(heap, 0);
	if (!is(more, "[ u10 u6 u10 u6 t ]", "[ u160 u156 u160 u156 t ]"))
		return false;
	scratch_release_to_bin(ptr[2]);
	scratch_release_to_bin(ptr[0]);
	first = scratch_header(ptr[0]);
	second = scratch_header(ptr[2]);
	between = ptr[1];
	behind = ptr[3];
	return is_two_in_a_bin(more) && first[1] == (size_t)&second[1] &&
	       second[2] == (size_t)&first[1] && *(size_t **)first[2] == &first[1];
}

/* A free block that small requests carve up, in no bin; @a is small and lies before it. */
#define REMAINDER "[ u156 u10 f148 u160 u162 u164 t ]"
static size_t *remainder; /* its header */

static bool block_and_remainder(void)
{
	if (!five_blocks(LARGE))
		return false;
	heap_free(heap, a);
	a = scratch_block(10);
	remainder = scratch_header(a) + 10;
	return scratch_is(REMAINDER) && (size_t *)heap->remainder == remainder + 1;
}

static size_t top_words(void)
{
	struct heap_stats stats;

	heap_stats(heap, &stats);
	return stats.top / HEAP_WORD;
}

/* Frees what must not be freed. */
static bool refused(const void *ptr, enum heap_fault_kind kind, const void *block)
{
	uint32_t before = scratch_sum();

	return heap_free(heap, (void *)ptr) == 0 && scratch_caught(kind, block) &&
	       scratch_sum() == before;
}

/* Asks for a block of so many words that cannot be given. */
static bool not_given(size_t words, enum heap_fault_kind kind, const void *block)
{
	uint32_t before = scratch_sum();

	return !scratch_block(words) && scratch_caught(kind, block) && scratch_sum() == before;
}

/* A call that met damage, of whatever kind: reported once, and nothing has changed. */
static bool reported_once(uint32_t before)
{
	unsigned int n = scratch_faults;

	scratch_faults = 0;
	return n == 1 && scratch_sum() == before;
}

static bool said(bool seen, const size_t *word, size_t damage, const char *by)
{
	if (!seen)
		kprintf("# at %p 0x%zx for 0x%zx is not seen by %s\n", (const void *)word, damage,
			*word, by);
	return seen;
}

/* With a word overwritten the walk finds it, and so does freeing @ptr; put right, all is well. */
static bool free_sees(size_t *word, size_t damage, void *ptr)
{
	size_t saved = *word;
	uint32_t before;
	bool found, seen;

	*word = damage;
	found = !heap_check(heap, NULL);
	before = scratch_sum();
	heap_free(heap, ptr);
	seen = reported_once(before);
	*word = saved;
	return said(found, word, damage, "heap_check()") && said(seen, word, damage, "free") &&
	       heap_check(heap, NULL);
}

/* The same for an allocation of so many words. */
static bool malloc_sees(size_t *word, size_t damage, size_t words)
{
	size_t saved = *word;
	uint32_t before;
	bool given, found, seen;

	*word = damage;
	found = !heap_check(heap, NULL);
	before = scratch_sum();
	given = scratch_block(words);
	seen = reported_once(before) && !given;
	*word = saved;
	return said(found, word, damage, "heap_check()") && said(seen, word, damage, "malloc") &&
	       heap_check(heap, NULL);
}

static size_t words_of(const void *ptr)
{
	return (*scratch_header(ptr) & ~FLAGS) / HEAP_WORD;
}

/*
 * The same if a small block is freed: that does not look at what lies beside it,
 * but merging it later does. It is taken again from its quick list.
 */
static bool merge_sees(size_t *word, size_t damage, void *ptr)
{
	size_t change = *word ^ damage, words = words_of(ptr);
	uint32_t before;
	bool found, passed, seen;

	*word ^= change;
	found = !heap_check(heap, NULL);
	passed = heap_free(heap, ptr) == words * HEAP_WORD && scratch_faults == 0;
	before = scratch_sum();
	scratch_merge();
	seen = reported_once(before);
	*word ^= change;
	return said(found, word, damage, "heap_check()") &&
	       said(passed, word, damage, "merging alone") && said(seen, word, damage, "merging") &&
	       scratch_block(words) == ptr && heap_check(heap, NULL);
}

/* Whether a block is merged when it is freed: one that is not small, or behind a free one. */
static bool merged_at_once(const void *ptr)
{
	return words_of(ptr) * HEAP_WORD > HEAP_MAX_SMALL || !(*scratch_header(ptr) & PREV_IN_USE);
}

/* When a block is merged: at once when it is freed, or after it has waited. */
static bool merging_sees(size_t *word, size_t damage, void *ptr)
{
	return merged_at_once(ptr) ? free_sees(word, damage, ptr) : merge_sees(word, damage, ptr);
}

/* Frees what must not be merged, and takes it again if it waits. */
static bool not_merged(void *ptr, enum heap_fault_kind kind, const void *block)
{
	size_t words = words_of(ptr);
	uint32_t before;

	if (merged_at_once(ptr))
		return refused(ptr, kind, block);
	if (heap_free(heap, ptr) == 0 || scratch_faults > 0)
		return false;
	before = scratch_sum();
	scratch_merge();
	return scratch_caught(kind, block) && scratch_sum() == before &&
	       scratch_block(words) == ptr;
}

static bool all(const void *ptr, unsigned char value, size_t n)
{
	const unsigned char *bytes = ptr;

	while (n > 0)
		if (bytes[--n] != value)
			return false;
	return true;
}

/* Wrong frees */

KTEST_SMALL_AND_LARGE(fault_01_misaligned_pointers_are_refused_as_such)
{
	CHECK(five_blocks(more));
	for (size_t i = 1; i < HEAP_ALIGN; i++)
		CHECK(refused(b + i, HEAP_FAULT_ALIGNMENT, b + i - HEAP_WORD));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_02_pointer_into_a_block_is_refused_by_what_lies_there)
{
	size_t *words;

	CHECK(five_blocks(more));
	words = scratch_header(five[4]) + 1;
	CHECK(refused(words + 2, HEAP_FAULT_LENGTH, words + 1));
	memset(words, 'A', 8 * HEAP_WORD);
	CHECK(refused(words + 2, HEAP_FAULT_LENGTH, words + 1));
	memset(words, 0xFF, 8 * HEAP_WORD);
	CHECK(refused(words + 2, HEAP_FAULT_LENGTH, words + 1));
	words[1] = HEAP_MIN_BLOCK | USED;
	words[5] = 0;
	CHECK(refused(words + 2, HEAP_FAULT_NEXT, words + 5));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* Nothing in sight of the call is wrong, so it goes through; the walk never comes by that block. */
KTEST_SMALL_AND_LARGE(fault_02_pointer_to_a_perfect_block_within_a_block_is_found_by_the_walk)
{
	size_t *words, n = more ? 140 : 4;

	CHECK(five_blocks(LARGE));
	words = scratch_header(five[4]) + 1;
	words[1] = words[1 + n] = n * HEAP_WORD | USED;
	CHECK_EQ(heap_free(heap, words + 2), n * HEAP_WORD);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, words + 1));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_03_pointers_from_outside_are_refused_unread)
{
	size_t stack[4] __attribute__((aligned(8))) = { 0 };
	const uintptr_t outside[] = {
		HEAP_ALIGN,
		0x08048000,
		(uintptr_t)&stack[2],
		(uintptr_t)heap_free & ~FLAGS,
		SCRATCH_BASE - PAGE_SIZE,
		SCRATCH_BASE,
		SCRATCH_BASE + PAGE_SIZE, /* the break: see below */
		SCRATCH_BASE + PAGE_SIZE + HEAP_ALIGN,
		SCRATCH_LIMIT,
		-(uintptr_t)HEAP_ALIGN,
	};

	scratch_open();
	CHECK(refused(&stack[2], HEAP_FAULT_RANGE, &stack[1]));
	CHECK(five_blocks(more));
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE + PAGE_SIZE);
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		CHECK(refused((void *)outside[i], HEAP_FAULT_RANGE,
			      (void *)(outside[i] - HEAP_WORD)));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

static void fill_with_false_headers(const void *ptr)
{
	size_t *end = scratch_footer(ptr);

	for (size_t *word = scratch_header(ptr) + 1; word <= end; word++)
		*word = HEAP_MIN_BLOCK | USED;
}

/* What would be its header is the owner's, and what would be behind it is beyond the break. */
KTEST(fault_03_pointer_to_the_last_bytes_below_the_break_is_refused_unread)
{
	char *last, *end;

	CHECK(five_blocks(SMALL));
	last = scratch_block(top_words());
	end = (char *)scratch_brk.end;
	CHECK(last && (char *)(scratch_footer(last) + 2) == end);
	fill_with_false_headers(last);
	CHECK(refused(end - HEAP_ALIGN, HEAP_FAULT_RANGE, end - HEAP_ALIGN - HEAP_WORD));
	CHECK_EQ(heap_usable_size(heap, end - HEAP_ALIGN), 0);
	CHECK(scratch_caught(HEAP_FAULT_RANGE, end - HEAP_ALIGN - HEAP_WORD));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_04_perfect_block_outside_of_the_heap_is_refused)
{
	static size_t perfect[8] __attribute__((aligned(8))) = {
		[1] = HEAP_MIN_BLOCK | USED,
		[5] = HEAP_MIN_BLOCK | USED,
	};

	CHECK(five_blocks(SMALL));
	CHECK(refused(perfect + 2, HEAP_FAULT_RANGE, perfect + 1));
	CHECK(is_five(SMALL));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(
	fault_01_to_04_twin_blocks_that_hold_false_headers_are_freed_by_their_pointers)
{
	CHECK(five_blocks(more));
	for (size_t i = 0; i < 5; i++)
		fill_with_false_headers(five[i]);
	heap_free(heap, five[0]);
	heap_free(heap, b);
	heap_free(heap, five[4]);
	CHECK(is(more, "[ c6 u8 c10 u12 c14 t ]", "[ f156 u158 f160 u162 t ]"));
	scratch_merge();
	CHECK(is(more, "[ f6 u8 f10 u12 t ]", "[ f156 u158 f160 u162 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_05_block_freed_twice_is_refused)
{
	CHECK(five_blocks(more));
	heap_free(heap, b);
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	heap_free(heap, five[4]);
	CHECK(refused(five[4], HEAP_FAULT_NOT_USED, scratch_header(five[4])));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(is(more, "[ u6 u8 c10 u12 c14 t ]", "[ u156 u158 f160 u162 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* As if it were in use: who overran it has written what was there before it was freed. */
KTEST(fault_05_block_that_waits_twice_is_found_by_the_walk_and_not_given_twice)
{
	CHECK(five_blocks(SMALL));
	heap_free(heap, b);
	*scratch_header(b) ^= CACHED;
	CHECK(scratch_check_finds(HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK_EQ(heap_free(heap, b), 10 * HEAP_WORD);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, scratch_header(b)));
	CHECK(scratch_block(10) == b);
	CHECK(not_given(10, HEAP_FAULT_NOT_USED, scratch_header(b)));
	scratch_throw_away();
}

/* The same where its list has no room for it a second time: it is merged, and known to be in the list. */
KTEST(fault_05_block_that_waits_and_is_merged_is_found_by_the_walk_and_not_given_twice)
{
	scratch_open();
	CHECK((b = scratch_block(90)) && scratch_block(4));
	heap_free(heap, b);
	heap->quick_limit = 0;
	*scratch_header(b) ^= CACHED;
	CHECK_EQ(heap_free(heap, b), 90 * HEAP_WORD);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(not_given(90, HEAP_FAULT_NOT_USED, scratch_header(b)));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_06_block_freed_twice_with_other_calls_between_is_refused)
{
	CHECK(five_blocks(more));
	heap_free(heap, b);
	heap_free(heap, five[0]);
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_block(20 + more));
	CHECK(scratch_block(6 + more) == five[0]);
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(is(more, "[ u6 u8 c10 u12 u14 u20 t ]", "[ u156 u158 f160 u162 u164 u170 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* The pointer is as good as the new owner's: one of both is too many, and the second is told so. */
KTEST_SMALL_AND_LARGE(fault_07_stale_free_takes_the_block_and_its_new_owners_free_is_refused)
{
	char *again;

	CHECK(five_blocks(more));
	heap_free(heap, b);
	again = scratch_block(10 + more);
	CHECK(again == b);
	heap_free(heap, b);
	CHECK(is(more, "[ u6 u8 c10 u12 u14 t ]", B_FREE_LARGE));
	CHECK(refused(again, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_05_to_07_twin_block_handed_out_again_is_freed_again)
{
	CHECK(five_blocks(more));
	for (unsigned int i = 0; i < 100; i++) {
		heap_free(heap, b);
		CHECK(is(more, "[ u6 u8 c10 u12 u14 t ]", B_FREE_LARGE));
		CHECK(scratch_block(10 + more) == b);
		scratch_release_to_bin(b);
		CHECK(b_is_free(more));
		CHECK(scratch_block(10 + more) == b);
	}
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_08_block_freed_twice_after_merging_is_refused)
{
	CHECK(five_blocks(more));
	scratch_release_to_bin(a);
	scratch_release_to_bin(b);
	CHECK(is(more, "[ u6 f18 u12 u14 t ]", "[ u156 f318 u162 u164 t ]"));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(refused(a, HEAP_FAULT_NOT_USED, scratch_header(a)));
	scratch_release_to_bin(five[4]);
	scratch_release_to_bin(c);
	CHECK(is(more, "[ u6 t ]", "[ u156 t ]"));
	for (size_t i = 1; i < 5; i++)
		CHECK(refused(five[i], HEAP_FAULT_NOT_USED, scratch_header(five[i])));
	CHECK(five_blocks(more));
	scratch_release_to_bin(c);
	scratch_release_to_bin(b);
	CHECK(refused(c, HEAP_FAULT_NOT_USED, scratch_header(c)));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(is(more, "[ u6 u8 f22 u14 t ]", "[ u156 u158 f322 u164 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Its page is no longer mapped: to look at it would be a page fault. */
KTEST(fault_08_block_freed_twice_after_the_break_was_lowered_is_refused_unread)
{
	char *large, *last;

	scratch_open();
	large = heap_malloc(heap, 300000);
	last = scratch_block(4);
	CHECK(large && last);
	heap_free(heap, large);
	heap_free(heap, last);
	heap_trim(heap, HEAP_GROW);
	CHECK((uintptr_t)last > scratch_brk.end);
	CHECK(refused(last, HEAP_FAULT_RANGE, last - HEAP_WORD));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_08_twin_blocks_freed_once_in_any_order_merge_to_nothing)
{
	for (unsigned int round = 0; round < 100; round++) {
		CHECK(five_blocks(more));
		for (size_t n = 5; n > 0; n--) {
			size_t i = ktest_random() % n;

			heap_free(heap, five[i]);
			five[i] = five[n - 1];
			CHECK(heap_check(heap, NULL));
			if (ktest_random() % 4 == 0)
				scratch_merge();
		}
		scratch_merge();
		CHECK(scratch_is("[ t ]"));
		CHECK(scratch_comes_to_nothing());
	}
}

KTEST_SMALL_AND_LARGE(fault_09_block_of_another_heap_is_refused)
{
	void *theirs = kmalloc(100 + more * HEAP_WORD);

	CHECK(theirs && five_blocks(more));
	CHECK(refused(theirs, HEAP_FAULT_RANGE, scratch_header(theirs)));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
	kfree(theirs);
}

/* Another heap over the same break, which has memory between ours. */
static struct heap other;
static char *theirs[3], *above;

static bool heap_between(size_t more)
{
	if (!five_blocks(more) || !scratch_block(top_words()))
		return false;
	heap_init(&other, scratch_sbrk);
	for (size_t i = 0; i < 3; i++)
		theirs[i] = heap_malloc(&other, (9 + more) * HEAP_WORD);
	above = scratch_block(20000);
	return theirs[0] && theirs[1] && theirs[2] && above &&
	       is(more, "[ u20000 t ] [ u6 u8 u10 u12 u14 u* ]",
		  "[ u20000 t ] [ u156 u158 u160 u162 u164 u* ]");
}

/* To know whose it is would take a search; both walks know it afterwards. */
KTEST_SMALL_AND_LARGE(fault_09_block_of_a_heap_between_is_found_by_both_walks)
{
	CHECK(heap_between(more));
	heap_free(heap, theirs[1]);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, scratch_header(theirs[1])));
	CHECK(!heap_check(&other, NULL));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_09_twin_two_heaps_over_one_break_free_their_own)
{
	CHECK(heap_between(more));
	for (size_t i = 0; i < 3; i++) {
		heap_free(&other, theirs[i]);
		heap_free(heap, five[i]);
		CHECK(heap_check(&other, NULL) && heap_check(heap, NULL));
	}
	scratch_merge();
	CHECK(is(more, "[ u20000 t ] [ f24 u12 u14 u* ]", "[ u20000 t ] [ f474 u162 u164 u* ]"));
	heap_free(heap, above);
	CHECK(heap_trim(heap, 0) > 0);
	CHECK(heap_trim(&other, 0) > 0);
	CHECK(scratch_comes_to_nothing());
}

/* Overwrites */

#define LOW_BYTE ((size_t)0xFF)

/*
 * The next block's flags tell on freeing this one, its length on freeing that
 * one. Freeing a small block leaves "in use" to who merges it.
 */
KTEST_SMALL_AND_LARGE(fault_11_any_byte_past_the_end_is_reported)
{
	size_t looked_at = more ? USED : PREV_IN_USE, *header;
	char *ptr, *hit;

	scratch_open();
	ptr = scratch_block(10 + more);
	hit = scratch_block(10 + more);
	CHECK(scratch_block(100)); /* longer than the byte can say */
	header = scratch_header(hit);
	CHECK((char *)header == ptr + heap_usable_size(heap, ptr));
	for (size_t byte = 0; byte <= LOW_BYTE; byte++) {
		size_t damage = (*header & ~LOW_BYTE) | byte;
		bool passes = (byte & looked_at) == looked_at;

		if (damage == *header)
			continue;
		CHECK(free_sees(header, damage, passes ? hit : ptr));
		CHECK(passes || scratch_fault.block == header);
		CHECK(!passes || (byte & IN_USE) || merge_sees(header, damage, ptr));
	}
	CHECK(is(more, "[ u10 u10 u100 t ]", "[ u160 u160 u100 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_12_zero_byte_past_the_end_is_reported_whatever_it_hits)
{
	char *last;
	size_t *end;

	CHECK(five_blocks(more));
	CHECK(free_sees(scratch_header(b), *scratch_header(b) & ~LOW_BYTE, a));
	heap_free(heap, b); /* small, it waits */
	CHECK(free_sees(scratch_header(b), *scratch_header(b) & ~LOW_BYTE, a));
	scratch_merge();
	CHECK(free_sees(scratch_header(b), *scratch_header(b) & ~LOW_BYTE, a));
	end = scratch_footer(five[4]) + 1;
	CHECK(free_sees(end, *end & ~LOW_BYTE, five[4])); /* the top */
	last = scratch_block(top_words());
	CHECK(last && is(more, "[ u6 u8 f10 u12 u14 u* ]", "[ u156 u158 f160 u162 u164 u* ]"));
	end = scratch_footer(last) + 1;
	CHECK(free_sees(end, *end & ~LOW_BYTE, last)); /* the fence */
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_NEXT);
	CHECK(scratch_fault.block == end);
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_12_zero_byte_past_the_end_onto_the_remainder_is_reported)
{
	CHECK(block_and_remainder());
	CHECK(free_sees(remainder, *remainder & ~LOW_BYTE, a));
	CHECK(scratch_fault.kind == HEAP_FAULT_NEXT && scratch_fault.block == remainder);
	CHECK(scratch_is(REMAINDER));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_13_24_bytes_past_the_end_are_reported)
{
	char saved[24], *end;

	CHECK(five_blocks(more));
	end = a + heap_usable_size(heap, a);
	memcpy(saved, end, sizeof(saved));
	memset(end, 'A', sizeof(saved));
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, end));
	CHECK(refused(a, HEAP_FAULT_NEXT, end));
	CHECK(refused(b, HEAP_FAULT_LENGTH, end));
	memcpy(end, saved, sizeof(saved));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* Those bytes are the block's own, as heap_usable_size() says; nobody else's are behind them. */
KTEST(fault_14_write_into_the_slack_is_not_seen_and_hits_nobody)
{
	char *ptr, *next;

	scratch_open();
	ptr = heap_malloc(heap, 37);
	next = scratch_block(10);
	CHECK(ptr && next);
	CHECK_EQ(heap_usable_size(heap, ptr), 44);
	memset(ptr, 'A', 44);
	CHECK(all(next, 0, 36));
	CHECK(scratch_is("[ u12 u10 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_15_write_before_the_start_is_reported)
{
	size_t *header, right;

	CHECK(five_blocks(more));
	header = scratch_header(b);
	right = *header;
	for (size_t byte = 0; byte < HEAP_WORD; byte++) {
		((char *)header)[byte] = 'A';
		CHECK(byte == 0 ? refused(b, HEAP_FAULT_NEXT, (char *)header + (*header & ~FLAGS))
				: refused(b, HEAP_FAULT_LENGTH, header));
		*header = right;
	}
	*header = 0x41414141;
	CHECK(refused(b, HEAP_FAULT_LENGTH, header));
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, header));
	*header = right;
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/*
 * From within a block over its end, its neighbour's header and on. After 'Z' the
 * flags there are as freeing a small block wants them; merging it looks on.
 */
KTEST_SMALL_AND_LARGE(fault_16_memset_and_memcpy_across_the_end_are_reported)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog, and goes home.";
	char saved[60], *from;

	_Static_assert(sizeof(text) == sizeof(saved), "as long as the overrun");
	CHECK(five_blocks(more));
	from = (char *)scratch_header(b) - 28;
	memcpy(saved, from, sizeof(saved));
	memset(from, 'Z', sizeof(saved));
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, scratch_header(b)));
	CHECK(refused(b, HEAP_FAULT_LENGTH, scratch_header(b)));
	CHECK(not_merged(a, HEAP_FAULT_LENGTH, scratch_header(b)));
	memcpy(from, text, sizeof(saved));
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, scratch_header(b)));
	CHECK(refused(b, HEAP_FAULT_LENGTH, scratch_header(b)));
	CHECK(refused(a, HEAP_FAULT_NEXT, scratch_header(b)));
	memcpy(from, saved, sizeof(saved));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_11_to_16_twin_every_byte_of_a_payload_is_its_owners)
{
	CHECK(five_blocks(more));
	for (unsigned int value = 0; value < 256; value++) {
		for (size_t i = 0; i < 5; i++)
			memset(five[i], (int)value, heap_usable_size(heap, five[i]));
		CHECK(is_five(more));
		if (value % 2)
			heap_free(heap, b);
		else
			scratch_release_to_bin(b);
		CHECK(scratch_block(10 + more) == b);
		CHECK(all(a, (unsigned char)value, heap_usable_size(heap, a)));
		CHECK(all(c, (unsigned char)value, heap_usable_size(heap, c)));
	}
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_17_any_flipped_bit_of_a_header_in_use_is_reported)
{
	size_t *header;

	CHECK(five_blocks(more));
	header = scratch_header(b);
	for (size_t bit = 1; bit; bit <<= 1)
		CHECK(free_sees(header, *header ^ bit, b));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* An allocation passes over a large block that says it is too short; who merges it does not. */
KTEST_SMALL_AND_LARGE(fault_17_any_flipped_bit_of_a_free_blocks_lengths_is_reported)
{
	size_t *header, *footer, right;

	CHECK(five_but_b(more));
	header = scratch_header(b);
	footer = scratch_footer(b);
	right = *header;
	for (size_t bit = 1; bit; bit <<= 1) {
		CHECK(merging_sees(header, right ^ bit, c));
		CHECK((more && (right ^ bit) < (10 + more) * HEAP_WORD) ||
		      malloc_sees(header, right ^ bit, 10 + more));
		CHECK(merging_sees(footer, *footer ^ bit, a));
		CHECK(merging_sees(footer, *footer ^ bit, c));
		CHECK(malloc_sees(footer, *footer ^ bit, 10 + more));
	}
	CHECK(b_is_free(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_17_any_flipped_bit_of_the_remainders_lengths_is_reported)
{
	size_t *footer;

	CHECK(block_and_remainder());
	footer = scratch_footer(remainder + 1);
	for (size_t bit = 1; bit; bit <<= 1) {
		CHECK(malloc_sees(remainder, *remainder ^ bit, 10));
		CHECK(free_sees(remainder, *remainder ^ bit, b));
		CHECK((bit & USED) || merge_sees(remainder, *remainder ^ bit, a));
		CHECK(malloc_sees(footer, *footer ^ bit, 10));
		CHECK(free_sees(footer, *footer ^ bit, b));
		CHECK(merge_sees(footer, *footer ^ bit, a));
	}
	CHECK(scratch_is(REMAINDER));
	CHECK(scratch_comes_to_nothing());
}

/* With the header of a block that waits overwritten: found by the walk, and by who merges it. */
static bool waiting_sees(size_t *header, size_t damage)
{
	size_t saved = *header;
	uint32_t before;
	bool found, seen;

	*header = damage;
	found = !heap_check(heap, NULL);
	before = scratch_sum();
	scratch_merge();
	seen = reported_once(before);
	*header = saved;
	return said(found, header, damage, "heap_check()") &&
	       said(seen, header, damage, "merging") && heap_check(heap, NULL);
}

/* Whoever takes it compares all but the bit about the block before, which is no matter to it. */
KTEST(fault_17_any_flipped_bit_of_a_header_that_waits_is_reported)
{
	size_t *header;

	CHECK(five_blocks(SMALL));
	heap_free(heap, b);
	header = scratch_header(b);
	for (size_t bit = 1; bit; bit <<= 1) {
		CHECK(waiting_sees(header, *header ^ bit));
		CHECK(scratch_fault.block == header);
		if (bit == PREV_IN_USE)
			continue;
		CHECK(malloc_sees(header, *header ^ bit, 10));
		CHECK(scratch_fault.kind == HEAP_FAULT_NOT_USED && scratch_fault.block == header);
	}
	CHECK(scratch_is("[ u6 u8 c10 u12 u14 t ]"));
	CHECK(scratch_block(10) == b);
	CHECK(scratch_comes_to_nothing());
}

/* What a small block's neighbour before says is believed while it waits, and given back. */
KTEST(fault_22_prev_in_use_bit_of_a_block_that_waits_is_reported_when_it_is_merged)
{
	size_t *header;

	CHECK(five_blocks(SMALL));
	heap_free(heap, b);
	header = scratch_header(b);
	*header ^= PREV_IN_USE;
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, header));
	CHECK(scratch_block(10) == b);
	CHECK_EQ(scratch_faults, 0);
	CHECK(not_merged(b, HEAP_FAULT_FOOTER, header));
	*header ^= PREV_IN_USE;
	CHECK(is_five(SMALL));
	CHECK(scratch_comes_to_nothing());
}

/* Whether this would be a good header for b too: it ends where another block does. */
static bool ends_at_a_block(size_t word, size_t more)
{
	size_t words = (word & ~FLAGS) / HEAP_WORD, flags = word & FLAGS;

	if (!more)
		flags |= PREV_IN_USE; /* not looked at when it is freed: see row 22 */
	return flags == USED &&
	       (words == 10 + more || words == 22 + 2 * more || words == 36 + 3 * more);
}

KTEST_SMALL_AND_LARGE(fault_18_header_set_to_a_random_word_is_reported)
{
	CHECK(five_blocks(more));
	for (unsigned int round = 0; round < 2000; round++) {
		size_t word = ktest_random() >> ktest_random() % 28;

		if (!ends_at_a_block(word, more))
			CHECK(free_sees(scratch_header(b), word, b));
	}
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_18_header_that_waits_set_to_a_random_word_is_reported)
{
	size_t *header;

	CHECK(five_blocks(SMALL));
	heap_free(heap, b);
	header = scratch_header(b);
	for (unsigned int round = 0; round < 2000; round++) {
		size_t word = ktest_random() >> ktest_random() % 28;

		if ((word | PREV_IN_USE) == *header)
			continue;
		CHECK(malloc_sees(header, word, 10));
		CHECK(waiting_sees(header, word));
	}
	CHECK(scratch_is("[ u6 u8 c10 u12 u14 t ]"));
	CHECK(scratch_comes_to_nothing());
}

static bool false_header_is_seen(size_t more, size_t damage, enum heap_fault_kind kind, size_t at)
{
	if (!five_blocks(more) || !free_sees(scratch_header(b), damage, b))
		return false;
	return scratch_fault.kind == kind && scratch_fault.block == scratch_header(b) + at &&
	       is_five(more) && scratch_comes_to_nothing();
}

KTEST_SMALL_AND_LARGE(fault_19_header_set_to_zero_is_reported)
{
	CHECK(false_header_is_seen(more, 0, HEAP_FAULT_LENGTH, 0));
}

KTEST_SMALL_AND_LARGE(fault_20_header_longer_by_8_is_reported)
{
	CHECK(false_header_is_seen(more, (12 + more) * HEAP_WORD | USED, HEAP_FAULT_NEXT,
				   12 + more));
}

KTEST_SMALL_AND_LARGE(fault_21_header_longer_by_1024_is_reported)
{
	CHECK(false_header_is_seen(more, (266 + more) * HEAP_WORD | USED, HEAP_FAULT_NEXT,
				   266 + more));
}

KTEST(fault_19_to_21_wrong_header_of_a_block_that_waits_is_reported)
{
	size_t *header;

	CHECK(five_blocks(SMALL));
	heap_free(heap, b);
	header = scratch_header(b);
	CHECK(malloc_sees(header, 0, 10) && waiting_sees(header, 0));
	CHECK(malloc_sees(header, *header + 8, 10) && waiting_sees(header, *header + 8));
	CHECK(malloc_sees(header, *header + 1024, 10) && waiting_sees(header, *header + 1024));
	CHECK(malloc_sees(header, *header + 48, 10) && waiting_sees(header, *header + 48));
	CHECK(scratch_is("[ u6 u8 c10 u12 u14 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* A header has no second source. The block that was swallowed is missed when it is freed. */
KTEST_SMALL_AND_LARGE(fault_20_length_that_ends_at_a_later_block_is_seen_when_that_between_is_freed)
{
	CHECK(five_blocks(more));
	*scratch_header(b) += (12 + more) * HEAP_WORD;
	CHECK(is(more, "[ u6 u8 u22 u14 t ]", "[ u156 u158 u322 u164 t ]"));
	scratch_release_to_bin(b);
	CHECK(is(more, "[ u6 u8 f22 u14 t ]", "[ u156 u158 f322 u164 t ]"));
	CHECK(refused(c, HEAP_FAULT_NEXT, scratch_header(five[4])));
	CHECK(scratch_comes_to_nothing());
}

/* If both are small and wait, the first that is merged makes the other one known. */
KTEST(fault_20_length_that_ends_at_a_later_block_is_seen_when_both_have_waited)
{
	CHECK(five_blocks(SMALL));
	*scratch_header(b) += 12 * HEAP_WORD;
	heap_free(heap, b);
	CHECK(scratch_is("[ u6 u8 c22 u14 t ]"));
	heap_free(heap, c);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, scratch_header(b)));
	scratch_merge();
	CHECK(scratch_caught(HEAP_FAULT_NEXT, scratch_header(five[4])));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_22_prev_in_use_bit_cleared_is_reported)
{
	size_t *header;

	CHECK(five_blocks(more));
	header = scratch_header(b);
	CHECK(free_sees(header, *header ^ PREV_IN_USE, b));
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_FOOTER);
	*scratch_footer(a) = (8 + more) * HEAP_WORD; /* the payload plays the footer */
	CHECK(free_sees(header, *header ^ PREV_IN_USE, b));
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_NEXT);
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* The block itself cannot know; whoever uses the free one before it does. */
KTEST_SMALL_AND_LARGE(fault_22_prev_in_use_bit_set_is_reported_by_who_uses_the_free_block)
{
	size_t *header;

	CHECK(five_but_b(more));
	header = scratch_header(c);
	CHECK(merging_sees(header, *header ^ PREV_IN_USE, a));
	CHECK(malloc_sees(header, *header ^ PREV_IN_USE, 10 + more));
	*header ^= PREV_IN_USE;
	scratch_release_to_bin(c);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, header));
	if (more) /* both are in one bin, and it comes first */
		CHECK(scratch_block(12 + more) == c);
	CHECK(not_given(10 + more, HEAP_FAULT_NEXT, header));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_23_in_use_bit_cleared_is_reported)
{
	size_t *header;

	CHECK(five_blocks(more));
	header = scratch_header(b);
	*header ^= IN_USE;
	CHECK(refused(b, HEAP_FAULT_NOT_USED, header));
	CHECK(not_merged(a, HEAP_FAULT_FOOTER, header));
	CHECK(scratch_check_finds(HEAP_FAULT_FOOTER, header));
	*header ^= IN_USE;
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_23_in_use_bit_set_is_reported)
{
	size_t *header;

	CHECK(five_but_b(more));
	header = scratch_header(b);
	*header ^= IN_USE;
	CHECK(refused(b, HEAP_FAULT_NEXT, scratch_header(c)));
	CHECK(not_merged(c, HEAP_FAULT_NEXT, header));
	CHECK(not_given(10 + more, HEAP_FAULT_NEXT, header));
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, scratch_header(c)));
	*header ^= IN_USE;
	CHECK(b_is_free(more));
	CHECK(scratch_comes_to_nothing());
}

/* Rows 22, 23 and 30 where the free block is the remainder, as the one freed last is. */
KTEST(fault_22_to_30_damage_to_the_block_freed_last_is_reported)
{
	size_t *header;

	CHECK(five_blocks(SMALL));
	scratch_release(b);
	CHECK(b_is_free(SMALL) && heap->remainder == (void *)b);
	header = scratch_header(c);
	CHECK(merging_sees(header, *header ^ PREV_IN_USE, a));
	CHECK(malloc_sees(header, *header ^ PREV_IN_USE, 10));
	CHECK(merging_sees(scratch_footer(b), 0x41414141, c));
	CHECK(malloc_sees(scratch_footer(b), 0x41414141, 10));
	header = scratch_header(b);
	*header ^= IN_USE;
	CHECK(refused(b, HEAP_FAULT_NEXT, scratch_header(c)));
	CHECK(not_merged(c, HEAP_FAULT_NEXT, header));
	CHECK(not_given(10, HEAP_FAULT_NEXT, header));
	*header ^= IN_USE;
	CHECK(b_is_free(SMALL));
	CHECK(scratch_comes_to_nothing());
}

/* The block before it has only its word; whoever uses it next has another. */
KTEST_SMALL_AND_LARGE(fault_23_in_use_bit_set_is_reported_after_the_block_before_it_was_freed)
{
	size_t *header;

	CHECK(five_but_b(more));
	header = scratch_header(b);
	*header ^= IN_USE;
	scratch_release_to_bin(a);
	CHECK_EQ(scratch_faults, 0);
	CHECK(not_merged(c, HEAP_FAULT_NEXT, header));
	CHECK(not_given(10 + more, HEAP_FAULT_NEXT, header));
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, scratch_header(c)));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_17_to_23_twin_headers_that_the_heap_changes_are_silent)
{
	CHECK(five_blocks(more));
	heap_free(heap, a);
	CHECK(is(more, "[ u6 c8 u10 u12 u14 t ]", "[ u156 f158 u160 u162 u164 t ]"));
	scratch_merge();
	CHECK(is(more, "[ u6 f8 u10 u12 u14 t ]", "[ u156 f158 u160 u162 u164 t ]"));
	CHECK(heap_realloc(heap, five[0], (13 + 2 * more) * HEAP_WORD) == five[0]);
	CHECK(is(more, "[ u14 u10 u12 u14 t ]", "[ u314 u160 u162 u164 t ]"));
	CHECK(heap_realloc(heap, five[0], (5 + more) * HEAP_WORD) == five[0]);
	CHECK(is(more, "[ u6 f8 u10 u12 u14 t ]", "[ u156 f158 u160 u162 u164 t ]"));
	CHECK(heap_realloc(heap, five[4], (15 + more) * HEAP_WORD) == five[4]);
	CHECK(heap_realloc(heap, five[4], (271 + more) * HEAP_WORD) == five[4]);
	CHECK(is(more, "[ u6 f8 u10 u12 u272 t ]", "[ u156 f158 u160 u162 u422 t ]"));
	CHECK(scratch_block(8 + more) == a);
	CHECK(is(more, "[ u6 u8 u10 u12 u272 t ]", "[ u156 u158 u160 u162 u422 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/*
 * The top and the fence are looked at by who frees a large block before them,
 * takes from the top, or gives back; if it is small, by who merges it.
 */
static bool end_is_seen(size_t *word, size_t damage)
{
	return malloc_sees(word, damage, 10) && merging_sees(word, damage, five[4]);
}

static bool forged_top_is_seen(size_t *top, size_t damage)
{
	size_t saved = *top;
	bool seen = damage & PREV_IN_USE
			    ? end_is_seen(top, damage)
			    : malloc_sees(top, damage, 10) && free_sees(top, damage, five[4]);

	*top = damage;
	seen &= heap_trim(heap, 0) == 0 && scratch_faults == 1 && scratch_fault.block == top;
	scratch_faults = 0;
	*top = saved;
	return seen;
}

KTEST_SMALL_AND_LARGE(fault_24_forged_top_is_reported_by_who_uses_it)
{
	size_t *top;

	CHECK(five_blocks(more));
	top = scratch_header(five[4]) + 14 + more;
	CHECK(forged_top_is_seen(top, 0));
	CHECK(forged_top_is_seen(top, 0x41414141));
	CHECK(forged_top_is_seen(top, HEAP_ALIGN | PREV_IN_USE));
	CHECK(forged_top_is_seen(top, ((size_t)PTRDIFF_MAX & ~FLAGS) | PREV_IN_USE));
	for (size_t bit = PREV_IN_USE; bit; bit <<= 1)
		CHECK(forged_top_is_seen(top, *top ^ bit));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* Who takes from it or gives back is stopped; merging with it does not need its word, and mends it. */
KTEST_SMALL_AND_LARGE(fault_23_in_use_bit_of_the_top_set_is_reported_or_undone)
{
	size_t *top;

	CHECK(five_blocks(more));
	top = scratch_header(five[4]) + 14 + more;
	CHECK(malloc_sees(top, *top ^ IN_USE, 10));
	*top ^= IN_USE;
	CHECK_EQ(heap_trim(heap, 0), 0);
	CHECK(scratch_caught(HEAP_FAULT_NEXT, top));
	scratch_release_to_bin(five[4]);
	CHECK(is(more, "[ u6 u8 u10 u12 t ]", "[ u156 u158 u160 u162 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* How long the top is, the heap knows from where it and the fence are. */
KTEST(fault_24_top_has_no_second_length_that_could_be_forged)
{
	CHECK(five_blocks(SMALL));
	((size_t *)scratch_brk.end)[-2] = 0x41414141;
	CHECK(is_five(SMALL));
	CHECK(scratch_block(16));
	scratch_release_to_bin(five[4]);
	CHECK(scratch_is("[ u6 u8 u10 u12 f14 u16 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_24_forged_fence_is_reported)
{
	size_t *fence;

	CHECK(five_blocks(more));
	fence = (size_t *)scratch_brk.end - 1;
	CHECK_EQ(*fence, IN_USE);
	for (size_t damage = 0; damage < HEAP_ALIGN; damage++)
		if (damage != IN_USE)
			CHECK(end_is_seen(fence, damage));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_24_fence_with_a_length_is_reported)
{
	size_t *fence;

	CHECK(five_blocks(more));
	fence = (size_t *)scratch_brk.end - 1;
	CHECK(end_is_seen(fence, 1024 | IN_USE));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* Who frees the last block looks at the flags; the length is for who uses the top after that. */
KTEST(fault_24_forged_fence_behind_a_block_in_use_is_reported)
{
	size_t *fence;
	char *last;

	CHECK(five_blocks(SMALL));
	last = scratch_block(top_words());
	fence = (size_t *)scratch_brk.end - 1;
	CHECK(last && *fence == USED);
	CHECK(free_sees(fence, 0, last));
	CHECK(free_sees(fence, IN_USE, last));
	CHECK(free_sees(fence, PREV_IN_USE, last));
	*fence |= 1024;
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, fence));
	heap_free(heap, last);
	CHECK_EQ(scratch_faults, 0);
	CHECK(not_given(10, HEAP_FAULT_NEXT, fence));
	*fence = IN_USE;
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

#define RECORD_WORDS 5

/* Where the walk is when it finds that, after it has followed the links to other records so far. */
static const void *record_found_at(const size_t *record, size_t word, size_t damage)
{
	if (record[0] && word == 0 && damage)
		return (const void *)damage;
	if (record[0] && word == 4 && damage < record[2]) /* where all older ones end, at most */
		return (const void *)record[0];
	return record;
}

/* Each word of a record overwritten: found by the walk, and by who gives back. */
static bool forged_record_is_seen(size_t *record)
{
	const size_t damages[] = { 0, 1, 0x41414141, SCRATCH_BASE + HEAP_ALIGN, SIZE_MAX };
	bool seen = true;

	for (size_t word = 0; word < RECORD_WORDS; word++) {
		size_t saved = record[word];

		for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
			const void *at = record_found_at(record, word, damages[i]);

			if (damages[i] == saved)
				continue;
			record[word] = damages[i];
			seen &= scratch_check_finds(HEAP_FAULT_RANGE, at);
			seen &= heap_trim(heap, 0) == 0 &&
				scratch_caught(HEAP_FAULT_RANGE, heap->segment);
			record[word] = saved;
		}
	}
	return seen;
}

/* The words before the first header: who writes as far as there has damaged that as well. */
KTEST(fault_24_forged_record_of_a_segment_is_found_by_the_walk_and_by_giving_back)
{
	CHECK(five_blocks(SMALL));
	CHECK(forged_record_is_seen(scratch_header(five[0]) - RECORD_WORDS));
	CHECK(is_five(SMALL));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_24_forged_record_of_one_of_two_segments_is_found_by_the_walk_and_by_giving_back)
{
	size_t *newest;

	CHECK(heap_between(SMALL));
	newest = scratch_header(above) - RECORD_WORDS;
	CHECK(forged_record_is_seen(scratch_header(five[0]) - RECORD_WORDS));
	CHECK(scratch_is("[ u20000 t ] [ u6 u8 u10 u12 u14 u* ]"));
	CHECK(forged_record_is_seen(newest));
	CHECK(scratch_is("[ u20000 t ] [ u6 u8 u10 u12 u14 u* ]"));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_24_twin_top_used_up_and_fence_moved_are_silent)
{
	char *rest;

	CHECK(five_blocks(more));
	rest = scratch_block(top_words());
	CHECK(rest && is(more, "[ u6 u8 u10 u12 u14 u* ]", "[ u156 u158 u160 u162 u164 u* ]"));
	CHECK(scratch_block(4));
	CHECK(is(more, "[ u6 u8 u10 u12 u14 u* u4 t ]", "[ u156 u158 u160 u162 u164 u* u4 t ]"));
	heap_free(heap, rest);
	CHECK(is(more, "[ u6 u8 u10 u12 u14 f* u4 t ]", "[ u156 u158 u160 u162 u164 f* u4 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Use after free, and the free lists */

/* Large blocks' bins are searched: who does so may first meet what the false link leads to. */
KTEST_SMALL_AND_LARGE(fault_25_next_link_overwritten_is_reported_and_not_followed)
{
	CHECK(two_in_a_bin(more));
	for (unsigned int round = 0; round < 500; round++) {
		size_t word = ktest_random();

		if (round % 2) /* into the heap */
			word = (SCRATCH_BASE + word % (2 * PAGE_SIZE)) & ~(HEAP_WORD - 1);
		if (word == first[1] || word == 0)
			continue;
		CHECK(malloc_sees(&first[1], word, 10 + more));
		CHECK(more || scratch_fault.block == first);
		CHECK(round % 2 || scratch_fault.block == first ||
		      scratch_fault.block == (void *)(word - HEAP_WORD));
		CHECK(scratch_fault.block != first || scratch_fault.kind == HEAP_FAULT_LINK);
		CHECK(merging_sees(&first[1], word, between));
	}
	CHECK(is_two_in_a_bin(more));
	CHECK(scratch_comes_to_nothing());
}

/* As if the list ended there: nothing is wrong with its first block. The second is lost. */
KTEST_SMALL_AND_LARGE(fault_25_next_link_set_to_zero_is_reported_when_the_lost_block_is_met)
{
	CHECK(two_in_a_bin(more));
	CHECK(merging_sees(&first[1], 0, between));
	CHECK(merging_sees(&first[1], 0, behind));
	first[1] = 0;
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, second));
	CHECK(scratch_block(10 + more) == (void *)(first + 1));
	CHECK_EQ(scratch_faults, 0);
	CHECK(not_merged(behind, HEAP_FAULT_LINK, second));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_26_prev_link_overwritten_is_reported_and_not_followed)
{
	const size_t damages[] = {
		0,
		0x41414141,
		(size_t)heap->bins, /* the start of another bin */
		(size_t)heap->bins + 2,
		(size_t)(heap->bins + HEAP_BINS),
		SCRATCH_BASE + 64,
	};

	CHECK(two_in_a_bin(more));
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		CHECK(malloc_sees(&first[2], damages[i], 10 + more));
		CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == first);
		CHECK(merging_sees(&first[2], damages[i], between));
		CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == first);
		CHECK(malloc_sees(&second[2], damages[i], 10 + more));
		CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == first);
		CHECK(merging_sees(&second[2], damages[i], behind));
		CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == second);
	}
	CHECK(merging_sees(&second[2], first[2], behind)); /* the start of its own bin */
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == second);
	CHECK(is_two_in_a_bin(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_27_any_flipped_bit_of_a_link_is_reported)
{
	CHECK(two_in_a_bin(more));
	for (size_t bit = 1; bit; bit <<= 1) {
		CHECK(malloc_sees(&first[1], first[1] ^ bit, 10 + more));
		CHECK(malloc_sees(&first[2], first[2] ^ bit, 10 + more));
		CHECK(merging_sees(&first[1], first[1] ^ bit, between));
		CHECK(merging_sees(&first[2], first[2] ^ bit, between));
		CHECK(merging_sees(&second[1], second[1] ^ bit, behind));
		CHECK(merging_sees(&second[2], second[2] ^ bit, behind));
	}
	CHECK(is_two_in_a_bin(more));
	CHECK(scratch_comes_to_nothing());
}

/* Only the second of both blocks is left in the bin. */
static bool one_in_a_bin(size_t more)
{
	return two_in_a_bin(more) && scratch_block(10 + more) &&
	       is(more, "[ u10 u6 f10 u6 t ]", "[ u160 u156 f160 u156 t ]");
}

/* Links that lead to a forged block, whose links lead back: the next's prev, and the prev's next. */
static void link_both_ways(size_t *block, size_t *forged)
{
	forged[1] = (size_t)&block[1];
	forged[2] = (size_t)&block[1];
	block[1] = (size_t)&forged[1];
	block[2] = (size_t)&forged[1];
}

/* Taking the block from its bin would write both links to where they point. */
KTEST_SMALL_AND_LARGE(fault_28_forged_links_to_outside_of_the_heap_are_refused)
{
	static size_t target[4] __attribute__((aligned(8)));
	size_t *forged = target + 1; /* as a header would lie */
	size_t bin;

	CHECK(one_in_a_bin(more));
	bin = second[2];
	link_both_ways(second, forged);
	CHECK(not_given(10 + more, HEAP_FAULT_LINK, second));
	CHECK(not_merged(behind, HEAP_FAULT_LINK, second));
	CHECK(not_merged(between, HEAP_FAULT_LINK, second));
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, second));
	second[1] = 0; /* and the way back alone */
	CHECK(not_given(10 + more, HEAP_FAULT_LINK, second));
	CHECK(not_merged(behind, HEAP_FAULT_LINK, second));
	CHECK(forged[1] == (size_t)&second[1] && forged[2] == (size_t)&second[1]);
	second[2] = bin;
	CHECK(is(more, "[ u10 u6 f10 u6 t ]", "[ u160 u156 f160 u156 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Both ways there and back, within the heap; but a bin's first block has none before it. */
KTEST_SMALL_AND_LARGE(fault_28_forged_links_into_a_payload_are_reported)
{
	CHECK(one_in_a_bin(more));
	link_both_ways(second, scratch_header(between) + 2);
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, second));
	CHECK(not_given(10 + more, HEAP_FAULT_LINK, second));
	CHECK(not_merged(behind, HEAP_FAULT_LINK, second));
	second[1] = 0; /* and the way back alone */
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, second));
	CHECK(not_given(10 + more, HEAP_FAULT_LINK, second));
	scratch_throw_away();
}

/* A bin may well go on to a block that points back. That block is none, and is not given. */
KTEST_SMALL_AND_LARGE(
	fault_28_forged_next_link_into_a_payload_is_reported_by_the_walk_and_when_followed)
{
	size_t *forged;

	CHECK(one_in_a_bin(more));
	forged = scratch_header(between) + 2;
	forged[2] = (size_t)&second[1];
	second[1] = (size_t)&forged[1];
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, forged));
	CHECK(scratch_block(10 + more) == (void *)(second + 1));
	CHECK_EQ(scratch_faults, 0);
	/* Too short for this length: a large block's bin is passed by, if it holds no better one. */
	CHECK(not_given(more ? 80 : 10, HEAP_FAULT_LENGTH, forged));
	scratch_throw_away();
}

/*
 * The second in a bin: what points to it is not asked whether it is in the same
 * bin. What is written by that lies within the heap; the first block tells then.
 */
KTEST_SMALL_AND_LARGE(fault_28_forged_prev_link_of_a_later_block_is_reported_by_the_one_before)
{
	size_t *forged;

	CHECK(two_in_a_bin(more));
	forged = scratch_header(between) + 2;
	forged[1] = (size_t)&second[1];
	second[2] = (size_t)&forged[1];
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, first));
	CHECK(not_given(10 + more, HEAP_FAULT_LINK, first));
	CHECK(not_merged(between, HEAP_FAULT_LINK, first));
	forged[1] = (size_t)&second[1]; /* it was cleared with the payload if that has waited */
	scratch_release_to_bin(behind);
	CHECK_EQ(scratch_faults, 0);
	CHECK_EQ(forged[1], 0);
	CHECK(not_given(10 + more, HEAP_FAULT_LINK, first));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_29_link_back_to_the_lists_start_is_reported)
{
	CHECK(two_in_a_bin(more));
	CHECK(merging_sees(&second[1], (size_t)&first[1], behind));
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == second);
	CHECK(merging_sees(&second[1], (size_t)&second[1], behind));
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == second);
	CHECK(is_two_in_a_bin(more));
	CHECK(scratch_comes_to_nothing());
}

/* A ring has no wrong link, but its first block has one before it. Every call ends. */
KTEST_SMALL_AND_LARGE(fault_29_ring_is_reported_and_gives_no_block)
{
	CHECK(two_in_a_bin(more));
	first[2] = (size_t)&second[1];
	second[1] = (size_t)&first[1];
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, first));
	CHECK(heap_count_bins(heap) > 0);
	for (size_t i = 0; i < 3; i++)
		CHECK(not_given(10 + more, HEAP_FAULT_LINK, first));
	CHECK(not_merged(between, HEAP_FAULT_LINK, first));
	scratch_throw_away();
}

KTEST_SMALL_AND_LARGE(fault_25_to_30_twin_lists_in_any_order_are_silent)
{
	static void *blocks[40];

	scratch_open();
	for (size_t i = 0; i < 40; i++) {
		blocks[i] = scratch_block(10 + more);
		CHECK(blocks[i] && scratch_block(6 + more));
	}
	for (unsigned int round = 0; round < 500; round++) {
		size_t i = ktest_random() % 40;

		if (blocks[i]) {
			heap_free(heap, blocks[i]);
			blocks[i] = NULL;
		} else {
			blocks[i] = scratch_block(10 + more);
			CHECK(blocks[i]);
			memset(blocks[i], 0xFF, (9 + more) * HEAP_WORD);
		}
		if (ktest_random() % 4 == 0)
			scratch_merge();
		CHECK(heap_check(heap, NULL));
	}
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_30_write_after_free_behind_the_links_is_not_seen_and_harms_nothing)
{
	CHECK(five_but_b(more));
	memset(b + 2 * HEAP_WORD, 'A', (6 + more) * HEAP_WORD);
	CHECK(b_is_free(more));
	CHECK(scratch_block(10 + more) == b);
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* Rows 25 to 29 with a block that waits: the quick lists do not lead through the blocks. */
KTEST(fault_25_to_30_write_after_free_into_a_block_that_waits_harms_nothing)
{
	for (unsigned int value = 0; value < 256; value += 85) {
		CHECK(five_blocks(SMALL));
		heap_free(heap, a);
		heap_free(heap, b);
		memset(b, (int)value, 9 * HEAP_WORD);
		CHECK(scratch_is("[ u6 c8 c10 u12 u14 t ]"));
		CHECK(scratch_block(10) == b && scratch_block(10) != b);
		heap_free(heap, b);
		memset(b, (int)value, 9 * HEAP_WORD);
		scratch_merge();
		CHECK(scratch_is("[ u6 f18 u12 u14 u10 t ]"));
		CHECK(scratch_comes_to_nothing());
	}
}

/* The same with the remainder, which no list leads to, but for its last word. */
KTEST(fault_25_to_30_write_after_free_into_the_remainder_harms_nothing)
{
	CHECK(block_and_remainder());
	memset(remainder + 1, 'A', 146 * HEAP_WORD);
	CHECK(scratch_is(REMAINDER));
	CHECK(scratch_block(10) == (void *)(remainder + 1));
	CHECK(scratch_is("[ u156 u10 u10 f138 u160 u162 u164 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_30_write_after_free_onto_the_last_word_is_reported)
{
	CHECK(five_but_b(more));
	CHECK(merging_sees(scratch_footer(b), 0x41414141, c));
	CHECK(scratch_fault.kind == HEAP_FAULT_FOOTER);
	CHECK(malloc_sees(scratch_footer(b), 0x41414141, 10 + more));
	CHECK(scratch_fault.kind == HEAP_FAULT_FOOTER);
	CHECK(b_is_free(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_33_what_is_promised_zero_is_zero_in_used_memory)
{
	for (size_t size = 1; size < 5000; size += size / 2 + 1) {
		char *ptr = kmalloc(size);

		CHECK(ptr);
		memset(ptr, 'A', ksize(ptr));
		kfree(ptr);
		ptr = kzalloc(size);
		CHECK(ptr && all(ptr, 0, size));
		memset(ptr, 'A', ksize(ptr));
		kfree(ptr);
		ptr = kcalloc(size, 3);
		CHECK(ptr && all(ptr, 0, size * 3));
		kfree(ptr);
	}
}

KTEST(fault_33_twin_clearing_a_block_touches_no_other)
{
	char *before = kmalloc(36), *ptr = kmalloc(36), *after = kmalloc(36);

	CHECK(before && ptr && after);
	memset(before, 'A', 36);
	memset(after, 'A', 36);
	kfree(ptr);
	CHECK(kzalloc(36) == ptr);
	CHECK(all(before, 'A', 36) && all(after, 'A', 36));
	kfree(before);
	kfree(ptr);
	kfree(after);
}

/* Arithmetic */

KTEST(fault_34_products_that_overflow_are_refused)
{
	char *ptr = kmalloc(10);

	CHECK(ptr);
	memset(ptr, 'A', 10);
	for (size_t size = 2; size < SIZE_MAX / 4; size += size / 3 + 1) {
		for (size_t n = SIZE_MAX / size + 1; n <= SIZE_MAX / size + 3; n++) {
			CHECK(!kcalloc(n, size) && !kcalloc(size, n));
			CHECK(!kmalloc_array(n, size) && !kmalloc_array(size, n));
			CHECK(!krealloc_array(ptr, n, size));
		}
	}
	CHECK(!kcalloc(0x10001, 0x10000)); /* 0x10000, in 32 bits */
	CHECK(!kcalloc(SIZE_MAX, SIZE_MAX));
	CHECK(all(ptr, 'A', 10));
	kfree(ptr);
}

KTEST(fault_34_twin_products_that_fit_are_granted_whole)
{
	for (size_t n = 1; n < 200; n += n / 2 + 1) {
		for (size_t size = 1; size < 200; size += size / 2 + 1) {
			char *ptr = kcalloc(n, size);

			CHECK(ptr && ksize(ptr) >= n * size && all(ptr, 0, n * size));
			kfree(ptr);
		}
	}
}

/* Asks in all ways for what cannot be had: nothing changes, and it is no violation. */
static bool cannot_be_had(size_t size)
{
	uint32_t before = scratch_sum();

	return !heap_malloc(heap, size) && !heap_memalign(heap, 64, size) &&
	       !heap_realloc(heap, b, size) && !heap_realloc(heap, five[4], size) &&
	       !heap_realloc(heap, NULL, size) && scratch_sum() == before && scratch_faults == 0;
}

KTEST_SMALL_AND_LARGE(fault_35_sizes_near_the_end_of_all_numbers_are_refused)
{
	CHECK(five_blocks(more));
	for (size_t i = 0; i < 100; i++) {
		CHECK(cannot_be_had(SIZE_MAX - i));
		CHECK(cannot_be_had((size_t)PTRDIFF_MAX + 50 - i));
	}
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_36_sizes_just_beyond_what_there_can_ever_be_are_refused)
{
	CHECK(five_blocks(more));
	for (size_t i = 0; i < 40; i++) {
		CHECK(cannot_be_had(HEAP_MAX_REQUEST + 20 - i));
		CHECK(cannot_be_had(SCRATCH_LIMIT - scratch_brk.end + 20 - i));
	}
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_35_to_36_twin_all_that_is_left_is_granted)
{
	char *ptr;

	CHECK(five_blocks(more));
	ptr = heap_malloc(heap, SCRATCH_LIMIT - PAGE_SIZE - scratch_brk.end - 100);
	CHECK(ptr);
	memset(ptr, 'A', heap_usable_size(heap, ptr));
	CHECK(is(more, "[ u6 u8 u10 u12 u14 u* t ]", "[ u156 u158 u160 u162 u164 u* t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_37_size_0_gives_a_block_of_its_own)
{
	char *ptr, *next;

	scratch_open();
	ptr = heap_malloc(heap, 0);
	next = heap_malloc(heap, 0);
	CHECK(ptr && next && ptr != next);
	CHECK(scratch_is("[ u4 u4 t ]"));
	CHECK(heap_realloc(heap, ptr, 0) == ptr);
	heap_free(heap, ptr);
	CHECK(scratch_is("[ c4 u4 t ]"));
	CHECK(refused(ptr, HEAP_FAULT_NOT_USED, scratch_header(ptr)));
	scratch_merge();
	CHECK(scratch_is("[ f4 u4 t ]"));
	CHECK(refused(ptr, HEAP_FAULT_NOT_USED, scratch_header(ptr)));
	CHECK_EQ(heap_free(heap, NULL), 0);
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_37_twin_so_does_size_1)
{
	char *ptr;

	scratch_open();
	ptr = heap_malloc(heap, 1);
	CHECK(ptr && heap_malloc(heap, 1));
	CHECK(scratch_is("[ u4 u4 t ]"));
	CHECK(heap_realloc(heap, ptr, 1) == ptr);
	heap_free(heap, ptr);
	CHECK(scratch_is("[ c4 u4 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_38_alignments_that_are_no_power_of_two_are_refused)
{
	static const size_t none[] = { 0, 3, 5, 6, 7, 9, 12, 24, 48, 4097, 0x80000001, SIZE_MAX };

	CHECK(five_blocks(more));
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK(!heap_memalign(heap, none[i], 10));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_39_size_and_alignment_whose_sum_overflows_are_refused)
{
	uint32_t before;

	CHECK(five_blocks(SMALL));
	before = scratch_sum();
	for (size_t align = 1; align; align <<= 1) {
		for (size_t i = 0; i < 40; i++) {
			CHECK(!heap_memalign(heap, align, SIZE_MAX - i));
			CHECK(!heap_memalign(heap, align, (size_t)0 - align - i));
			CHECK(!heap_memalign(heap, align, HEAP_MAX_REQUEST - align + 20 - i));
		}
	}
	CHECK(!heap_memalign(heap, (size_t)1 << 31, 1));
	CHECK_EQ(scratch_sum(), before);
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_38_to_39_twin_powers_of_two_align_every_size)
{
	scratch_open();
	for (size_t align = 1; align <= 16 * PAGE_SIZE; align *= 2) {
		for (size_t size = 0; size < 3000; size += size / 2 + 1) {
			char *ptr = heap_memalign(heap, align, size), *wall = heap_malloc(heap, 4);

			CHECK(ptr && wall && (uintptr_t)ptr % align == 0);
			CHECK((uintptr_t)ptr % HEAP_ALIGN == 0);
			CHECK(heap_usable_size(heap, ptr) >= size);
			memset(ptr, 'A', heap_usable_size(heap, ptr));
			CHECK(heap_check(heap, NULL));
			heap_free(heap, ptr);
			heap_free(heap, wall);
		}
	}
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_40_heap_without_room_gives_null)
{
	struct brk none;

	CHECK_EQ(brk_init(&none, &kernel_space, SCRATCH_BASE, SCRATCH_BASE), -EINVAL);
	CHECK_EQ(brk_init(&none, &kernel_space, SCRATCH_BASE, SCRATCH_BASE + 100), -EINVAL);
	scratch_open_pages(0);
	CHECK(!heap_malloc(heap, 0) && !heap_malloc(heap, 1) && !heap_malloc(heap, PAGE_SIZE));
	CHECK(!heap_memalign(heap, 64, 1) && !heap_realloc(heap, NULL, 1));
	CHECK_EQ(heap_trim(heap, 0), 0);
	CHECK(scratch_comes_to_nothing());
	scratch_open_pages(1);
	CHECK(!heap_malloc(heap, PAGE_SIZE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_40_twin_heap_of_one_page_gives_what_it_has)
{
	size_t n = 0;

	scratch_open_pages(1);
	while (scratch_block(4))
		n++;
	CHECK(n > PAGE_SIZE / HEAP_MIN_BLOCK - 5);
	CHECK_EQ(scratch_faults, 0);
	CHECK(heap_check(heap, NULL));
	CHECK(scratch_comes_to_nothing());
}

/* Changing the size */

static bool none_is_resized(void *ptr)
{
	uint32_t before = scratch_sum();

	for (size_t size = 0; size < 600; size += 20)
		if (heap_realloc(heap, ptr, size) ||
		    !scratch_caught(HEAP_FAULT_NOT_USED, scratch_header(ptr)))
			return false;
	return scratch_sum() == before;
}

KTEST_SMALL_AND_LARGE(fault_41_realloc_of_a_freed_block_is_refused)
{
	CHECK(five_blocks(more));
	heap_free(heap, b);
	CHECK(none_is_resized(b));
	scratch_merge();
	CHECK(none_is_resized(b));
	CHECK(b_is_free(more));
	CHECK(scratch_comes_to_nothing());
}

/* New memory is zero, so that a byte too many would show. */
KTEST_SMALL_AND_LARGE(fault_42_growing_copies_no_byte_of_the_neighbour)
{
	size_t n = (9 + more) * HEAP_WORD;
	char *moved;

	CHECK(five_blocks(more));
	memset(b, 'B', n);
	memset(c, 'C', n + 8);
	moved = heap_realloc(heap, b, n + 200);
	CHECK(moved && moved != b);
	CHECK(all(moved, 'B', n) && all(moved + n, 0, 200));
	CHECK(all(c, 'C', n + 8));
	CHECK(is(more, "[ u6 u8 c10 u12 u14 u60 t ]", "[ u156 u158 f160 u162 u164 u210 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Each word of @b holds another number, and those beside it another byte. */
static void number_b(void)
{
	size_t *words = (void *)b;

	for (size_t i = 0; i < 159; i++)
		words[i] = i * 0x01010101;
	memset(five[0], 'Z', 155 * HEAP_WORD);
	memset(c, 'C', 161 * HEAP_WORD);
}

static bool is_numbered(const size_t *words)
{
	for (size_t i = 0; i < 159; i++)
		if (words[i] != i * 0x01010101)
			return false;
	return all(five[0], 'Z', 155 * HEAP_WORD) && all(c, 'C', 161 * HEAP_WORD);
}

/* Into the free block before, by several steps if that is shorter. */
KTEST(fault_42_sliding_down_copies_every_byte_and_none_of_the_neighbours)
{
	for (size_t words = 42; words <= 158; words += 4) {
		char *moved;

		CHECK(five_blocks(LARGE));
		number_b();
		if (words < 158) /* what is left of a, and of the bytes that slide up to there */
			CHECK(heap_realloc(heap, a, (157 - words) * HEAP_WORD) == a);
		else
			heap_free(heap, a);
		moved = heap_realloc(heap, b, (159 + words) * HEAP_WORD);
		CHECK(moved == b - words * HEAP_WORD);
		CHECK(is_numbered((void *)moved));
		CHECK_EQ(heap_usable_size(heap, moved), (159 + words) * HEAP_WORD);
		CHECK_EQ(scratch_faults, 0);
		CHECK(heap_check(heap, NULL));
		CHECK(scratch_comes_to_nothing());
	}
}

KTEST_SMALL_AND_LARGE(fault_43_failed_realloc_leaves_the_old_block)
{
	size_t n = (9 + more) * HEAP_WORD;
	uint32_t before;

	CHECK(five_blocks(more));
	memset(b, 'B', n);
	memset(five[4], 'E', n + 16);
	before = scratch_sum();
	for (unsigned int k = 1; k < 20; k++) {
		frame_fail_at(k, UINT32_MAX);
		CHECK(!heap_realloc(heap, b, 100000));
		frame_fail_at(k, UINT32_MAX);
		CHECK(!heap_realloc(heap, five[4], 100000));
		frame_fail_at(0, 0);
		CHECK_EQ(scratch_sum(), before);
	}
	CHECK(all(b, 'B', n) && all(five[4], 'E', n + 16));
	CHECK(is_five(more));
	CHECK(scratch_comes_to_nothing());
}

/* With a free block on either side that is too short: all that waits has been merged by then. */
KTEST(fault_43_failed_realloc_leaves_the_old_block_between_free_ones)
{
	CHECK(five_blocks(SMALL));
	memset(b, 'B', 36);
	heap_free(heap, a);
	heap_free(heap, c);
	frame_fail_at(1, UINT32_MAX);
	CHECK(!heap_realloc(heap, b, 100000));
	frame_fail_at(0, 0);
	CHECK(all(b, 'B', 36));
	CHECK(scratch_is("[ u6 f8 u10 f12 u14 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_41_to_43_twin_realloc_of_a_block_in_use_keeps_its_contents)
{
	size_t n = (9 + more) * HEAP_WORD;

	CHECK(five_blocks(more));
	memset(b, 'B', n);
	memset(five[4], 'E', n + 16);
	b = heap_realloc(heap, b, 100000);
	CHECK(b && all(b, 'B', n));
	CHECK(is(more, "[ u6 u8 c10 u12 u14 u* t ]", "[ u156 u158 f160 u162 u164 u* t ]"));
	b = heap_realloc(heap, b, 30);
	CHECK(b && all(b, 'B', 30));
	CHECK(is(more, "[ u6 u8 c10 u12 u14 u10 t ]", "[ u156 u158 f160 u162 u164 u10 t ]"));
	c = heap_realloc(heap, five[4], n + 24);
	CHECK(c && all(c, 'E', n + 16));
	CHECK(scratch_comes_to_nothing());
}

/* What stood at an end that is now within the block must not pass for a block that can be freed. */
KTEST_SMALL_AND_LARGE(fault_44_resizing_in_place_leaves_no_false_header)
{
	size_t *tail;

	CHECK(five_blocks(more));
	tail = scratch_header(c) + 6 + more;
	CHECK(heap_realloc(heap, c, (5 + more) * HEAP_WORD) == c);
	CHECK(is(more, "[ u6 u8 u10 u6 f6 u14 t ]", "[ u156 u158 u160 u156 f6 u164 t ]"));
	CHECK(refused(tail + 1, HEAP_FAULT_NOT_USED, tail));
	CHECK(heap_realloc(heap, c, (11 + more) * HEAP_WORD) == c);
	CHECK(is_five(more));
	CHECK(refused(tail + 1, HEAP_FAULT_NOT_USED, tail));
	scratch_release_to_bin(five[4]);
	CHECK(heap_realloc(heap, c, (25 + more) * HEAP_WORD) == c);
	CHECK(is(more, "[ u6 u8 u10 u26 t ]", "[ u156 u158 u160 u176 t ]"));
	CHECK(refused(five[4], HEAP_FAULT_NOT_USED, scratch_header(five[4])));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_44_sliding_down_leaves_no_false_header)
{
	CHECK(five_blocks(LARGE));
	heap_free(heap, five[0]);
	heap_free(heap, a);
	CHECK(heap_realloc(heap, b, 301 * HEAP_WORD) == five[0]);
	CHECK(scratch_is("[ u302 f172 u162 u164 t ]"));
	CHECK(refused(a, HEAP_FAULT_LENGTH, scratch_header(a)));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_comes_to_nothing());
}

KTEST_SMALL_AND_LARGE(fault_44_twin_resizing_in_place_ends_where_it_says)
{
	CHECK(five_blocks(more));
	for (size_t words = 12; words >= 4; words -= 2) {
		CHECK(heap_realloc(heap, c, (words + more - 1) * HEAP_WORD) == c);
		CHECK(heap_usable_size(heap, c) >= (words + more - 1) * HEAP_WORD);
		memset(c, 'C', heap_usable_size(heap, c));
		CHECK(heap_check(heap, NULL));
	}
	CHECK(is(more, "[ u6 u8 u10 u4 f8 u14 t ]", "[ u156 u158 u160 u154 f8 u164 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* The system underneath */

/* A list of blocks that each need more memory than there is; as long as it gets. */
static size_t build(void **list)
{
	size_t n = 0;

	while (n < 4 && (list[n] = heap_malloc(heap, 70000 + n * 1000)))
		n++;
	return n;
}

KTEST(fault_46_any_allocation_may_fail_and_nothing_is_lost)
{
	uint32_t free = frame_count(FRAME_FREE);
	bool failed_as[4] = { false }, refused_one = true;
	void *list[4];

	for (uint32_t n = 1; refused_one; n++) {
		size_t got;

		scratch_open();
		frame_fail_at(n, UINT32_MAX);
		got = build(list);
		refused_one = frame_has_failed();
		frame_fail_at(0, 0);
		CHECK_EQ(scratch_faults, 0);
		CHECK_EQ(got < 4, refused_one);
		if (got < 4)
			failed_as[got] = true;
		CHECK(scratch_comes_to_nothing());
		CHECK_EQ(frame_count(FRAME_FREE), free);
	}
	CHECK(failed_as[0] && failed_as[1] && failed_as[2] && failed_as[3]);
}

KTEST(fault_46_twin_with_memory_enough_none_fails)
{
	void *list[4];

	scratch_open();
	CHECK_EQ(build(list), 4);
	CHECK(scratch_is("[ u* u* u* u* t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_52_with_everything_freed_the_break_is_where_it_began)
{
	static void *blocks[60];

	for (unsigned int round = 0; round < 20; round++) {
		scratch_open();
		for (size_t i = 0; i < 60; i++) {
			size_t size = ktest_random() % (ktest_random() % 8 ? 300 : 20000);

			blocks[i] = ktest_random() % 4 ? heap_malloc(heap, size)
						       : heap_memalign(heap, 128, size);
			CHECK(blocks[i]);
		}
		for (size_t n = 60; n > 0; n--) {
			size_t i = ktest_random() % n;

			heap_free(heap, blocks[i]);
			blocks[i] = blocks[n - 1];
		}
		CHECK(heap_check(heap, NULL));
		CHECK_EQ(heap_trim(heap, SIZE_MAX), 0);
		CHECK(scratch_is("[ t ]"));
		CHECK(heap_count_bins(heap) == 0 && heap_count_cached(heap) == 0);
		heap_trim(heap, 0);
		CHECK(scratch_is(""));
		CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
	}
}

KTEST_SMALL_AND_LARGE(fault_52_twin_with_a_block_left_the_break_is_just_behind_it)
{
	CHECK(five_blocks(more));
	for (size_t i = 0; i < 5; i++)
		if (five[i] != c)
			heap_free(heap, five[i]);
	memset(c, 'C', (11 + more) * HEAP_WORD);
	heap_trim(heap, 0);
	CHECK(is(more, "[ f24 u12 t ]", "[ f474 u162 t ]"));
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE + PAGE_SIZE);
	CHECK(all(c, 'C', (11 + more) * HEAP_WORD));
	CHECK(scratch_comes_to_nothing());
}
