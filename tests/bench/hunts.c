/* SPDX-License-Identifier: MIT */
/*
 * The hunt for the worst single call: whatever might make one take longer than
 * the others. A heap whose calls are bounded shows the same figures however
 * many blocks there are; one that puts work off shows here who does it in the end.
 */
#include "tests/bench/bench.h"

#include <string.h>

#define MANY  100000U
#define FEW   256U
#define GENES 64U

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

/* Somebody else moves the break before each call of the hook: all it gives is a segment by itself. */
BENCH(quick_hunt_scattered)
{
	struct bench_block *blocks = bench_blocks(FEW);

	bench_scene("hunt scattered");
	for (unsigned int round = 0; round < 32; round++) {
		bench_abandon();
		memset(blocks, 0, FEW * sizeof(blocks[0]));
		bench_scatter();
		for (unsigned int i = 0; i < 2 * FEW; i++)
			operate(&blocks[bench_random() % FEW],
				i % 2 ? border_size() : bench_between(8, 520));
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

/* A step of a short history of a heap. */
struct gene {
	uint16_t action, first;
	uint32_t size;
};

enum action { TAKE, TAKE_ALIGNED, RESIZE, GIVE, TAKE_MANY, GIVE_EVERY_OTHER, ACTIONS };

static struct gene random_gene(void)
{
	return (struct gene){ .action = (uint16_t)(bench_random() % ACTIONS),
			      .first = (uint16_t)(bench_random() % FEW),
			      .size = (uint32_t)(bench_random() % 4 ? border_size() % 600
								    : border_size()) };
}

static void take_if_none(struct bench_block *block, size_t size)
{
	if (!block->ptr)
		bench_take(block, size);
}

static void live_through(struct bench_block *blocks, const struct gene *gene)
{
	struct bench_block *block = &blocks[gene->first];
	unsigned int end = gene->first + 20U < FEW ? gene->first + 20U : FEW;

	switch (gene->action) {
	case TAKE_ALIGNED:
		bench_give(block);
		bench_take_aligned(block, 8U << gene->size % 10, gene->size);
		break;
	case RESIZE:
		bench_resize(block, gene->size);
		break;
	case GIVE:
		bench_give(block);
		break;
	case TAKE_MANY:
		for (unsigned int i = gene->first; i < end; i++)
			take_if_none(&blocks[i], gene->size);
		break;
	case GIVE_EVERY_OTHER:
		for (unsigned int i = gene->first; i < end; i += 2)
			bench_give(&blocks[i]);
		break;
	default:
		take_if_none(block, gene->size);
	}
}

/* The worst call of that kind in the history that the genes tell, on an empty heap. */
static uint32_t worst_in(struct bench_block *blocks, const struct gene *genes, enum bench_kind kind)
{
	bench_abandon();
	bench_scene("hunt search");
	for (unsigned int i = 0; i < FEW; i++)
		blocks[i].ptr = NULL;
	for (unsigned int i = 0; i < GENES; i++)
		live_through(blocks, &genes[i]);
	return bench_worst(kind);
}

static void mutate(struct gene *genes)
{
	for (unsigned int n = bench_between(1, 6); n > 0; n--) {
		struct gene *gene = &genes[bench_random() % GENES];

		if (bench_random() % 2)
			*gene = random_gene();
		else
			gene->size = (gene->size + bench_between(0, 8) * 4) % (1U << 16);
	}
}

/* Changes a few steps of the worst history so far, and keeps that if it is no better. */
static uint32_t search(struct bench_block *blocks, enum bench_kind kind, unsigned int tries)
{
	static struct gene best[GENES], changed[GENES];
	uint32_t worst = 0, found;

	for (unsigned int i = 0; i < GENES; i++)
		best[i] = random_gene();
	while (tries-- > 0) {
		memcpy(changed, best, sizeof(best));
		mutate(changed);
		found = worst_in(blocks, changed, kind);
		if (found < worst)
			continue;
		worst = found;
		memcpy(best, changed, sizeof(best));
	}
	return worst;
}

/* For each kind, the history in which one call takes longest is bred, from several beginnings. */
static void search_all(const char *name, unsigned int beginnings)
{
	struct bench_block *blocks = bench_blocks(FEW);
	uint32_t worst[BENCH_KINDS] = { 0 };

	for (; beginnings > 0; beginnings--) {
		for (unsigned int kind = 0; kind < BENCH_KINDS; kind++) {
			uint32_t found = search(blocks, kind, 400);

			worst[kind] = found > worst[kind] ? found : worst[kind];
		}
	}
	bench_scene("hunt %s", name);
	for (unsigned int kind = 0; kind < BENCH_KINDS; kind++)
		bench_print_worst(kind, worst[kind]);
}

BENCH(quick_hunt_search)
{
	search_all("search", 1);
}

BENCH(long_hunt_search)
{
	search_all("longer search", 8);
}
