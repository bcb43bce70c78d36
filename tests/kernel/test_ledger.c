/* SPDX-License-Identifier: MIT */
/* The ledger agrees with itself, and disagrees when something is wrong. */
#include "kernel/mm/brk.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/mm/paging.h"
#include "tests/kernel/ktest.h"

#include <string.h>

static struct ledger ledger;

static bool disagrees_about(const char *what)
{
	const char *disagreement;

	ledger_read(&ledger);
	disagreement = ledger_disagreement(&ledger);
	return disagreement && strcmp(disagreement, what) == 0;
}

KTEST(ledger_agrees_with_blocks_in_use_and_free)
{
	void *first = kmalloc(100), *second = kmalloc(20000), *third = kmalloc(8);

	CHECK(first && second && third);
	kfree(second);
	ledger_read(&ledger);
	CHECK(!ledger_disagreement(&ledger));
	CHECK_EQ(ledger.heap.granted_blocks, 2);
	CHECK(ledger.heap.binned >= 20000);
	CHECK_EQ(ledger.break_bytes, kernel_brk.end - HEAP_BASE);
	kfree(first);
	kfree(third);
}

/* What waits is neither granted nor binned, and a figure of its own until it is merged. */
KTEST(ledger_agrees_with_blocks_that_wait)
{
	void *blocks[5];

	for (unsigned int i = 0; i < 5; i++)
		CHECK((blocks[i] = kmalloc(36 + 8 * i)));
	kfree(blocks[1]);
	kfree(blocks[3]);
	ledger_read(&ledger);
	CHECK(!ledger_disagreement(&ledger));
	CHECK_EQ(ledger.heap.granted_blocks, 3);
	CHECK_EQ(ledger.granted, 36 + 52 + 68);
	CHECK_EQ(ledger.heap.cached_blocks, 2);
	CHECK_EQ(ledger.cached, 48 + 64);
	CHECK_EQ(ledger.binned, 0);
	kheap_trim(SIZE_MAX);
	ledger_read(&ledger);
	CHECK(!ledger_disagreement(&ledger));
	CHECK_EQ(ledger.heap.cached_blocks, 0);
	CHECK_EQ(ledger.cached, 0);
	CHECK_EQ(ledger.binned, 48 + 64);
	kfree(blocks[0]);
	kfree(blocks[2]); /* these two lie behind free ones */
	kfree(blocks[4]);
	ledger_read(&ledger);
	CHECK(!ledger_disagreement(&ledger));
	CHECK_EQ(ledger.granted, 0);
	CHECK_EQ(ledger.cached, 40);
}

KTEST(ledger_notices_a_page_that_is_mapped_beyond_the_break)
{
	uint32_t frame = frame_alloc(0, FRAME_HEAP);

	CHECK(frame);
	CHECK_EQ(paging_map(&kernel_space, HEAP_LIMIT - PAGE_SIZE, frame, PAGE_WRITE), 0);
	CHECK(disagrees_about("the break and the pages mapped below it"));
	CHECK_EQ(paging_unmap(&kernel_space, HEAP_LIMIT - PAGE_SIZE, NULL), 0);
	CHECK(disagrees_about("heap frames: the counter and the page tables"));
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
	CHECK(!disagrees_about("heap frames: the counter and the page tables"));
}

KTEST(ledger_notices_a_break_moved_behind_the_heaps_back)
{
	void *ptr = kmalloc(10);

	CHECK(ptr);
	CHECK(ksbrk(PAGE_SIZE) != BRK_FAILED);
	CHECK(disagrees_about("the break and the heap's blocks"));
	CHECK(ksbrk(-(intptr_t)PAGE_SIZE) != BRK_FAILED);
	CHECK(!disagrees_about("the break and the heap's blocks"));
	kfree(ptr);
}

KTEST(ledger_notices_a_page_table_that_hangs_nowhere)
{
	uint32_t frame = frame_alloc(0, FRAME_TABLES);

	CHECK(frame);
	CHECK(disagrees_about("page tables: the counter and the page directories"));
	CHECK_EQ(frame_free(frame, 0), FRAME_FREED);
	ledger_read(&ledger);
	CHECK(!ledger_disagreement(&ledger));
}

/* One field made wrong after the other: each disagreement has words of its own. */
KTEST(ledger_names_each_pair_of_counts_that_disagree)
{
	static struct ledger sound;
	void *first = kmalloc(100), *second = kmalloc(100), *third = kmalloc(100);
	const struct {
		void *field;
		const char *words;
	} wrong[] = {
		{ &ledger.by_state[FRAME_FREE],
		  "frames by owner: the counters and the frames' states" },
		{ &ledger.frames, "all frames and the sum of all owners" },
		{ &ledger.by_lists, "free frames: the counter and the buddy lists" },
		{ &ledger.tables, "page tables: the counter and the page directories" },
		{ &ledger.user, "frames of processes: the counter and their page tables" },
		{ &ledger.stacks, "frames of kernel stacks: the counter and the page tables" },
		{ &ledger.mapped, "heap frames: the counter and the page tables" },
		{ &ledger.heap.total, "the break and the heap's blocks" },
		{ &ledger.heap.granted, "the heap's blocks and their sum by kind" },
		{ &ledger.binned, "free blocks: the walk and the bins" },
		{ &ledger.cached, "cached blocks: the walk and the quick lists" },
		{ &ledger.granted, "bytes in use: the walk and the counter of kmalloc" },
	};

	kfree(second);
	ledger_read(&sound);
	kfree(first);
	kfree(third);
	CHECK(!ledger_disagreement(&sound));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *words;

		ledger = sound;
		++*(uint32_t *)wrong[i].field;
		words = ledger_disagreement(&ledger);
		CHECK(words && strcmp(words, wrong[i].words) == 0);
	}
	ledger = sound;
	ledger.break_bytes += PAGE_SIZE;
	CHECK(strcmp(ledger_disagreement(&ledger), "the break and the pages mapped below it") == 0);
}
