/* SPDX-License-Identifier: MIT */
/*
 * The third step: free blocks side by side become one.
 *
 *	| length, flags | payload ...                      |	in use
 *	| length, flags | next | prev | ...       | length |	free
 *
 * A free block has its length at its end too, and the header after it says that
 * it is free: so both neighbours of a block are found by arithmetic, and merging
 * takes no search (Knuth's boundary tags). The list leads both ways, so that a
 * neighbour can be taken out of its middle. What is at the break goes back.
 *
 *	first                                      fence
 *	| block | block | free | block | free      | 0 |  the break
 *
 * The fence is a header of length 0 that is always in use. It ends the memory
 * that came in one piece. When the next piece does not follow on it, it stays.
 */
#include "heap.h"

/* The largest request: sums of a few of these are still no overflow. */
#define MOST ((size_t)PTRDIFF_MAX / 4)

#define WORD	  sizeof(size_t)
#define MIN_BLOCK (2 * HEAP_ALIGN)

/* In the low bits of a header, which a length does not need. */
#define IN_USE	    ((size_t)1)
#define PREV_IN_USE ((size_t)2)
#define FLAGS	    (HEAP_ALIGN - 1)

/* More than is needed is asked for at once, and a free block at the break that is longer than
 * twice that gives memory back. */
#define GROW ((size_t)16 * 1024)

struct block {
	size_t head;
	struct block *next, *prev; /* while it is free */
};

struct heap {
	heap_sbrk *sbrk;
	struct block *free, *fence;
};

static size_t length(const struct block *block)
{
	return block->head & ~FLAGS;
}

static struct block *block_of(const void *ptr)
{
	return (struct block *)((uintptr_t)ptr - WORD);
}

static void *payload(struct block *block)
{
	return (char *)block + WORD;
}

static struct block *after(struct block *block, size_t n)
{
	return (struct block *)((char *)block + n);
}

static struct block *next_block(struct block *block)
{
	return after(block, length(block));
}

/* The last word of the block before, which is its length if it is free. */
static size_t *footer_before(struct block *block)
{
	return (size_t *)((char *)block - WORD);
}

