/* SPDX-License-Identifier: MIT */
/*
 * The second step: what has been freed is used again.
 *
 *	       | length | payload ...    |	in use
 *	       | length | next | ...     |	free: the list runs through the free blocks
 *
 * free() puts a block at the head of one list; malloc() takes the first that is
 * large enough, splits off what it does not need, and asks for more memory when
 * there is none. A block stays as short as it once was cut: two free ones side
 * by side do not know of each other.
 */
#include "heap.h"

/* The largest request: sums of a few of these are still no overflow. */
#define MOST ((size_t)PTRDIFF_MAX / 4)

#define WORD	  sizeof(size_t)
#define MIN_BLOCK (2 * HEAP_ALIGN)

struct block {
	size_t length; /* of the whole block, this word included */
	struct block *next;
};

struct heap {
	heap_sbrk *sbrk;
	struct block *free;
};

static struct block *block_of(const void *ptr)
{
	return (struct block *)((uintptr_t)ptr - WORD);
}

static void *payload(struct block *block)
{
	return (char *)block + WORD;
}

static size_t length_for(size_t size)
{
	size_t length = (size + WORD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return length < MIN_BLOCK ? MIN_BLOCK : length;
}

static void put(struct heap *heap, struct block *block)
{
	block->next = heap->free;
	heap->free = block;
}

/* Makes a block so long; the rest becomes a free one, if it can be one. */
static void cut(struct heap *heap, struct block *block, size_t length)
{
	size_t rest = block->length - length;
	struct block *second = (struct block *)((char *)block + length);

	if (rest < MIN_BLOCK)
		return;
	block->length = length;
	second->length = rest;
	put(heap, second);
}

static struct block *find(struct heap *heap, size_t length)
{
	for (struct block **link = &heap->free; *link; link = &(*link)->next) {
		struct block *block = *link;

		if (block->length < length)
			continue;
		*link = block->next;
		return block;
	}
	return NULL;
}

/* A block from new memory, which may begin anywhere: its payload is to be aligned. */
static struct block *grow(struct heap *heap, size_t length)
{
	uintptr_t start = (uintptr_t)heap->sbrk((intptr_t)(length + HEAP_ALIGN));
	struct block *block;

	if (start == (uintptr_t)HEAP_SBRK_FAILED)
		return NULL;
	start += WORD;
	block = block_of((void *)((start + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1)));
	block->length = length;
	return block;
}

void heap_init(struct heap *heap, heap_sbrk *sbrk)
{
	heap->sbrk = sbrk;
	heap->free = NULL;
}

void *heap_malloc(struct heap *heap, size_t size)
{
	size_t length;
	struct block *block;

	if (size > MOST)
		return NULL;
	length = length_for(size);
	block = find(heap, length);
	if (!block)
		block = grow(heap, length);
	if (!block)
		return NULL;
	cut(heap, block, length);
	return payload(block);
}

/* [ lead | aligned block ]: the lead is a free block, or nothing. */
void *heap_memalign(struct heap *heap, size_t align, size_t size)
{
	struct block *block, *aligned;
	size_t lead;
	char *ptr;

	if (align == 0 || (align & (align - 1)) || align > MOST || size > MOST)
		return NULL;
	if (align <= HEAP_ALIGN)
		return heap_malloc(heap, size);
	ptr = heap_malloc(heap, length_for(size) + align + MIN_BLOCK);
	if (!ptr)
		return NULL;
	lead = -(uintptr_t)ptr & (align - 1);
	if (lead > 0 && lead < MIN_BLOCK)
		lead += align;
	block = block_of(ptr);
	if (lead > 0) {
		aligned = block_of(ptr + lead);
		aligned->length = block->length - lead;
		block->length = lead;
		put(heap, block);
		block = aligned;
	}
	cut(heap, block, length_for(size));
	return payload(block);
}

void heap_free(struct heap *heap, void *ptr)
{
	if (ptr)
		put(heap, block_of(ptr));
}

size_t heap_usable_size(struct heap *heap, const void *ptr)
{
	(void)heap;
	return ptr ? block_of(ptr)->length - WORD : 0;
}

void *heap_realloc(struct heap *heap, void *ptr, size_t size)
{
	size_t before = heap_usable_size(heap, ptr);
	void *copy;

	if (ptr && size <= before) {
		cut(heap, block_of(ptr), length_for(size));
		return ptr;
	}
	copy = heap_malloc(heap, size);
	if (!copy || !ptr)
		return copy;
	memcpy(copy, ptr, before);
	heap_free(heap, ptr);
	return copy;
}
