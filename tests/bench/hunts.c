/* SPDX-License-Identifier: MIT */
/*
 * The hunt for the worst single call: whatever might make one take longer than
 * the others. A heap whose calls are bounded shows the same figures however
 * many blocks there are; one that puts work off shows here who does it in the end.
 */
#include "tests/bench/bench.h"

#define MANY 100000U
#define FEW  256U

/* Sizes close to where the size classes of heaps end: powers of two and their sixteenths. */
static size_t border_size(void)
{
	uint32_t power = 16U << bench_random() % 11;
	size_t size = power + power / 16 * (bench_random() % 16);

	return size - 16 + bench_random() % 5 * 4;
}

static size_t align(void)
{
	return 4U << bench_random() % 11;
}

/* One call of any kind for one block. */
static void operate(struct bench_block *block, size_t size)
{
	uint32_t random = bench_random() >> 8;

	if (!block->ptr && random % 4 == 0)
		bench_take_aligned(block, align(), size);
	else if (!block->ptr)
		bench_take(block, size);
	else if (random % 3 == 0)
		bench_resize(block, size);
	else
		bench_give(block);
}

/* Calls of all kinds while so many blocks are live. */
BENCH(quick_hunt_churn)
{
	struct bench_block *blocks = bench_blocks(2 * MANY);

	for (unsigned int i = 0; i < 2 * MANY; i += 2)
		bench_take(&blocks[i], bench_between(16, 1024));
	bench_scene("hunt churn");
	for (unsigned int i = 0; i < 3 * MANY; i++)
		operate(&blocks[bench_random() % (2 * MANY)], bench_between(16, 1024));
	bench_print_worsts();
}

static void build_comb(struct bench_block *blocks, size_t low, size_t high)
{
	bench_fresh();
	for (unsigned int i = 0; i < MANY; i++) {
		blocks[i].ptr = NULL;
		bench_take(&blocks[i], bench_between((uint32_t)low, (uint32_t)high));
	}
	for (unsigned int i = 0; i < MANY; i += 2)
		bench_give(&blocks[i]);
}

/* Calls of all kinds in and beside the gaps of combs, from equal teeth to those of all sizes. */
BENCH(quick_hunt_combs)
{
	static const size_t sizes[][2] = { { 12, 12 },	   { 24, 24 }, { 100, 100 }, { 520, 570 },
					   { 1000, 1100 }, { 8, 200 }, { 256, 1024 } };
	struct bench_block *blocks = bench_blocks(MANY);

	bench_scene("hunt combs");
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		build_comb(blocks, sizes[i][0], sizes[i][1]);
		for (unsigned int j = 0; j < MANY; j++)
			operate(&blocks[bench_random() % MANY],
				j % 2 ? sizes[i][1] + bench_random() % 16 : border_size());
	}
	bench_print_worsts();
}

/* Few blocks, at the borders of size classes, in phases of taking, resizing and giving back. */
BENCH(quick_hunt_sequences)
{
	struct bench_block *blocks = bench_blocks(FEW);

	bench_scene("hunt sequences");
	for (unsigned int round = 0; round < 2000; round++) {
		size_t favourite = border_size();
		unsigned int n = bench_between(4, FEW), phase = bench_random() % 4;

		for (unsigned int i = 0; i < n; i++) {
			struct bench_block *block = &blocks[phase % 2 ? i : bench_random() % FEW];

			operate(block, phase < 2 ? favourite : border_size());
		}
		if (round % 16 == 0)
			bench_give_all(blocks, FEW);
	}
	bench_print_worsts();
}

/* What of work put off there may be is done by the first call that finds no free block. */
static void ask_after_frees(struct bench_block *blocks, unsigned int n, size_t size)
{
	struct bench_block others[4] = { { NULL, 0 } };

	bench_fresh();
	for (unsigned int i = 0; i < n; i++)
		bench_take(&blocks[i], size);
	bench_take(&others[0], 16); /* so that they do not end at the break */
	for (unsigned int i = 0; i < n; i++)
		bench_give(&blocks[i]);
	bench_take(&others[1], 2 * size + 4);
	bench_take_aligned(&others[2], 4096, 20000);
	bench_take(&others[3], 40000);
	bench_resize(&others[1], 70000);
	for (unsigned int i = 0; i < 4; i++)
		bench_give(&others[3 - i]);
}

/* Very many are freed, and nothing is asked for meanwhile. */
BENCH(quick_hunt_frees)
{
	static const size_t sizes[] = { 12, 24, 64, 250, 1000 };
	struct bench_block *blocks = bench_blocks(MANY);

	bench_scene("hunt frees");
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned int n = 1; n <= MANY; n *= 10)
			ask_after_frees(blocks, n, sizes[i]);
	bench_print_worsts();
}

/* Gaps of one length, each between two blocks in use. */
static void build_gaps(struct bench_block *blocks, unsigned int n, size_t size)
{
	bench_fresh();
	for (unsigned int i = 0; i < n; i++) {
		blocks[i].ptr = NULL;
		bench_take(&blocks[i], i % 2 ? size : 16);
	}
	for (unsigned int i = 1; i < n; i += 2)
		bench_give(&blocks[i]);
}

/* Gaps that are all a little too short for what is asked for, though of the same class. */
BENCH(quick_hunt_misfits)
{
	struct bench_block *blocks = bench_blocks(4000), other = { NULL, 0 };

	bench_scene("hunt misfits");
	for (size_t size = 128; size < 16384; size += size / 2) {
		build_gaps(blocks, 4000, size);
		for (size_t more = 0; more < size; more += 8 + size / 64) {
			bench_take(&other, size + more);
			bench_give(&other);
			bench_take_aligned(&other, 64, size - 76 + more);
			bench_resize(&other, size + more);
			bench_give(&other);
		}
	}
	bench_print_worsts();
}
