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
#define USED	    (IN_USE | PREV_IN_USE)
#define FLAGS	    (HEAP_ALIGN - 1)

static struct heap *const heap = &scratch_heap;

/* Five blocks, their payloads zero, and a break just behind them. */
#define FIVE "[ u6 u8 u10 u12 u14 t ]"
static char *five[5], *a, *b, *c;

static bool five_blocks(void)
{
	scratch_open();
	for (size_t i = 0; i < 5; i++)
		five[i] = scratch_block(6 + 2 * i);
	a = five[1];
	b = five[2];
	c = five[3];
	heap_trim(heap, 0);
	return scratch_is(FIVE);
}

/* Two free blocks of the same size, each between two in use; the list leads from the first on. */
#define LISTED "[ f10 u6 f10 u6 t ]"
static size_t *first, *second; /* headers */
static char *between, *behind;

static bool two_in_a_list(void)
{
	void *ptr[4];

	scratch_open();
	for (size_t i = 0; i < 4; i++)
		ptr[i] = scratch_block(i % 2 ? 6 : 10);
	heap_trim(heap, 0);
	if (!scratch_is("[ u10 u6 u10 u6 t ]"))
		return false;
	heap_free(heap, ptr[2]);
	heap_free(heap, ptr[0]);
	first = scratch_header(ptr[0]);
	second = scratch_header(ptr[2]);
	between = ptr[1];
	behind = ptr[3];
	return scratch_is(LISTED) && first[1] == (size_t)second && second[2] == (size_t)first;
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

static bool all(const void *ptr, unsigned char value, size_t n)
{
	const unsigned char *bytes = ptr;

	while (n > 0)
		if (bytes[--n] != value)
			return false;
	return true;
}

/* Wrong frees */

KTEST(fault_01_misaligned_pointers_are_refused_as_such)
{
	CHECK(five_blocks());
	for (size_t i = 1; i < HEAP_ALIGN; i++)
		CHECK(refused(b + i, HEAP_FAULT_ALIGNMENT, b + i - HEAP_WORD));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_02_pointer_into_a_block_is_refused_by_what_lies_there)
{
	size_t *words;

	CHECK(five_blocks());
	words = scratch_header(five[4]) + 1;
	CHECK(refused(words + 2, HEAP_FAULT_LENGTH, words + 1));
	memset(words, 'A', 8 * HEAP_WORD);
	CHECK(refused(words + 2, HEAP_FAULT_LENGTH, words + 1));
	memset(words, 0xFF, 8 * HEAP_WORD);
	CHECK(refused(words + 2, HEAP_FAULT_LENGTH, words + 1));
	words[1] = HEAP_MIN_BLOCK | USED;
	words[5] = 0;
	CHECK(refused(words + 2, HEAP_FAULT_NEXT, words + 5));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

/* Nothing in sight of the call is wrong, so it goes through; the walk never comes by that block. */
KTEST(fault_02_pointer_to_a_perfect_block_within_a_block_is_found_by_the_walk)
{
	size_t *words;

	CHECK(five_blocks());
	words = scratch_header(five[4]) + 1;
	words[1] = words[5] = HEAP_MIN_BLOCK | USED;
	heap_free(heap, words + 2);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, words + 1));
	scratch_throw_away();
}

