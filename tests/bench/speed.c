/* SPDX-License-Identifier: MIT */
/* What calls of the heap take on average: pairs, bursts, and blocks that come and go. */
#include "tests/bench/bench.h"

#define SIZES	 (sizeof(sizes) / sizeof(sizes[0]))
#define WARM	 100
#define PAIRS	 1000
#define CHURN	 100000U
#define SMALLEST 16
#define LARGEST	 1024

static const size_t sizes[] = { 16, 24, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536, 262144 };

static void pairs(size_t size, unsigned int n)
{
	struct bench_block block = { NULL, 0 };

	while (n-- > 0) {
		bench_take(&block, size);
		bench_give(&block);
	}
}

/* The heap is empty but for what is taken and given back, again and again. */
BENCH(quick_pairs)
{
	for (unsigned int i = 0; i < SIZES; i++) {
		bench_fresh();
		pairs(sizes[i], WARM);
		bench_scene("pair %zu", sizes[i]);
		pairs(sizes[i], PAIRS);
		bench_print_all("pair", 2);
		bench_print_means();
	}
}

/* The same in a hole between two blocks in use, with others of all sizes free elsewhere. */
BENCH(quick_holes)
{
	struct bench_block *blocks = bench_blocks(1000);

	for (unsigned int i = 0; i < SIZES; i++) {
		bench_fresh();
		for (unsigned int j = 0; j < 1000; j++)
			bench_take(&blocks[j], j == 501 ? sizes[i] : bench_any_size());
		for (unsigned int j = 1; j < 1000; j += 2)
			bench_give(&blocks[j]);
		pairs(sizes[i], WARM);
		bench_scene("hole %zu", sizes[i]);
		pairs(sizes[i], PAIRS);
		bench_print_all("pair", 2);
		bench_print_means();
		for (unsigned int j = 0; j < 1000; j++)
			bench_give(&blocks[j]);
	}
}

enum order { LIFO, FIFO, RANDOM, ORDERS };

static void burst(struct bench_block *blocks, size_t size, unsigned int n, enum order order)
{
	for (unsigned int i = 0; i < n; i++)
		bench_take(&blocks[i], size);
	if (order == RANDOM)
		bench_give_all(blocks, n);
	for (unsigned int i = 0; i < n; i++)
		bench_give(&blocks[order == LIFO ? n - 1 - i : i]);
}

/* Many at once, given back in one order or another; ten times, the first of them uncounted. */
static void bursts(struct bench_block *blocks, size_t size, unsigned int n)
{
	static const char *const names[ORDERS] = { "lifo", "fifo", "random" };

	for (unsigned int order = 0; order < ORDERS; order++) {
		bench_fresh();
		burst(blocks, size, n, order);
		bench_scene("burst %s, %u of %zu", names[order], n, size);
		for (unsigned int i = 1; i < 10; i++)
			burst(blocks, size, n, order);
		bench_print_means();
	}
}

BENCH(quick_bursts)
{
	struct bench_block *blocks = bench_blocks(2000);

	bursts(blocks, 16, 100);
	bursts(blocks, 64, 100);
	bursts(blocks, 64, 2000);
	bursts(blocks, 1024, 100);
	bursts(blocks, 1024, 2000);
}

/* Blocks of a set are replaced at random. */
static void churn(struct bench_block *blocks, unsigned int n, size_t (*size)(void))
{
	for (unsigned int i = 0; i < CHURN; i++) {
		struct bench_block *block = &blocks[bench_random() % n];

		bench_give(block);
		bench_take(block, size());
	}
}

static size_t small_size(void)
{
	return bench_between(SMALLEST, LARGEST);
}

static void working_set(const char *name, unsigned int n, size_t (*size)(void))
{
	struct bench_block *blocks = bench_blocks(n);

	bench_fresh();
	for (unsigned int i = 0; i < n; i++)
		bench_take(&blocks[i], size());
	bench_scene("set %s, %u", name, n);
	churn(blocks, n, size);
	bench_print_all("pair", 2);
	bench_print_means();
	bench_print_worsts();
	bench_print_use();
}

BENCH(quick_working_sets)
{
	working_set("16-1024", 100, small_size);
	working_set("8-16K", 100, bench_any_size);
	working_set("8-16K", 1000, bench_any_size);
}

/* So many blocks are taken, replaced at random, and given back in a random order. */
static void many_live(unsigned int n)
{
	struct bench_block *blocks = bench_blocks(n);

	bench_fresh();
	bench_scene("live %u, built", n);
	for (unsigned int i = 0; i < n; i++)
		bench_take(&blocks[i], small_size());
	bench_print_means();
	bench_print_worsts();
	bench_print_use();
	bench_scene("live %u, replaced", n);
	churn(blocks, n, small_size);
	bench_print_all("pair", 2);
	bench_print_means();
	bench_print_worsts();
	bench_print_use();
	bench_scene("live %u, given back", n);
	bench_give_all(blocks, n);
	bench_print_means();
	bench_print_worsts();
}

BENCH(quick_live)
{
	many_live(1000);
	many_live(10000);
	many_live(100000);
}

BENCH(long_live)
{
	many_live(1000000);
}
