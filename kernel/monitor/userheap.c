/* SPDX-License-Identifier: MIT */
/* A walk through a heap in another address space, word by word. */
#include "kernel/monitor/userheap.h"
#include "kernel/mm/layout.h"

#include <stddef.h>

/**
 * struct walk - a walk under way
 * @memory: whose
 * @top: the top block, as the heap says
 * @visit: sees the pieces
 * @context: for it
 * @seen: how many it has
 * @fault: what is wrong
 */
struct walk {
	struct memory *memory;
	uintptr_t top;
	heap_visitor *visit;
	void *context;
	uint32_t seen;
	struct userheap_fault *fault;
};

static bool fails(struct walk *walk, uintptr_t address, const char *reason)
{
	*walk->fault = (struct userheap_fault){ address, reason };
	return false;
}

static bool read(struct walk *walk, uintptr_t address, void *to, size_t size, size_t align)
{
	if (address % align != 0)
		return fails(walk, address, "not aligned");
	return memory_peek(walk->memory, to, address, size) ||
	       fails(walk, address, "not the program's");
}

static bool read_word(struct walk *walk, uintptr_t address, size_t *word)
{
	return read(walk, address, word, sizeof(*word), sizeof(*word));
}

static bool show(struct walk *walk, enum heap_piece_kind kind, uintptr_t from, uintptr_t to)
{
	const struct heap_piece piece = { kind, (const void *)from, to - from };

	if (walk->seen++ == USERHEAP_MOST)
		return fails(walk, from, "more than is followed");
	return walk->visit(walk->context, &piece);
}

/* The second length of a free block, in its last word. */
static bool sound_footer(struct walk *walk, uintptr_t block, size_t size)
{
	size_t footer;

	return read_word(walk, block + size - HEAP_WORD, &footer) &&
	       (footer == size ||
		fails(walk, block + size - HEAP_WORD, heap_fault_name(HEAP_FAULT_FOOTER)));
}

/* The block behind one says whether that is in use. Only the top's length is nowhere else. */
static bool sound_block(struct walk *walk, uintptr_t block, size_t head, uintptr_t fence)
{
	size_t size = head & ~(HEAP_ALIGN - 1), next;
	bool used = head & HEAP_IN_USE;

	if (size < HEAP_MIN_BLOCK || size > fence - block)
		return fails(walk, block, heap_fault_name(HEAP_FAULT_LENGTH));
	if (!read_word(walk, block + size, &next))
		return false;
	if (used != ((next & HEAP_PREV_IN_USE) != 0))
		return fails(walk, block, heap_fault_name(HEAP_FAULT_NEXT));
	return used || block == walk->top || sound_footer(walk, block, size);
}

static enum heap_piece_kind kind_of(const struct walk *walk, uintptr_t block, size_t head)
{
	if (head & HEAP_IN_USE)
		return head & HEAP_CACHED ? HEAP_PIECE_CACHED : HEAP_PIECE_USED;
	return block == walk->top ? HEAP_PIECE_TOP : HEAP_PIECE_BINNED;
}

static bool walk_blocks(struct walk *walk, uintptr_t block, uintptr_t fence)
{
	size_t head;

	while (block < fence) {
		uintptr_t from = block;

		if (!read_word(walk, block, &head) || !sound_block(walk, block, head, fence))
			return false;
		block += head & ~(HEAP_ALIGN - 1);
		if (!show(walk, kind_of(walk, from, head), from, block))
			return false;
	}
	return true;
}

static bool walk_segment(struct walk *walk, uintptr_t at, const struct heap_segment *segment)
{
	uintptr_t first = at + sizeof(*segment), fence;

	fence = (segment->end & ~(HEAP_ALIGN - 1)) - HEAP_WORD;
	if (at - segment->start >= HEAP_ALIGN || segment->end > USER_END || segment->end < first ||
	    fence < first)
		return fails(walk, at, "no stretch of memory that a heap could be in");
	return show(walk, HEAP_PIECE_SEGMENT, segment->start, first) &&
	       walk_blocks(walk, first, fence) && show(walk, HEAP_PIECE_FENCE, fence, segment->end);
}

/* From the newest segment to the oldest. Every now and then one is marked, for a circle to show. */
static bool walk_segments(struct walk *walk, uintptr_t at)
{
	struct heap_segment segment;
	uintptr_t marked = 0;

	for (uint32_t n = 1; at; n++) {
		if (at == marked)
			return fails(walk, at, "older than itself");
		if ((n & (n - 1)) == 0)
			marked = at;
		if (!read(walk, at, &segment, sizeof(segment), HEAP_ALIGN) ||
		    !walk_segment(walk, at, &segment))
			return false;
		at = (uintptr_t)segment.older;
	}
	return true;
}

bool userheap_walk(struct memory *memory, uintptr_t heap, heap_visitor *visit, void *context,
		   struct userheap_fault *fault)
{
	struct walk walk = { .memory = memory, .visit = visit, .context = context, .fault = fault };
	size_t segment;

	*fault = (struct userheap_fault){ 0, NULL };
	if (!read_word(&walk, heap + offsetof(struct heap, top), &walk.top))
		return false;
	walk.top -= HEAP_WORD; /* a heap knows its blocks by their payloads */
	return read_word(&walk, heap + offsetof(struct heap, segment), &segment) &&
	       walk_segments(&walk, segment);
}