KTEST(fault_03_pointers_from_outside_are_refused_unread)
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
	CHECK(five_blocks());
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE + PAGE_SIZE);
	for (size_t i = 0; i < sizeof(outside) / sizeof(*outside); i++)
		CHECK(refused((void *)outside[i], HEAP_FAULT_RANGE,
			      (void *)(outside[i] - HEAP_WORD)));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_04_perfect_block_outside_of_the_heap_is_refused)
{
	static size_t perfect[8] __attribute__((aligned(8))) = {
		[1] = HEAP_MIN_BLOCK | USED,
		[5] = HEAP_MIN_BLOCK | USED,
	};

	CHECK(five_blocks());
	CHECK(refused(perfect + 2, HEAP_FAULT_RANGE, perfect + 1));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

static void fill_with_false_headers(const void *ptr)
{
	size_t *end = scratch_footer(ptr);

	for (size_t *word = scratch_header(ptr) + 1; word <= end; word++)
		*word = HEAP_MIN_BLOCK | USED;
}

KTEST(fault_01_to_04_twin_blocks_that_hold_false_headers_are_freed_by_their_own_pointers)
{
	CHECK(five_blocks());
	for (size_t i = 0; i < 5; i++)
		fill_with_false_headers(five[i]);
	heap_free(heap, five[0]);
	heap_free(heap, b);
	heap_free(heap, five[4]);
	CHECK(scratch_is("[ f6 u8 f10 u12 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_05_block_freed_twice_is_refused)
{
	CHECK(five_blocks());
	heap_free(heap, b);
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	heap_free(heap, five[4]);
	CHECK(refused(five[4], HEAP_FAULT_NOT_USED, scratch_header(five[4])));
	CHECK(scratch_is("[ u6 u8 f10 u12 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_06_block_freed_twice_with_other_calls_between_is_refused)
{
	CHECK(five_blocks());
	heap_free(heap, b);
	heap_free(heap, five[0]);
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_block(20));
	CHECK(scratch_block(6));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 u20 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* The pointer is as good as the new owner's: one of both is too many, and the second is told so. */
KTEST(fault_07_stale_free_takes_the_block_and_its_new_owners_free_is_refused)
{
	char *again;

	CHECK(five_blocks());
	heap_free(heap, b);
	again = scratch_block(10);
	CHECK(again == b);
	heap_free(heap, b);
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
	CHECK(refused(again, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_05_to_07_twin_block_handed_out_again_is_freed_again)
{
	CHECK(five_blocks());
	for (unsigned int i = 0; i < 100; i++) {
		heap_free(heap, b);
		CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
		CHECK(scratch_block(10) == b);
	}
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_08_block_freed_twice_after_merging_is_refused)
{
	CHECK(five_blocks());
	heap_free(heap, a);
	heap_free(heap, b);
	CHECK(scratch_is("[ u6 f18 u12 u14 t ]"));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(refused(a, HEAP_FAULT_NOT_USED, scratch_header(a)));
	heap_free(heap, five[4]);
	heap_free(heap, c);
	CHECK(scratch_is("[ u6 t ]"));
	for (size_t i = 1; i < 5; i++)
		CHECK(refused(five[i], HEAP_FAULT_NOT_USED, scratch_header(five[i])));
	CHECK(five_blocks());
	heap_free(heap, c);
	heap_free(heap, b);
	CHECK(refused(c, HEAP_FAULT_NOT_USED, scratch_header(c)));
	CHECK(refused(b, HEAP_FAULT_NOT_USED, scratch_header(b)));
	CHECK(scratch_is("[ u6 u8 f22 u14 t ]"));
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
	CHECK((uintptr_t)last > scratch_brk.end);
	CHECK(refused(last, HEAP_FAULT_RANGE, last - HEAP_WORD));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_08_twin_blocks_freed_once_in_any_order_merge_to_nothing)
{
	for (unsigned int round = 0; round < 100; round++) {
		CHECK(five_blocks());
		for (size_t n = 5; n > 0; n--) {
			size_t i = ktest_random() % n;

			heap_free(heap, five[i]);
			five[i] = five[n - 1];
			CHECK(heap_check(heap, NULL));
		}
		CHECK(scratch_is("[ t ]"));
		CHECK(scratch_comes_to_nothing());
	}
}

KTEST(fault_09_block_of_another_heap_is_refused)
{
	void *theirs = kmalloc(100);

	CHECK(theirs && five_blocks());
	CHECK(refused(theirs, HEAP_FAULT_RANGE, scratch_header(theirs)));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
	kfree(theirs);
}

/* Another heap over the same break, which has memory between ours. */
static struct heap other;
static char *theirs[3], *above;

static bool heap_between(void)
{
	if (!five_blocks() || !scratch_block(top_words()))
		return false;
	heap_init(&other, scratch_sbrk);
	for (size_t i = 0; i < 3; i++)
		theirs[i] = heap_malloc(&other, 36);
	above = scratch_block(20000);
	return theirs[0] && theirs[1] && theirs[2] && above &&
	       scratch_is("[ u20000 t ] [ u6 u8 u10 u12 u14 u* ]");
}

/* To know whose it is would take a search; both walks know it afterwards. */
KTEST(fault_09_block_of_a_heap_between_is_found_by_both_walks)
{
	CHECK(heap_between());
	heap_free(heap, theirs[1]);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_BIN, scratch_header(theirs[1])));
	CHECK(!heap_check(&other, NULL));
	scratch_throw_away();
}

KTEST(fault_09_twin_two_heaps_over_one_break_free_their_own)
{
	CHECK(heap_between());
	for (size_t i = 0; i < 3; i++) {
		heap_free(&other, theirs[i]);
		heap_free(heap, five[i]);
		CHECK(heap_check(&other, NULL) && heap_check(heap, NULL));
	}
	CHECK(scratch_is("[ u20000 t ] [ f24 u12 u14 u* ]"));
	heap_free(heap, above);
	CHECK(heap_trim(heap, 0) > 0);
	CHECK(heap_trim(&other, 0) > 0);
	CHECK(scratch_comes_to_nothing());
}

/* Overwrites */

#define LOW_BYTE ((size_t)0xFF)

/* The next block's flags tell on freeing this one, its length on freeing that one. */
KTEST(fault_11_any_byte_past_the_end_is_reported)
{
	char *ptr, *hit;
	size_t *header;

	scratch_open();
	ptr = scratch_block(10);
	hit = scratch_block(10);
	CHECK(scratch_block(100)); /* longer than the byte can say */
	header = scratch_header(hit);
	CHECK((char *)header == ptr + heap_usable_size(heap, ptr));
	for (size_t byte = 0; byte <= LOW_BYTE; byte++) {
		size_t damage = (*header & ~LOW_BYTE) | byte;

		if (damage == *header)
			continue;
		CHECK(free_sees(header, damage, (byte & USED) == USED ? hit : ptr));
		CHECK((byte & USED) == USED || scratch_fault.block == header);
	}
	CHECK(scratch_is("[ u10 u10 u100 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_12_zero_byte_past_the_end_is_reported_whatever_it_hits)
{
	char *last;
	size_t *end;

	CHECK(five_blocks());
	CHECK(free_sees(scratch_header(b), *scratch_header(b) & ~LOW_BYTE, a));
	heap_free(heap, b);
	CHECK(free_sees(scratch_header(b), *scratch_header(b) & ~LOW_BYTE, a));
	end = scratch_footer(five[4]) + 1;
	CHECK(free_sees(end, *end & ~LOW_BYTE, five[4])); /* the top */
	last = scratch_block(top_words());
	CHECK(last && scratch_is("[ u6 u8 f10 u12 u14 u* ]"));
	end = scratch_footer(last) + 1;
	CHECK(free_sees(end, *end & ~LOW_BYTE, last)); /* the fence */
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_NEXT);
	CHECK(scratch_fault.block == end);
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_13_24_bytes_past_the_end_are_reported)
{
	char saved[24], *end;

	CHECK(five_blocks());
	end = a + heap_usable_size(heap, a);
	memcpy(saved, end, sizeof(saved));
	memset(end, 'A', sizeof(saved));
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, end));
	CHECK(refused(a, HEAP_FAULT_NEXT, end));
	CHECK(refused(b, HEAP_FAULT_LENGTH, end));
	memcpy(end, saved, sizeof(saved));
	CHECK(scratch_is(FIVE));
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

KTEST(fault_15_write_before_the_start_is_reported)
{
	size_t *header, right;

	CHECK(five_blocks());
	header = scratch_header(b);
	right = *header;
	for (size_t byte = 0; byte < HEAP_WORD; byte++) {
		((char *)header)[byte] = 'A';
		CHECK(byte == 0 ? refused(b, HEAP_FAULT_NEXT, (char *)header + ('A' & ~FLAGS))
				: refused(b, HEAP_FAULT_LENGTH, header));
		*header = right;
	}
	*header = 0x41414141;
	CHECK(refused(b, HEAP_FAULT_LENGTH, header));
	CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, header));
	*header = right;
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

/* From the start of a block over its end and over the next header, as far as there. */
static void overrun(const char *text)
{
	if (text)
		memcpy(a, text, 60);
	else
		memset(a, 'Z', 60);
}

KTEST(fault_16_memset_and_memcpy_across_the_end_are_reported)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog, and goes home.";
	char saved[60];

	_Static_assert(sizeof(text) == 60, "as long as the overrun");
	CHECK(five_blocks());
	memcpy(saved, a, sizeof(saved));
	for (unsigned int i = 0; i < 2; i++) {
		overrun(i ? text : NULL);
		CHECK(scratch_check_finds(HEAP_FAULT_LENGTH, scratch_header(b)));
		CHECK(refused(b, HEAP_FAULT_LENGTH, scratch_header(b)));
		heap_free(heap, a);
		CHECK_EQ(scratch_faults, 1);
		CHECK(scratch_fault.block == scratch_header(b));
		scratch_faults = 0;
		memcpy(a, saved, sizeof(saved));
		CHECK(scratch_is(FIVE));
	}
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_11_to_16_twin_every_byte_of_a_payload_is_its_owners)
{
	CHECK(five_blocks());
	for (unsigned int value = 0; value < 256; value++) {
		for (size_t i = 0; i < 5; i++)
			memset(five[i], (int)value, heap_usable_size(heap, five[i]));
		CHECK(scratch_is(FIVE));
		heap_free(heap, b);
		CHECK(scratch_block(10) == b);
		CHECK(all(a, (unsigned char)value, 28) && all(c, (unsigned char)value, 44));
	}
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_17_any_flipped_bit_of_a_header_in_use_is_reported)
{
	CHECK(five_blocks());
	for (size_t bit = 1; bit; bit <<= 1)
		CHECK(free_sees(scratch_header(b), *scratch_header(b) ^ bit, b));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_17_any_flipped_bit_of_a_free_blocks_lengths_is_reported)
{
	CHECK(five_blocks());
	heap_free(heap, b);
	for (size_t bit = 1; bit; bit <<= 1) {
		CHECK(free_sees(scratch_header(b), *scratch_header(b) ^ bit, c));
		CHECK(malloc_sees(scratch_header(b), *scratch_header(b) ^ bit, 10));
		CHECK(free_sees(scratch_footer(b), *scratch_footer(b) ^ bit, a));
		CHECK(free_sees(scratch_footer(b), *scratch_footer(b) ^ bit, c));
		CHECK(malloc_sees(scratch_footer(b), *scratch_footer(b) ^ bit, 10));
	}
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Whether this would be a good header for b too: it ends where another block does. */
static bool ends_at_a_block(size_t word)
{
	size_t words = (word & ~FLAGS) / HEAP_WORD;

	return (word & FLAGS) == USED && (words == 10 || words == 22 || words == 36);
}

KTEST(fault_18_header_set_to_a_random_word_is_reported)
{
	CHECK(five_blocks());
	for (unsigned int round = 0; round < 2000; round++) {
		size_t word = ktest_random() >> ktest_random() % 28;

		if (!ends_at_a_block(word))
			CHECK(free_sees(scratch_header(b), word, b));
	}
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

static bool false_header_is_seen(size_t damage, enum heap_fault_kind kind, const void *block)
{
	if (!five_blocks() || !free_sees(scratch_header(b), damage, b))
		return false;
	return scratch_fault.kind == kind && scratch_fault.block == block && scratch_is(FIVE) &&
	       scratch_comes_to_nothing();
}

KTEST(fault_19_header_set_to_zero_is_reported)
{
	CHECK(five_blocks());
	CHECK(false_header_is_seen(0, HEAP_FAULT_LENGTH, scratch_header(b)));
}

KTEST(fault_20_header_longer_by_8_is_reported)
{
	CHECK(five_blocks());
	CHECK(false_header_is_seen((40 + 8) | USED, HEAP_FAULT_NEXT, scratch_header(b) + 12));
}

KTEST(fault_21_header_longer_by_1024_is_reported)
{
	CHECK(five_blocks());
	CHECK(false_header_is_seen((40 + 1024) | USED, HEAP_FAULT_NEXT, scratch_header(b) + 266));
}

/* A header has no second source. The block that was swallowed is missed when it is freed. */
KTEST(fault_20_length_that_ends_at_a_later_block_is_seen_when_the_one_between_is_freed)
{
	CHECK(five_blocks());
	*scratch_header(b) += 12 * HEAP_WORD;
	CHECK(scratch_is("[ u6 u8 u22 u14 t ]"));
	heap_free(heap, b);
	CHECK(scratch_is("[ u6 u8 f22 u14 t ]"));
	CHECK(refused(c, HEAP_FAULT_NEXT, scratch_header(five[4])));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_22_prev_in_use_bit_cleared_is_reported)
{
	size_t *header;

	CHECK(five_blocks());
	header = scratch_header(b);
	CHECK(free_sees(header, *header ^ PREV_IN_USE, b));
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_FOOTER);
	*scratch_footer(a) = 8 * HEAP_WORD; /* the payload plays the footer */
	CHECK(free_sees(header, *header ^ PREV_IN_USE, b));
	CHECK_EQ(scratch_fault.kind, HEAP_FAULT_NEXT);
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

/* The block itself cannot know; whoever uses the free one before it does. */
KTEST(fault_22_prev_in_use_bit_set_is_reported_by_who_uses_the_free_block)
{
	size_t *header;

	CHECK(five_blocks());
	heap_free(heap, b);
	header = scratch_header(c);
	CHECK(free_sees(header, *header ^ PREV_IN_USE, a));
	CHECK(malloc_sees(header, *header ^ PREV_IN_USE, 10));
	*header ^= PREV_IN_USE;
	heap_free(heap, c);
	CHECK_EQ(scratch_faults, 0);
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, header));
	CHECK(not_given(10, HEAP_FAULT_NEXT, header));
	scratch_throw_away();
}

KTEST(fault_23_in_use_bit_cleared_is_reported)
{
	size_t *header;

	CHECK(five_blocks());
	header = scratch_header(b);
	*header ^= IN_USE;
	CHECK(refused(b, HEAP_FAULT_NOT_USED, header));
	CHECK(refused(a, HEAP_FAULT_FOOTER, header));
	CHECK(scratch_check_finds(HEAP_FAULT_FOOTER, header));
	*header ^= IN_USE;
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_23_in_use_bit_set_is_reported)
{
	size_t *header;

	CHECK(five_blocks());
	heap_free(heap, b);
	header = scratch_header(b);
	*header ^= IN_USE;
	CHECK(refused(b, HEAP_FAULT_NEXT, scratch_header(c)));
	CHECK(refused(c, HEAP_FAULT_NEXT, header));
	CHECK(not_given(10, HEAP_FAULT_NEXT, header));
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, scratch_header(c)));
	*header ^= IN_USE;
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* The block before it has only its word; whoever uses it next has another. */
KTEST(fault_23_in_use_bit_set_is_reported_after_the_block_before_it_was_freed)
{
	size_t *header;

	CHECK(five_blocks());
	heap_free(heap, b);
	header = scratch_header(b);
	*header ^= IN_USE;
	heap_free(heap, a);
	CHECK_EQ(scratch_faults, 0);
	CHECK(refused(c, HEAP_FAULT_NEXT, header));
	CHECK(not_given(10, HEAP_FAULT_NEXT, header));
	CHECK(scratch_check_finds(HEAP_FAULT_NEXT, scratch_header(c)));
	scratch_throw_away();
}

KTEST(fault_17_to_23_twin_headers_that_the_heap_changes_are_silent)
{
	CHECK(five_blocks());
	heap_free(heap, a);
	CHECK(scratch_is("[ u6 f8 u10 u12 u14 t ]"));
	CHECK(heap_realloc(heap, five[0], 13 * HEAP_WORD) == five[0]);
	CHECK(scratch_is("[ u14 u10 u12 u14 t ]"));
	CHECK(heap_realloc(heap, five[0], 5 * HEAP_WORD) == five[0]);
	CHECK(scratch_is("[ u6 f8 u10 u12 u14 t ]"));
	CHECK(heap_realloc(heap, five[4], 15 * HEAP_WORD) == five[4]);
	CHECK(heap_realloc(heap, five[4], 271 * HEAP_WORD) == five[4]);
	CHECK(scratch_is("[ u6 f8 u10 u12 u272 t ]"));
	CHECK(scratch_block(8) == a);
	CHECK(scratch_is("[ u6 u8 u10 u12 u272 t ]"));
	CHECK(scratch_comes_to_nothing());
}

static bool forged_top_is_seen(size_t *top, size_t damage)
{
	size_t saved = *top;
	bool seen = malloc_sees(top, damage, 10) && free_sees(top, damage, five[4]);

	*top = damage;
	seen &= heap_trim(heap, 0) == 0 && scratch_faults == 1 && scratch_fault.block == top;
	scratch_faults = 0;
	*top = saved;
	return seen;
}

KTEST(fault_24_forged_top_is_reported_by_who_uses_it)
{
	size_t *top;

	CHECK(five_blocks());
	top = scratch_header(five[4]) + 14;
	CHECK(forged_top_is_seen(top, 0));
	CHECK(forged_top_is_seen(top, 0x41414141));
	CHECK(forged_top_is_seen(top, HEAP_ALIGN | PREV_IN_USE));
	CHECK(forged_top_is_seen(top, ((size_t)PTRDIFF_MAX & ~FLAGS) | PREV_IN_USE));
	CHECK(malloc_sees(scratch_footer(top + 1), HEAP_MIN_BLOCK, 10));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_24_forged_fence_is_reported)
{
	size_t *fence;

	CHECK(five_blocks());
	fence = (size_t *)scratch_brk.end - 1;
	CHECK_EQ(*fence, IN_USE);
	for (size_t damage = 0; damage < 4; damage++)
		if (damage != IN_USE)
			CHECK(free_sees(fence, damage, five[4]));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_24_fence_with_a_length_is_reported)
{
	size_t *fence;

	CHECK(five_blocks());
	fence = (size_t *)scratch_brk.end - 1;
	CHECK(free_sees(fence, 1024 | IN_USE, five[4]));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

/* The words before the first header: who writes as far as there has damaged that as well. */
KTEST(fault_24_forged_record_of_a_segment_is_found_by_the_walk)
{
	static const size_t damages[] = { 1, 0x41414141, SCRATCH_BASE + HEAP_ALIGN, SIZE_MAX };
	size_t *record;

	CHECK(five_blocks());
	record = scratch_header(five[0]) - 3;
	for (size_t word = 0; word < 3; word++) {
		size_t saved = record[word];

		for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
			record[word] = damages[i];
			CHECK(!heap_check(heap, NULL));
		}
		record[word] = saved;
		CHECK(scratch_is(FIVE));
	}
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_24_twin_top_used_up_and_fence_moved_are_silent)
{
	char *rest;

	CHECK(five_blocks());
	rest = scratch_block(top_words());
	CHECK(rest && scratch_is("[ u6 u8 u10 u12 u14 u* ]"));
	CHECK(scratch_block(4));
	CHECK(scratch_is("[ u6 u8 u10 u12 u14 u* u4 t ]"));
	heap_free(heap, rest);
	CHECK(scratch_is("[ u6 u8 u10 u12 u14 f* u4 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Use after free, and the free lists */

KTEST(fault_25_next_link_overwritten_is_reported_and_not_followed)
{
	CHECK(two_in_a_list());
	for (unsigned int round = 0; round < 500; round++) {
		size_t word = ktest_random();

		if (round % 2) /* into the heap */
			word = (SCRATCH_BASE + word % (2 * PAGE_SIZE)) & ~(HEAP_WORD - 1);
		if (word == first[1] || word == 0)
			continue;
		CHECK(malloc_sees(&first[1], word, 10));
		CHECK_EQ(scratch_fault.kind, HEAP_FAULT_LINK);
		CHECK(scratch_fault.block == first);
		CHECK(free_sees(&first[1], word, between));
	}
	CHECK(scratch_is(LISTED));
	CHECK(scratch_comes_to_nothing());
}

/* As if the list ended there: nothing is wrong with its first block. The second is lost. */
KTEST(fault_25_next_link_set_to_zero_is_reported_when_the_lost_block_is_met)
{
	CHECK(two_in_a_list());
	CHECK(free_sees(&first[1], 0, between));
	CHECK(free_sees(&first[1], 0, behind));
	first[1] = 0;
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, second));
	CHECK(scratch_block(10) == (void *)(first + 1));
	CHECK_EQ(scratch_faults, 0);
	CHECK(refused(behind, HEAP_FAULT_LINK, second));
	scratch_throw_away();
}

KTEST(fault_26_prev_link_overwritten_is_reported_and_not_followed)
{
	CHECK(two_in_a_list());
	CHECK(malloc_sees(&first[2], 0x41414141, 10));
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == first);
	CHECK(free_sees(&first[2], 0x41414141, between));
	CHECK(malloc_sees(&second[2], 0x41414141, 10));
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == first);
	CHECK(free_sees(&second[2], 0x41414141, behind));
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == second);
	CHECK(free_sees(&second[2], 0, behind));
	CHECK(scratch_is(LISTED));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_27_any_flipped_bit_of_a_link_is_reported)
{
	CHECK(two_in_a_list());
	for (size_t bit = 1; bit; bit <<= 1) {
		CHECK(malloc_sees(&first[1], first[1] ^ bit, 10));
		CHECK(malloc_sees(&first[2], first[2] ^ bit, 10));
		CHECK(free_sees(&first[1], first[1] ^ bit, between));
		CHECK(free_sees(&first[2], first[2] ^ bit, between));
		CHECK(free_sees(&second[1], second[1] ^ bit, behind));
		CHECK(free_sees(&second[2], second[2] ^ bit, behind));
	}
	CHECK(scratch_is(LISTED));
	CHECK(scratch_comes_to_nothing());
}

/* Taking the block from its list would write both links to where they point. */
KTEST(fault_28_forged_links_to_outside_of_the_heap_are_refused)
{
	static size_t target[4] __attribute__((aligned(8)));
	size_t *forged = target + 1; /* as a header would lie */

	CHECK(two_in_a_list());
	CHECK(scratch_block(10) && scratch_is("[ u10 u6 f10 u6 t ]"));
	forged[1] = forged[2] = (size_t)second;
	second[1] = second[2] = (size_t)forged;
	CHECK(not_given(10, HEAP_FAULT_LINK, second));
	CHECK(refused(behind, HEAP_FAULT_LINK, second));
	CHECK(refused(between, HEAP_FAULT_LINK, second));
	CHECK(forged[1] == (size_t)second && forged[2] == (size_t)second);
	second[1] = second[2] = 0;
	CHECK(scratch_is("[ u10 u6 f10 u6 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* Both ways there and back, within the heap; but a list's first block has none before it. */
KTEST(fault_28_forged_links_into_a_payload_are_reported)
{
	size_t *forged;

	CHECK(two_in_a_list());
	CHECK(scratch_block(10) && scratch_is("[ u10 u6 f10 u6 t ]"));
	forged = scratch_header(between) + 2;
	forged[1] = forged[2] = (size_t)second;
	second[1] = second[2] = (size_t)forged;
	CHECK(scratch_check_finds(HEAP_FAULT_LINK, second));
	CHECK(not_given(10, HEAP_FAULT_LINK, second));
	scratch_throw_away();
}

KTEST(fault_29_link_back_to_the_lists_start_is_reported)
{
	CHECK(two_in_a_list());
	CHECK(free_sees(&second[1], (size_t)first, behind));
	CHECK(scratch_fault.kind == HEAP_FAULT_LINK && scratch_fault.block == second);
	CHECK(free_sees(&second[1], (size_t)second, behind));
	CHECK(scratch_is(LISTED));
	CHECK(scratch_comes_to_nothing());
}

/* A ring has no wrong link. Every call ends, and it is reported before a block is given twice. */
KTEST(fault_29_ring_is_found_by_the_walk_and_gives_no_block_twice)
{
	void *given[3];

	CHECK(two_in_a_list());
	first[2] = (size_t)second;
	second[1] = (size_t)first;
	CHECK(!heap_check(heap, NULL));
	CHECK(heap_count_bins(heap) > 0);
	for (size_t i = 0; i < 3; i++) {
		given[i] = scratch_block(10);
		for (size_t k = 0; k < i; k++)
			CHECK(!given[i] || given[i] != given[k]);
	}
	CHECK(!given[2]);
	CHECK(scratch_faults > 0);
	scratch_throw_away();
}

KTEST(fault_25_to_30_twin_lists_in_any_order_are_silent)
{
	static void *blocks[40];

	scratch_open();
	for (size_t i = 0; i < 40; i++) {
		blocks[i] = scratch_block(10);
		CHECK(blocks[i] && scratch_block(6));
	}
	for (unsigned int round = 0; round < 500; round++) {
		size_t i = ktest_random() % 40;

		if (blocks[i]) {
			heap_free(heap, blocks[i]);
			blocks[i] = NULL;
		} else {
			blocks[i] = scratch_block(10);
			CHECK(blocks[i]);
			memset(blocks[i], 0xFF, 36);
		}
		CHECK(heap_check(heap, NULL));
	}
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_30_write_after_free_behind_the_links_is_not_seen_and_harms_nothing)
{
	CHECK(five_blocks());
	heap_free(heap, b);
	memset(b + 2 * HEAP_WORD, 'A', 6 * HEAP_WORD);
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
	CHECK(scratch_block(10) == b);
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_30_write_after_free_onto_the_last_word_is_reported)
{
	CHECK(five_blocks());
	heap_free(heap, b);
	CHECK(free_sees(scratch_footer(b), 0x41414141, c));
	CHECK(scratch_fault.kind == HEAP_FAULT_FOOTER);
	CHECK(malloc_sees(scratch_footer(b), 0x41414141, 10));
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
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

KTEST(fault_35_sizes_near_the_end_of_all_numbers_are_refused)
{
	CHECK(five_blocks());
	for (size_t i = 0; i < 100; i++) {
		CHECK(cannot_be_had(SIZE_MAX - i));
		CHECK(cannot_be_had((size_t)PTRDIFF_MAX + 50 - i));
	}
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_36_sizes_just_beyond_what_there_can_ever_be_are_refused)
{
	CHECK(five_blocks());
	for (size_t i = 0; i < 40; i++) {
		CHECK(cannot_be_had(HEAP_MAX_REQUEST + 20 - i));
		CHECK(cannot_be_had(SCRATCH_LIMIT - scratch_brk.end + 20 - i));
	}
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_35_to_36_twin_all_that_is_left_is_granted)
{
	char *ptr;

	CHECK(five_blocks());
	ptr = heap_malloc(heap, SCRATCH_LIMIT - PAGE_SIZE - scratch_brk.end - 100);
	CHECK(ptr);
	memset(ptr, 'A', heap_usable_size(heap, ptr));
	CHECK(scratch_is("[ u6 u8 u10 u12 u14 u* t ]"));
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
	CHECK(scratch_is("[ f4 u4 t ]"));
	CHECK(refused(ptr, HEAP_FAULT_NOT_USED, scratch_header(ptr)));
	heap_free(heap, NULL);
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
	CHECK(scratch_is("[ f4 u4 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_38_alignments_that_are_no_power_of_two_are_refused)
{
	static const size_t none[] = { 0, 3, 5, 6, 7, 9, 12, 24, 48, 4097, 0x80000001, SIZE_MAX };

	CHECK(five_blocks());
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		CHECK(!heap_memalign(heap, none[i], 10));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_39_size_and_alignment_whose_sum_overflows_are_refused)
{
	uint32_t before;

	CHECK(five_blocks());
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

KTEST(fault_41_realloc_of_a_freed_block_is_refused)
{
	uint32_t before;

	CHECK(five_blocks());
	heap_free(heap, b);
	before = scratch_sum();
	for (size_t size = 0; size < 200; size += 20) {
		CHECK(!heap_realloc(heap, b, size));
		CHECK(scratch_caught(HEAP_FAULT_NOT_USED, scratch_header(b)));
		CHECK_EQ(scratch_sum(), before);
	}
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 t ]"));
	CHECK(scratch_comes_to_nothing());
}

/* New memory is zero, so that a byte too many would show. */
KTEST(fault_42_growing_copies_no_byte_of_the_neighbour)
{
	char *moved;

	CHECK(five_blocks());
	memset(b, 'B', 36);
	memset(c, 'C', 44);
	moved = heap_realloc(heap, b, 400);
	CHECK(moved && moved != b);
	CHECK(all(moved, 'B', 36) && all(moved + 36, 0, 400 - 36));
	CHECK(all(c, 'C', 44));
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 u102 t ]"));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_43_failed_realloc_leaves_the_old_block)
{
	uint32_t before;

	CHECK(five_blocks());
	memset(b, 'B', 36);
	memset(five[4], 'E', 52);
	before = scratch_sum();
	for (unsigned int n = 1; n < 20; n++) {
		frame_fail_at(n, UINT32_MAX);
		CHECK(!heap_realloc(heap, b, 100000));
		frame_fail_at(n, UINT32_MAX);
		CHECK(!heap_realloc(heap, five[4], 100000));
		frame_fail_at(0, 0);
		CHECK_EQ(scratch_sum(), before);
	}
	CHECK(all(b, 'B', 36) && all(five[4], 'E', 52));
	CHECK(scratch_is(FIVE));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_41_to_43_twin_realloc_of_a_block_in_use_keeps_its_contents)
{
	CHECK(five_blocks());
	memset(b, 'B', 36);
	memset(five[4], 'E', 52);
	b = heap_realloc(heap, b, 100000);
	CHECK(b && all(b, 'B', 36));
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 u* t ]"));
	b = heap_realloc(heap, b, 30);
	CHECK(b && all(b, 'B', 30));
	CHECK(scratch_is("[ u6 u8 f10 u12 u14 u10 t ]"));
	c = heap_realloc(heap, five[4], 60);
	CHECK(c && all(c, 'E', 52));
	CHECK(scratch_comes_to_nothing());
}

/* What stood at an end that is now within the block must not pass for a block that can be freed. */
KTEST(fault_44_resizing_in_place_leaves_no_false_header)
{
	size_t *tail;

	CHECK(five_blocks());
	tail = scratch_header(c) + 6;
	CHECK(heap_realloc(heap, c, 5 * HEAP_WORD) == c);
	CHECK(scratch_is("[ u6 u8 u10 u6 f6 u14 t ]"));
	CHECK(refused(tail + 1, HEAP_FAULT_NOT_USED, tail));
	CHECK(heap_realloc(heap, c, 11 * HEAP_WORD) == c);
	CHECK(scratch_is(FIVE));
	CHECK(refused(tail + 1, HEAP_FAULT_NOT_USED, tail));
	heap_free(heap, five[4]);
	CHECK(heap_realloc(heap, c, 25 * HEAP_WORD) == c);
	CHECK(scratch_is("[ u6 u8 u10 u26 t ]"));
	CHECK(refused(five[4], HEAP_FAULT_NOT_USED, scratch_header(five[4])));
	CHECK(scratch_comes_to_nothing());
}

KTEST(fault_44_twin_resizing_in_place_ends_where_it_says)
{
	CHECK(five_blocks());
	for (size_t words = 12; words >= 4; words -= 2) {
		CHECK(heap_realloc(heap, c, (words - 1) * HEAP_WORD) == c);
		CHECK(heap_usable_size(heap, c) >= (words - 1) * HEAP_WORD);
		memset(c, 'C', heap_usable_size(heap, c));
		CHECK(heap_check(heap, NULL));
	}
	CHECK(scratch_is("[ u6 u8 u10 u4 f8 u14 t ]"));
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
		CHECK(scratch_is("[ t ]"));
		CHECK_EQ(heap_count_bins(heap), 0);
		heap_trim(heap, 0);
		CHECK(scratch_is(""));
		CHECK_EQ(scratch_brk.end, SCRATCH_BASE);
	}
}

KTEST(fault_52_twin_with_a_block_left_the_break_is_just_behind_it)
{
	CHECK(five_blocks());
	for (size_t i = 0; i < 5; i++)
		if (five[i] != c)
			heap_free(heap, five[i]);
	memset(c, 'C', 44);
	heap_trim(heap, 0);
	CHECK(scratch_is("[ f24 u12 t ]"));
	CHECK_EQ(scratch_brk.end, SCRATCH_BASE + PAGE_SIZE);
	CHECK(all(c, 'C', 44));
	CHECK(scratch_comes_to_nothing());
}
