/* SPDX-License-Identifier: MIT */
/*
 * A heap does not wear out. Blocks come and go at random while the bytes in use
 * stay the same, OPERATIONS of them (a hundred million, or as the environment
 * says); and the highest end of a block that there ever was must not be more than
 * a twentieth higher at the end than it was after the first YOUNG (ten million,
 * when it has found its level). Nor must it find one that is too high: so much of
 * the extent is to be in use. `make ageing` does a thousand million.
 */
#include "arena.h"
#include "kernel/mm/heap.h"
#include "tap.h"

#include <stdlib.h>

#define LIVE   ((size_t)4 << 20)
#define LIMIT  ((size_t)64 << 20)
#define BLOCKS 262144
#define SIZES  65536

struct block {
	unsigned char *ptr;
	uint32_t size;
};

static struct heap heap;
static struct block blocks[BLOCKS];
static size_t nblocks, live, extent;
static uint32_t sizes[SIZES]; /* what is asked for, at random places */
static uint64_t state;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20);
}

static void flat_sizes(void)
{
	for (int i = 0; i < SIZES; i++)
		sizes[i] = 16 + next_random() % (1024 - 16 + 1);
}

/*
 * Many small ones and a few that are large: 2 to the power of a number that is
 * normal with mean 6 and deviation 2, as the sum of twelve equally distributed
 * ones nearly is. The power is by shifts, straight between those of integers.
 */
static void log_normal_sizes(void)
{
	for (int i = 0; i < SIZES; i++) {
		int32_t exponent = 6 * 1024;

		for (int j = 0; j < 12; j++)
			exponent += 2 * ((int32_t)(next_random() % 1024) - 512);
		if (exponent < 0)
			exponent = 0;
		sizes[i] = (1024U + ((uint32_t)exponent & 1023)) << (exponent >> 10) >> 10;
	}
}

static unsigned char mark(const struct block *block)
{
	return (unsigned char)(block->size * 7 + (uintptr_t)block->ptr / HEAP_ALIGN);
}

static void allocate(void)
{
	struct block *block = &blocks[nblocks++];
	uintptr_t end;

	block->size = sizes[next_random() % SIZES];
	block->ptr = heap_malloc(&heap, block->size);
	TAP_MUST(nblocks < BLOCKS && block->ptr);
	block->ptr[0] = block->ptr[block->size - 1] = mark(block);
	live += block->size;
	end = (uintptr_t)block->ptr + block->size - arena_base();
	if (end > extent)
		extent = end;
}

static void release(void)
{
	struct block *block = &blocks[next_random() % nblocks];

	TAP_MUST(block->ptr[0] == mark(block) && block->ptr[block->size - 1] == mark(block));
	live -= block->size;
	heap_free(&heap, block->ptr);
	*block = blocks[--nblocks];
}

static void churn(unsigned long operations)
{
	for (unsigned long i = 0; i < operations; i++) {
		if (live < LIVE)
			allocate();
		else
			release();
	}
}

static unsigned long wanted(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void test_ageing(const char *name, void (*make_sizes)(void), unsigned int percent)
{
	unsigned long operations = wanted("OPERATIONS", 100000000);
	unsigned long first = wanted("YOUNG", 10000000);
	size_t young;
	char text[128];

	state = 0x9E3779B97F4A7C15;
	make_sizes();
	arena_reset(ARENA_ALONE, LIMIT, 0, 1);
	heap_init(&heap, arena_sbrk);
	nblocks = live = extent = 0;
	churn(first);
	young = extent;
	churn(operations - first);
	printf("# %s: %zu blocks live, %.1f%% of the extent; %zu bytes of it after %lu operations, "
	       "%zu after %lu, %+.2f%%\n",
	       name, nblocks, 100.0 * (double)LIVE / (double)extent, young, first, extent,
	       operations, 100.0 * ((double)extent / (double)young - 1));
	snprintf(text, sizeof(text), "%s: after %lu operations no more than a twentieth larger",
		 name, operations);
	tap_ok(extent - young <= young / 20, text);
	snprintf(text, sizeof(text), "%s: %u%% of the extent or more in use", name, percent);
	tap_ok(LIVE >= extent / 100 * percent, text);
	snprintf(text, sizeof(text), "%s: and sound", name);
	tap_ok(heap_check(&heap, NULL), text);
	while (nblocks > 0)
		release();
	heap_trim(&heap, 0);
	snprintf(text, sizeof(text), "%s: and gives everything back", name);
	tap_ok(arena_is_empty(), text);
}

int main(void)
{
	test_ageing("16 to 1024 bytes", flat_sizes, 88);
	test_ageing("log-normal sizes", log_normal_sizes, 70);
	return tap_end();
}
