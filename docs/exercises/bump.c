/* SPDX-License-Identifier: MIT */
/*
 * The first step: a pointer that only moves up.
 *
 *	| length | payload ... | length | payload ... |      the break
 *
 * Each request moves the break by what it needs. Nothing is ever given back, so
 * nothing has to be found again; the length is there for realloc() alone, which
 * must know how much to copy.
 */
#include "heap.h"

/* The largest request: sums of a few of these are still no overflow. */
#define MOST ((size_t)PTRDIFF_MAX / 4)

struct heap {
	heap_sbrk *sbrk;
};

static size_t *length_of(const void *ptr)
{
	return (size_t *)((uintptr_t)ptr - sizeof(size_t));
}

void heap_init(struct heap *heap, heap_sbrk *sbrk)
{
	heap->sbrk = sbrk;
}

void *heap_memalign(struct heap *heap, size_t align, size_t size)
{
	size_t most; /* before the payload, wherever the break is */
	uintptr_t start, ptr;

	if (align == 0 || (align & (align - 1)) || align > MOST || size > MOST)
		return NULL;
	if (align < HEAP_ALIGN)
		align = HEAP_ALIGN;
	most = sizeof(size_t) + align - 1;
	start = (uintptr_t)heap->sbrk((intptr_t)(most + size));
	if (start == (uintptr_t)HEAP_SBRK_FAILED)
		return NULL;
	ptr = (start + most) & ~(align - 1);
	*length_of((void *)ptr) = size;
	return (void *)ptr;
}

void *heap_malloc(struct heap *heap, size_t size)
{
	return heap_memalign(heap, HEAP_ALIGN, size);
}

void heap_free(struct heap *heap, void *ptr)
{
	(void)heap;
	(void)ptr;
}

size_t heap_usable_size(struct heap *heap, const void *ptr)
{
	(void)heap;
	return ptr ? *length_of(ptr) : 0;
}

void *heap_realloc(struct heap *heap, void *ptr, size_t size)
{
	size_t before = heap_usable_size(heap, ptr);
	void *copy;

	if (ptr && size <= before)
		return ptr;
	copy = heap_malloc(heap, size);
	if (copy && ptr)
		memcpy(copy, ptr, before);
	return copy;
}
