/* SPDX-License-Identifier: MIT */
/*
 * The ledger: where all memory is, each figure counted in its own way.
 *
 *	frames          = free + heap + processes + page tables + reserved + ...
 *	break - base    = pages mapped there, less the rest of the last one
 *	break - base    = granted + headers + cached + binned + top + bookkeeping
 */
#ifndef KERNEL_MM_LEDGER_H
#define KERNEL_MM_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/frame.h"
#include "kernel/mm/heap.h"

/**
 * struct ledger - one reading
 * @frames: all frames there are
 * @counted: by owner, from the frame allocator's counters
 * @by_state: by owner, from a look at every frame's state
 * @by_lists: free frames, from a walk of the buddy lists
 * @tables: from a walk of the page directories
 * @user: pages mapped in all processes, from a walk of their page tables
 * @stacks: pages mapped in the region of kernel stacks, likewise
 * @mapped: pages mapped in the heap's region, from a walk of the page tables
 * @break_bytes: bytes between base and break
 * @heap: from a walk of the blocks
 * @binned: bytes of free blocks, from a walk of the bins
 * @cached: bytes of blocks in quick lists, from their lengths
 * @granted: payload bytes in use, from the counter of kmalloc
 */
struct ledger {
	uint32_t frames;
	uint32_t counted[FRAME_OWNERS], by_state[FRAME_OWNERS];
	uint32_t by_lists, tables, user, stacks, mapped;
	size_t break_bytes;
	struct heap_stats heap;
	size_t binned, cached, granted;
};

/* Counts everything; the kernel's heap must be set up. O(frames + mapped pages + blocks). */
void ledger_read(struct ledger *ledger);

/* Return: NULL, or in words which two figures disagree. */
const char *ledger_disagreement(const struct ledger *ledger);

/* Prints the figures in a few lines, and what disagrees. */
void ledger_print(const struct ledger *ledger);

#endif
