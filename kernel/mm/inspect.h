/* SPDX-License-Identifier: MIT */
/* What lies at an address, for a person: its region, page, block, and their neighbours. */
#ifndef KERNEL_MM_INSPECT_H
#define KERNEL_MM_INSPECT_H

#include <stdbool.h>

#include "kernel/mm/heap.h"

/* The piece of a heap that an address lies in, and those that a walk sees before and after it. */
struct inspect_found {
	struct heap_piece before, piece, after;
	bool has_before, has_piece, has_after;
};

/* Return: whether there is such a piece that can be followed to. O(blocks). */
bool inspect_find(const struct heap *heap, const void *address, struct inspect_found *found);

/* The kind of a piece in words. */
const char *inspect_piece_name(enum heap_piece_kind kind);

/* Prints what inspect_find() finds, a line for each. */
void inspect_block(const struct heap *heap, const void *address);

/**
 * inspect_address() - print what is known about an address
 * @address: any
 *
 * A line for its page and one for each page beside it; within the heap, the same
 * for its block. Follows only what heap_walk() follows, so that it can be used
 * on a damaged heap. O(blocks).
 */
void inspect_address(const void *address);

/* Prints an address, unless it is NULL, and the ledger: what panic reports. */
void inspect_report(const void *concern);

#endif
