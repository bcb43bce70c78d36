/* SPDX-License-Identifier: MIT */
/* What lies at an address, for a person: its region, page, block, and their neighbours. */
#ifndef KERNEL_MM_INSPECT_H
#define KERNEL_MM_INSPECT_H

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
