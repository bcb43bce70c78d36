/* SPDX-License-Identifier: MIT */
/*
 * What a call has changed in the heap: all pieces before it and all after it,
 * compared.
 *
 * The pieces before are kept in page frames, so that keeping them does not
 * change the heap.
 */
#ifndef KERNEL_MONITOR_CHANGES_H
#define KERNEL_MONITOR_CHANGES_H

#include <stddef.h>
#include <stdint.h>

struct changes_piece;

/**
 * struct changes - the heap as it was
 * @pieces: all of them, in page frames from @first on; NULL if there was no room
 * @n: how many
 * @order: of those frames
 * @end: the break as it was
 */
struct changes {
	struct changes_piece *pieces;
	size_t n;
	uint32_t first;
	unsigned int order;
	uintptr_t end;
};

/* Looks at the kernel's heap. */
void changes_begin(struct changes *changes);

/* Prints what is no longer as it was, with '-' before what was and '+' before what is. */
void changes_print(struct changes *changes);

#endif
