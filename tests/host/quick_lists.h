/* SPDX-License-Identifier: MIT */
/* What holds of a heap's quick lists between any two calls, and heap_check() has no part in. */
#ifndef TESTS_HOST_QUICK_LISTS_H
#define TESTS_HOST_QUICK_LISTS_H

#include "kernel/mm/heap.h"

/* How many blocks there is room for in a list. */
static inline size_t quick_room(const struct heap_quick *quick)
{
	return (quick->end - (uintptr_t)&quick->block[1]) / HEAP_WORD;
}

/* How many wait there. */
static inline size_t quick_waiting(const struct heap_quick *quick)
{
	return (quick->next - (uintptr_t)&quick->block[1]) / HEAP_WORD;
}

/* Each has room for what waits there, and all of it is counted. */
static inline bool quick_lists_are_right(const struct heap *heap)
{
	size_t total = 0;

	for (size_t i = 0; i < HEAP_CLASSES; i++) {
		const struct heap_quick *quick = &heap->quick[i];
		size_t room = quick_room(quick);

		if (room > HEAP_QUICK_MOST || quick_waiting(quick) > room)
			return false;
		total += room * quick->size;
	}
	return total == heap->quick_room &&
	       heap->quick_limit == HEAP_QUICK_LEAST + heap->given / HEAP_QUICK_PART;
}

#endif
