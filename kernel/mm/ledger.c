/* SPDX-License-Identifier: MIT */
/* The ledger: reading both sides, comparing, printing. */
#include "kernel/mm/ledger.h"
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging.h"
#include "kernel/x86/cpu.h"

#include <string.h>

void ledger_read(struct ledger *ledger)
{
	unsigned long flags = irq_save();
	struct kmalloc_stats stats;

	memset(ledger, 0, sizeof(*ledger));
	ledger->frames = frame_total();
	for (unsigned int owner = 0; owner < FRAME_OWNERS; owner++) {
		ledger->counted[owner] = frame_count(owner);
		ledger->by_state[owner] = frame_count_by_state(owner);
	}
	ledger->by_lists = frame_count_by_lists();
	ledger->tables = paging_count_tables();
	ledger->user = paging_count_user_pages();
	ledger->stacks = paging_count(&kernel_space, KERNEL_STACKS_BASE, KERNEL_STACKS_END);
	ledger->mapped = paging_count(&kernel_space, HEAP_BASE, HEAP_LIMIT);
	ledger->break_bytes = kernel_brk.end - kernel_brk.base;
	heap_stats(&kernel_heap, &ledger->heap);
	ledger->binned = heap_count_bins(&kernel_heap);
	ledger->cached = heap_count_cached(&kernel_heap);
	kmalloc_stats(&stats);
	ledger->granted = stats.granted;
	irq_restore(flags);
}

const char *ledger_disagreement(const struct ledger *ledger)
{
	const struct heap_stats *heap = &ledger->heap;
	uint32_t sum = 0;

	for (unsigned int owner = 0; owner < FRAME_OWNERS; owner++) {
		if (ledger->counted[owner] != ledger->by_state[owner])
			return "frames by owner: the counters and the frames' states";
		sum += ledger->by_state[owner];
	}
	if (sum != ledger->frames)
		return "all frames and the sum of all owners";
	if (ledger->by_lists != ledger->counted[FRAME_FREE])
		return "free frames: the counter and the buddy lists";
	if (ledger->tables != ledger->counted[FRAME_TABLES])
		return "page tables: the counter and the page directories";
	if (ledger->user != ledger->counted[FRAME_USER])
		return "frames of processes: the counter and their page tables";
	if (ledger->stacks != ledger->counted[FRAME_STACK])
		return "frames of kernel stacks: the counter and the page tables";
	if (ledger->mapped != ledger->counted[FRAME_HEAP])
		return "heap frames: the counter and the page tables";
	if ((size_t)ledger->mapped << PAGE_SHIFT !=
	    ((ledger->break_bytes + PAGE_MASK) & ~PAGE_MASK))
		return "the break and the pages mapped below it";
	if (heap->total != ledger->break_bytes)
		return "the break and the heap's blocks";
	if (heap->total != heap->granted + heap->headers + heap->cached + heap->binned + heap->top +
				   heap->bookkeeping)
		return "the heap's blocks and their sum by kind";
	if (heap->binned != ledger->binned)
		return "free blocks: the walk and the bins";
	if (heap->cached != ledger->cached)
		return "cached blocks: the walk and the quick lists";
	if (heap->granted != ledger->granted)
		return "bytes in use: the walk and the counter of kmalloc";
	return NULL;
}

void ledger_print(const struct ledger *ledger)
{
	const struct heap_stats *heap = &ledger->heap;
	const char *disagreement = ledger_disagreement(ledger);

	kprintf("frames of 4 KiB: %u\n", ledger->frames);
	for (unsigned int owner = 0; owner < FRAME_OWNERS; owner++)
		if (ledger->counted[owner])
			kprintf("  %-13s %8u  %8u KiB\n", frame_owner_name(owner),
				ledger->counted[owner], ledger->counted[owner] * 4);
	kprintf("break: %zu bytes above its base, %u pages mapped\n", ledger->break_bytes,
		ledger->mapped);
	kprintf("heap: %zu granted in %zu blocks, %zu headers, %zu cached, %zu binned, %zu top, "
		"%zu bookkeeping\n",
		heap->granted, heap->granted_blocks, heap->headers, heap->cached, heap->binned,
		heap->top, heap->bookkeeping);
	if (disagreement)
		kprintf("ledger: %s disagree\n", disagreement);
	else
		kprintf("ledger: all counts agree\n");
}