static size_t length_for(size_t size)
{
	size_t n = (size + WORD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return n < MIN_BLOCK ? MIN_BLOCK : n;
}

static void take(struct heap *heap, struct block *block)
{
	if (block->prev)
		block->prev->next = block->next;
	else
		heap->free = block->next;
	if (block->next)
		block->next->prev = block->prev;
}

static void put(struct heap *heap, struct block *block, size_t n)
{
	block->head = n | PREV_IN_USE;
	*footer_before(after(block, n)) = n;
	after(block, n)->head &= ~PREV_IN_USE;
	block->next = heap->free;
	block->prev = NULL;
	if (block->next)
		block->next->prev = block;
	heap->free = block;
}

/* Lowers the break to the end of @block, or a little above, if nobody else has moved it. */
static size_t give_back(struct heap *heap, struct block *block, size_t n)
{
	size_t less = n - GROW;

	if (n <= 2 * GROW || after(block, n) != heap->fence ||
	    heap->sbrk(0) != (char *)heap->fence + WORD ||
	    heap->sbrk(-(intptr_t)less) == HEAP_SBRK_FAILED)
		return n;
	heap->fence = after(block, n - less);
	heap->fence->head = IN_USE;
	return n - less;
}

/* Merges a block with the free ones beside it, which come out of the list for that. */
static struct block *merge(struct heap *heap, struct block *block)
{
	struct block *next = next_block(block);
	size_t n = length(block);

	if (!(next->head & IN_USE)) {
		take(heap, next);
		n += length(next);
	}
	if (!(block->head & PREV_IN_USE)) {
		size_t before = *footer_before(block);

		block = (struct block *)((char *)block - before);
		take(heap, block);
		n += before;
	}
	block->head = n | PREV_IN_USE;
	return block;
}

static void release(struct heap *heap, struct block *block)
{
	block = merge(heap, block);
	put(heap, block, give_back(heap, block, length(block)));
}

/* A block in use of so many bytes; of what it has more, a free one is made if it can be one. */
static void cut(struct heap *heap, struct block *block, size_t n)
{
	size_t rest = length(block) - n;

	if (rest < MIN_BLOCK)
		return;
	block->head -= rest;
	after(block, n)->head = rest | IN_USE | PREV_IN_USE;
	release(heap, after(block, n));
}

/* Takes a free block out of the list, all of it. */
static void use(struct heap *heap, struct block *block)
{
	take(heap, block);
	block->head |= IN_USE;
	next_block(block)->head |= PREV_IN_USE;
}

static struct block *find(struct heap *heap, size_t n)
{
	for (struct block *block = heap->free; block; block = block->next)
		if (length(block) >= n)
			return block;
	return NULL;
}

/* New memory that follows on the fence: that becomes the header of a block. */
static struct block *extend(struct heap *heap, size_t n)
{
	struct block *block = heap->fence;

	block->head |= n;
	heap->fence = after(block, n);
	heap->fence->head = IN_USE | PREV_IN_USE;
	return block;
}

/* New memory elsewhere, from any address on: one block, and a fence of its own. */
static struct block *begin(struct heap *heap, uintptr_t start, size_t n)
{
	uintptr_t ptr = (start + WORD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);
	uintptr_t end = (start + n) & ~(HEAP_ALIGN - 1);
	struct block *block = block_of((void *)ptr);

	block->head = (end - ptr) | IN_USE | PREV_IN_USE;
	heap->fence = next_block(block);
	heap->fence->head = IN_USE | PREV_IN_USE;
	return block;
}

/* More memory, for a free block of at least so many bytes, up to an aligned end. */
static struct block *grow(struct heap *heap, size_t n)
{
	uintptr_t end = (uintptr_t)heap->sbrk(0), start;
	size_t more = n + 4 * HEAP_ALIGN;
	struct block *block;

	more += -(end + more) & (HEAP_ALIGN - 1);
	start = (uintptr_t)heap->sbrk((intptr_t)(more + GROW));
	if (start != (uintptr_t)HEAP_SBRK_FAILED)
		more += GROW;
	else
		start = (uintptr_t)heap->sbrk((intptr_t)more);
	if (start == (uintptr_t)HEAP_SBRK_FAILED)
		return NULL;
	if (heap->fence && start == (uintptr_t)heap->fence + WORD)
		block = merge(heap, extend(heap, more));
	else
		block = merge(heap, begin(heap, start, more));
	put(heap, block, length(block));
	return find(heap, n);
}

void heap_init(struct heap *heap, heap_sbrk *sbrk)
{
	*heap = (struct heap){ .sbrk = sbrk };
}

void *heap_malloc(struct heap *heap, size_t size)
{
	struct block *block;

	if (size > MOST)
		return NULL;
	block = find(heap, length_for(size));
	if (!block)
		block = grow(heap, length_for(size));
	if (!block)
		return NULL;
	use(heap, block);
	cut(heap, block, length_for(size));
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
		aligned->head = (length(block) - lead) | IN_USE | PREV_IN_USE;
		block->head -= length(aligned);
		release(heap, block);
		block = aligned;
	}
	cut(heap, block, length_for(size));
	return payload(block);
}

void heap_free(struct heap *heap, void *ptr)
{
	if (ptr)
		release(heap, block_of(ptr));
}

size_t heap_usable_size(struct heap *heap, const void *ptr)
{
	(void)heap;
	return ptr ? length(block_of(ptr)) - WORD : 0;
}

/* Takes the block behind in, if it is free and that is enough. */
static bool grow_in_place(struct heap *heap, struct block *block, size_t n)
{
	struct block *next = next_block(block);

	if ((next->head & IN_USE) || length(block) + length(next) < n)
		return false;
	use(heap, next);
	block->head += length(next);
	return true;
}

void *heap_realloc(struct heap *heap, void *ptr, size_t size)
{
	size_t before = heap_usable_size(heap, ptr);
	void *copy;

	if (size > MOST)
		return NULL;
	if (ptr && (size <= before || grow_in_place(heap, block_of(ptr), length_for(size)))) {
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
