/* SPDX-License-Identifier: MIT */
/* Shapes: combs, growth by realloc, alignment, and what ruins every heap in its own way. */
#include "tests/bench/bench.h"

#define TEETH 100000U

static size_t smallest(void)
{
	return 12;
}

static size_t small(void)
{
	return 64;
}

static size_t mixed(void)
{
	return bench_between(16, 1024);
}

static void print_all(void)
{
	bench_print_means();
	bench_print_worsts();
	bench_print_use();
}

/* Sizes of every kind: each multiple of 8 up to 8 KiB, and others as they come. */
static void take_all_sizes(struct bench_block *blocks)
{
	for (unsigned int i = 0; i < 1024; i++)
		bench_take(&blocks[i], 8 * i + 8);
	for (unsigned int i = 1024; i < 2048; i++)
		bench_take(&blocks[i], bench_any_size());
}

/* Every other of many blocks is freed: no free one is larger than those were. */
static void comb(const char *name, size_t (*size)(void))
{
	struct bench_block *blocks = bench_blocks(TEETH), *others = bench_blocks(2048);

	bench_fresh();
	bench_scene("comb %s, built", name);
	for (unsigned int i = 0; i < TEETH; i++)
		bench_take(&blocks[i], size());
	print_all();
	bench_scene("comb %s, every other freed", name);
	for (unsigned int i = 0; i < TEETH; i += 2)
		bench_give(&blocks[i]);
	bench_print_means();
	bench_print_worsts();
	bench_scene("comb %s, then all sizes", name);
	take_all_sizes(others);
	print_all();
	bench_scene("comb %s, given back", name);
	bench_give_all(blocks, TEETH);
	bench_give_all(others, 2048);
	bench_print_means();
	bench_print_worsts();
}

BENCH(quick_combs)
{
	comb("12", smallest);
	comb("64", small);
	comb("16-1024", mixed);
}

/* One block grows and shrinks, with nothing behind it. */
static void realloc_alone(struct bench_block *block)
{
	bench_fresh();
	bench_scene("realloc alone, longer by 16");
	for (size_t size = 16; size <= 32768; size += 16)
		bench_resize(block, size);
	bench_print_means();
	bench_print_worsts();
	bench_scene("realloc alone, shorter by 16");
	for (size_t size = 32768; size > 0; size -= 16)
		bench_resize(block, size);
	bench_print_means();
	bench_print_worsts();
	bench_scene("realloc alone, doubled");
	for (size_t size = 16; size <= 1U << 20; size *= 2)
		bench_resize(block, size);
	bench_print_means();
	bench_print_worsts();
	bench_scene("realloc alone, the same");
	for (unsigned int i = 0; i < 1000; i++)
		bench_resize(block, block->size);
	bench_print_means();
	bench_give(block);
}

/* The block behind is always in use. */
static void realloc_among(struct bench_block *block, struct bench_block *others)
{
	bench_fresh();
	bench_scene("realloc among others, longer by 16");
	for (unsigned int i = 0; i < 1000; i++) {
		bench_resize(block, i * 16);
		bench_take(&others[i], 16);
	}
	bench_print_means();
	bench_print_worsts();
	bench_give(block);
	bench_fresh();
	bench_scene("realloc among others, longer by half");
	for (size_t size = 16; size < 1U << 20; size += size / 2) {
		bench_resize(block, size);
		others->ptr = NULL;
		bench_take(others, 16);
	}
	bench_print_means();
	bench_print_worsts();
	bench_give(block);
}

BENCH(quick_realloc)
{
	struct bench_block *blocks = bench_blocks(1001);

	realloc_alone(blocks);
	realloc_among(blocks, blocks + 1);
}

/* Taken and given back in the holes of a heap with blocks of all sizes. */
BENCH(quick_memalign)
{
	struct bench_block *blocks = bench_blocks(1000), aligned[50] = { { NULL, 0 } };

	for (size_t align = 8; align <= 4096; align *= align < 64 ? 2 : 8) {
		bench_fresh();
		for (unsigned int i = 0; i < 1000; i++)
			bench_take(&blocks[i], bench_any_size());
		for (unsigned int i = 0; i < 1000; i += 2)
			bench_give(&blocks[i]);
		bench_scene("memalign %zu", align);
		for (unsigned int i = 0; i < 2000; i++) {
			bench_give(&aligned[i % 50]);
			bench_take_aligned(&aligned[i % 50], align, bench_between(16, 1024));
		}
		bench_print_means();
		bench_print_worsts();
		bench_give_all(aligned, 50);
		bench_give_all(blocks, 1000);
	}
}

/* Small and large taken by turns, only the large are freed, and then larger ones asked for. */
static void alternate(const char *name, size_t least, size_t most)
{
	struct bench_block *blocks = bench_blocks(6000), *larger = bench_blocks(1000);

	bench_fresh();
	bench_scene("ruin %s", name);
	for (unsigned int i = 0; i < 6000; i += 2) {
		bench_take(&blocks[i], bench_between(least, most));
		bench_take(&blocks[i + 1], bench_between(1024, 4096));
	}
	for (unsigned int i = 1; i < 6000; i += 2)
		bench_give(&blocks[i]);
	for (unsigned int i = 0; i < 1000; i++)
		bench_take(&larger[i], bench_between(4200, 8192));
	print_all();
	bench_give_all(blocks, 6000);
	bench_give_all(larger, 1000);
}

BENCH(quick_ruin_alternating)
{
	alternate("alternating", 16, 64);
	alternate("alternating, small ones to 256", 16, 256);
	alternate("alternating, small ones to 500", 100, 500);
}

/* One block grows while small ones are taken beside it, as a table does that lists them. */
BENCH(quick_ruin_growing)
{
	struct bench_block *blocks = bench_blocks(20001);

	bench_scene("ruin growing");
	for (unsigned int i = 1; i <= 20000; i++) {
		bench_take(&blocks[i], bench_between(16, 64));
		if (i % 100 == 0)
			bench_resize(blocks, i * 16);
	}
	print_all();
}

/* 4 MB of one size, of which one block in 64 stays; then as much of twice that size. */
BENCH(quick_ruin_classes)
{
	struct bench_block *blocks = bench_blocks(400000);
	unsigned int used = 0;

	bench_scene("ruin one class after the other");
	for (size_t size = 24; size <= 6144; size *= 2) {
		unsigned int first = used;

		for (size_t bytes = 0; bytes < 4000000; bytes += size)
			bench_take(&blocks[used++], size);
		for (unsigned int i = first; i < used; i++)
			if (i % 64)
				bench_give(&blocks[i]);
	}
	print_all();
}
