/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own heap: kernel/mm/heap.h over ksbrk(), with interrupts off.
 *
 * Everything here may be called from interrupt handlers. There are no flags to
 * pass: nothing sleeps and nothing is reclaimed. Sizes are in bytes, payloads
 * are aligned to HEAP_ALIGN, contiguous in addresses but not in frames. When
 * memory runs out the result is NULL and nothing has changed. O(1), but for
 * moving the break and for the bytes that are copied or cleared.
 *
 * A size of 0 is a size like any other: it gives a block of its own, to be
 * freed like any other. kmalloc(0) is never NULL while there is memory, and
 * krealloc(ptr, 0) never frees.
 *
 * A damaged header, a block freed twice or a pointer from elsewhere is a panic
 * that names it. So is a call that comes in while another is under way, as from
 * a non-maskable interrupt, or from the hook: it would find a heap in pieces.
 */
#ifndef KERNEL_MM_KMALLOC_H
#define KERNEL_MM_KMALLOC_H

#include <stddef.h>

#include "kernel/mm/heap.h"

/* For views of the heap; with interrupts off where they could change it. */
extern struct heap kernel_heap;

/* Sets up the break at HEAP_BASE and the heap over it. Takes no memory yet. */
void kmalloc_init(void);

void *kmalloc(size_t size);

/* kmalloc(), cleared. */
void *kzalloc(size_t size);

/* kmalloc() of @n times @size bytes; NULL if the product does not fit in a size_t. */
void *kmalloc_array(size_t n, size_t size);

/* kmalloc_array(), cleared. */
void *kcalloc(size_t n, size_t size);

/* kmalloc() at a multiple of @align, a power of two; NULL if it is none. */
void *kmemalign(size_t align, size_t size);

/* Changes the size, keeping contents up to the smaller one; the block may move. On NULL the old
 * one stays. krealloc(NULL, size) is kmalloc(size). */
void *krealloc(void *ptr, size_t size);

/* krealloc() to @n times @size bytes; NULL if the product does not fit. */
void *krealloc_array(void *ptr, size_t n, size_t size);

/* Bytes that may be used at @ptr, at least what was asked for; 0 for NULL. */
size_t ksize(const void *ptr);

/* Gives a block back. kfree(NULL) does nothing. */
void kfree(void *ptr);

/* kfree(), with all of the block cleared before. */
void kfree_sensitive(void *ptr);

/* A copy of @size bytes at @from. */
void *kmemdup(const void *from, size_t size);

/* A copy of a string; NULL for NULL. */
char *kstrdup(const char *s);

/* A copy of at most @max characters of a string, terminated; NULL for NULL. */
char *kstrndup(const char *s, size_t max);

/**
 * struct kmalloc_stats - what the functions above have been asked for
 * @allocations: calls that gave a new block
 * @reallocations: calls that changed one
 * @frees: calls that gave one back
 * @failures: calls that returned NULL for want of memory or for their arguments
 * @granted: payload bytes of blocks in use, by adding and subtracting
 * @peak_granted: the most that ever was
 * @asked_total: bytes asked for in all calls since boot that gave or changed a block
 * @granted_total: payload bytes that these blocks then had
 *
 * A block that is changed counts again, with the whole of its new size. The
 * totals have 64 bits and would start again from 0: after 2^33 calls at the
 * soonest, as each adds less than 2 GiB. Nothing but kmalloc_slack() uses them.
 */
struct kmalloc_stats {
	size_t allocations, reallocations, frees, failures;
	size_t granted, peak_granted;
	uint64_t asked_total, granted_total;
};

void kmalloc_stats(struct kmalloc_stats *stats);

/* Thousandths of the bytes granted since boot that were not asked for; 0 with none granted. */
unsigned int kmalloc_slack(const struct kmalloc_stats *stats);

/* heap_trim() of the kernel's heap. Return: bytes given back. */
size_t kheap_trim(size_t keep);

#endif
