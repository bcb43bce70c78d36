/* SPDX-License-Identifier: MIT */
/*
 * Memory running out at every single point.
 *
 * A scenario asks for what it needs, checks that a refusal has changed nothing
 * that it had, and gives everything back in any case. It is run with the first
 * frame refused and all after it, then from the second on, and so on until none
 * is refused any more. Each time the caller must have got its error, and the
 * ledger must be as it was.
 */
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/mm/paging.h"
#include "tests/kernel/ktest.h"

#include <errno.h>
#include <string.h>

#define REGION	     (TEMP_BASE + 0x300000)
#define REGION_LIMIT (REGION + 0x80000)

enum outcome {
	GRANTED,
	REFUSED,
	BROKEN, /* neither: a refusal was not reported, or something was lost by it */
};

static struct ledger before, after;

static bool ledger_is_as_before(void)
{
	kheap_trim(0);
	ledger_read(&after);
	after.heap.peak = before.heap.peak; /* it may have risen: that is what it is for */
	return !ledger_disagreement(&after) && memcmp(&before, &after, sizeof(before)) == 0;
}

static void refuse_each(enum outcome (*scenario)(void), uint32_t least)
{
	enum outcome outcome = REFUSED;
	uint32_t n = 0;

	ledger_read(&before);
	while (outcome == REFUSED) {
		frame_fail_at(++n, UINT32_MAX);
		outcome = scenario();
		CHECK(outcome != BROKEN);
		CHECK_EQ(outcome == REFUSED, frame_has_failed());
		frame_fail_at(0, 0);
		CHECK(ledger_is_as_before());
	}
	/* The last round was the one without a refusal; this many had one. */
	CHECK(n - 1 >= least);
}

/* A test of that name, which must meet at least @least refusals. */
#define SCENARIO(name, least)                                                                      \
	static enum outcome try_##name(void);                                                      \
	KTEST(name##_survives_a_refusal_at_any_frame)                                              \
	{                                                                                          \
		refuse_each(try_##name, least);                                                    \
	}                                                                                          \
	static enum outcome try_##name(void)

static bool all(const char *bytes, char value, size_t n)
{
	while (n > 0)
		if (bytes[--n] != value)
			return false;
	return true;
}

static enum outcome freed(void *ptr)
{
	kfree(ptr);
	return ptr ? GRANTED : REFUSED;
}

SCENARIO(frame_alloc, 1)
{
	uint32_t first = frame_alloc(3, FRAME_OTHER);

	if (!first)
		return REFUSED;
	return frame_free(first, 3) == FRAME_FREED ? GRANTED : BROKEN;
}

SCENARIO(paging_map, 2)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);
	int error;

	if (!frame)
		return REFUSED;
	error = paging_map(&kernel_space, REGION, frame, PAGE_WRITE);
	if (!error)
		paging_unmap(&kernel_space, REGION, NULL);
	frame_free(frame, 0);
	if (error && error != -ENOMEM)
		return BROKEN;
	return error ? REFUSED : GRANTED;
}

SCENARIO(brk_growth, 20)
{
	struct brk brk;
	int error;

	brk_init(&brk, &kernel_space, REGION, REGION_LIMIT);
	error = brk_set(&brk, REGION + 20 * PAGE_SIZE);
	if (error && (error != -ENOMEM || brk.end != REGION))
		return BROKEN;
	brk_set(&brk, REGION);
	return error ? REFUSED : GRANTED;
}

/* The second growth is refused: what the first one brought stays. */
SCENARIO(brk_second_growth, 6)
{
	struct brk brk;
	enum outcome outcome = REFUSED;

	brk_init(&brk, &kernel_space, REGION, REGION_LIMIT);
	if (brk_set(&brk, REGION + 10) == 0) {
		memset((void *)REGION, 1, 10);
		outcome = brk_move(&brk, 5 * PAGE_SIZE) == BRK_FAILED ? REFUSED : GRANTED;
		if (!all((const char *)REGION, 1, 10) ||
		    (outcome == REFUSED && brk.end != REGION + 10))
			outcome = BROKEN;
	}
	brk_set(&brk, REGION);
	return outcome;
}

SCENARIO(kmalloc_small, 2)
{
	return freed(kmalloc(10));
}

SCENARIO(kmalloc_large, 60)
{
	return freed(kmalloc(60 * PAGE_SIZE));
}

SCENARIO(kzalloc, 5)
{
	return freed(kzalloc(5 * PAGE_SIZE));
}

SCENARIO(kcalloc, 5)
{
	return freed(kcalloc(PAGE_SIZE, 5));
}

SCENARIO(kmemalign, 5)
{
	return freed(kmemalign(4 * PAGE_SIZE, PAGE_SIZE));
}

SCENARIO(kstrdup, 2)
{
	return freed(kstrdup("a string"));
}

/* Grows in place, by more memory at the end. */
SCENARIO(krealloc_in_place, 30)
{
	char *ptr = kmalloc(100), *grown;

	if (!ptr)
		return REFUSED;
	memset(ptr, 7, 100);
	grown = krealloc(ptr, 100000);
	if (!all(grown ? grown : ptr, 7, 100)) {
		kfree(grown ? grown : ptr);
		return BROKEN;
	}
	kfree(grown ? grown : ptr);
	return grown ? GRANTED : REFUSED;
}

/* Must move, because something lies behind it. */
SCENARIO(krealloc_with_a_copy, 30)
{
	char *ptr = kmalloc(100), *wall = kmalloc(100), *grown = NULL;
	bool kept = true;

	if (ptr && wall) {
		memset(ptr, 7, 100);
		grown = krealloc(ptr, 100000);
		ptr = grown ? grown : ptr;
		kept = all(ptr, 7, 100);
	}
	kfree(ptr);
	kfree(wall);
	if (!kept)
		return BROKEN;
	return grown ? GRANTED : REFUSED;
}

/* Many blocks of all sizes; those that were granted are whole to the end. */
SCENARIO(many_allocations, 40)
{
	static char *blocks[40];
	enum outcome outcome = GRANTED;

	for (unsigned int i = 0; i < 40; i++) {
		blocks[i] = kmalloc(i * 250 + 1);
		if (blocks[i])
			memset(blocks[i], (int)i, i * 250 + 1);
		else
			outcome = REFUSED;
	}
	for (unsigned int i = 0; i < 40; i++) {
		if (blocks[i] && !all(blocks[i], (char)i, i * 250 + 1))
			outcome = BROKEN;
		kfree(blocks[i]);
	}
	return outcome;
}
