/* SPDX-License-Identifier: MIT */
/*
 * The heap.
 *
 * A segment is a stretch of memory from the hook:
 *
 *	[ record | block | block | ... | block | top | fence ]   end, the break
 *
 * Blocks lie side by side. From a block's header its length leads to the next
 * block; a free block repeats its length in its last word, and the header
 * after it says that it is free, so that the previous one is found as well
 * (Knuth's boundary tags). Free neighbours are merged at once: no two free
 * blocks are ever side by side.
 *
 * Free blocks are in doubly linked lists ("bins") by length, and a bitmap over
 * the lists finds the next one that is not empty (TLSF's idea: Masmano et al.,
 * ECRTS 2004). The lists for small lengths hold one length each; in those
 * above, lengths differ by up to a sixteenth, so a few blocks are tried before
 * the next list is taken, where everything fits.
 *
 * The top block is the free one at the break. It is in no list, is used last,
 * and gives memory back. The fence is a header of length 0 that is always "in
 * use": it ends walks and merging. When the hook's memory does not follow on
 * the last, the old top goes into a list, the fence stays, and a new segment
 * begins.
 *
 * Where this stops: memory in older segments is given back only when all newer
 * ones have been.
 */
#include "heap.h"

/* All that is needed of a C library. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);

#define IN_USE	    ((size_t)1)
#define PREV_IN_USE ((size_t)2)
#define FLAGS	    (HEAP_ALIGN - 1)

/* Blocks looked at in a list whose lengths differ, before the next list is taken. */
#define FIT_TRIES 8

/* The hook's memory is asked for so that it ends at a multiple of this. */
#define PAGE ((size_t)4096)

struct heap_block {
	size_t head;			/* length and flags */
	struct heap_block *next, *prev; /* in its list, while free */
};

/* At a segment's start. Three words, so that the first payload is aligned. */
struct heap_segment {
	struct heap_segment *older;
	uintptr_t start, end; /* as the hook gave them */
};

/* A segment without a block: record and fence. */
#define SEGMENT_BARE (sizeof(struct heap_segment) + HEAP_WORD)

/* The most a segment has beside its blocks: alignment, record, fence, a ragged end. */
#define SEGMENT_OVERHEAD (SEGMENT_BARE + 2 * HEAP_ALIGN)
#define SEGMENT_LEAST	 (SEGMENT_OVERHEAD + HEAP_MIN_BLOCK)

_Static_assert(sizeof(size_t) == sizeof(unsigned long), "bit operations are on unsigned long");
_Static_assert(sizeof(struct heap_segment) == 3 * HEAP_WORD, "the first payload must be aligned");
_Static_assert(HEAP_BIN_WORDS <= HEAP_WORD_BITS, "one summary word must do");
_Static_assert(HEAP_MAX_REQUEST + 2 * HEAP_GROW + 2 * PAGE <= PTRDIFF_MAX,
	       "what the hook is asked for must be a difference of pointers");

static const char *const fault_names[] = {
	[HEAP_SOUND] = "sound",
	[HEAP_FAULT_ALIGNMENT] = "not the address of a block: misaligned",
	[HEAP_FAULT_RANGE] = "not within the heap",
	[HEAP_FAULT_NOT_USED] = "not in use: freed twice, or never handed out",
	[HEAP_FAULT_LENGTH] = "impossible length in the header",
	[HEAP_FAULT_NEXT] = "the next block's header disagrees",
	[HEAP_FAULT_FOOTER] = "the two lengths of a free block disagree",
	[HEAP_FAULT_LINK] = "the links of a free block are damaged",
	[HEAP_FAULT_BIN] = "lists and blocks disagree",
};

const char *heap_fault_name(enum heap_fault_kind kind)
{
	return fault_names[kind];
}

/* Blocks, by arithmetic */

static size_t align_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static struct heap_block *block_at(uintptr_t address)
{
	return (struct heap_block *)address;
}

static struct heap_block *block_of(const void *ptr)
{
	return block_at((uintptr_t)ptr - HEAP_WORD);
}

static void *payload(struct heap_block *block)
{
	return (char *)block + HEAP_WORD;
}

static size_t block_size(const struct heap_block *block)
{
	return block->head & ~FLAGS;
}

static bool in_use(const struct heap_block *block)
{
	return block->head & IN_USE;
}

static bool prev_in_use(const struct heap_block *block)
{
	return block->head & PREV_IN_USE;
}

static struct heap_block *next_block(const struct heap_block *block)
{
	return block_at((uintptr_t)block + block_size(block));
}

/* The length of the block before, from that block's last word; only if it is free. */
static size_t prev_size(const struct heap_block *block)
{
	return *(const size_t *)((uintptr_t)block - HEAP_WORD);
}

static struct heap_block *prev_block(const struct heap_block *block)
{
	return block_at((uintptr_t)block - prev_size(block));
}

static size_t footer(const struct heap_block *block)
{
	return prev_size(next_block(block));
}

/* The length of the block for a request, 0 if that is too large. */
static size_t size_for(size_t request)
{
	if (request > HEAP_MAX_REQUEST)
		return 0;
	if (request < HEAP_MIN_BLOCK - HEAP_WORD)
		return HEAP_MIN_BLOCK;
	return align_up(request + HEAP_WORD, HEAP_ALIGN);
}

/* Makes @block a free one. The block before it is in use: free ones are merged first. */
static void set_free(struct heap_block *block, size_t size)
{
	struct heap_block *next = block_at((uintptr_t)block + size);

	block->head = size | PREV_IN_USE;
	*(size_t *)((uintptr_t)next - HEAP_WORD) = size;
	next->head &= ~PREV_IN_USE;
}

/* Makes @block one in use, whoever lies before it. */
static void set_used(struct heap_block *block, size_t size)
{
	block->head = size | IN_USE | (block->head & PREV_IN_USE);
	block_at((uintptr_t)block + size)->head |= PREV_IN_USE;
}

/* Checks */

static bool report(struct heap_fault *fault, enum heap_fault_kind kind, const void *block,
		   size_t expected, size_t found)
{
	*fault = (struct heap_fault){ kind, block, expected, found, NULL, NULL };
	return false;
}

/* Whether @block may be looked at and its length followed. */
static bool sound_length(const struct heap *heap, const struct heap_block *block,
			 struct heap_fault *fault)
{
	uintptr_t at = (uintptr_t)block;

	if ((at + HEAP_WORD) & (HEAP_ALIGN - 1))
		return report(fault, HEAP_FAULT_ALIGNMENT, block, at & ~(HEAP_ALIGN - 1), at);
	if (at < heap->low || at >= heap->high || heap->high - at <= HEAP_WORD)
		return report(fault, HEAP_FAULT_RANGE, block, heap->low, at);
	if (block_size(block) < HEAP_MIN_BLOCK || block_size(block) > heap->high - at - HEAP_WORD)
		return report(fault, HEAP_FAULT_LENGTH, block, HEAP_MIN_BLOCK, block->head);
	return true;
}

/* A free block outside of the lists: its two lengths and the flags around it. */
static bool sound_free(const struct heap *heap, const struct heap_block *block,
		       struct heap_fault *fault)
{
	if (!sound_length(heap, block, fault))
		return false;
	if ((block->head & FLAGS) != PREV_IN_USE)
		return report(fault, HEAP_FAULT_NEXT, block, PREV_IN_USE, block->head & FLAGS);
	if (footer(block) != block_size(block))
		return report(fault, HEAP_FAULT_FOOTER, block, block_size(block), footer(block));
	if (prev_in_use(next_block(block)) || !in_use(next_block(block)))
		return report(fault, HEAP_FAULT_NEXT, next_block(block), IN_USE,
			      next_block(block)->head);
	return true;
}

static bool sound_link(const struct heap *heap, const struct heap_block *link)
{
	uintptr_t at = (uintptr_t)link;

	return at >= heap->low && at < heap->high && heap->high - at > HEAP_MIN_BLOCK &&
	       !((at + HEAP_WORD) & (HEAP_ALIGN - 1));
}

static size_t bin_index(size_t size);

/* A free block in a list: its neighbours there exist and point back. */
static bool sound_listed(const struct heap *heap, const struct heap_block *block,
			 struct heap_fault *fault)
{
	const struct heap_block *next, *prev, *first;

	if (!sound_free(heap, block, fault))
		return false;
	next = block->next;
	prev = block->prev;
	first = heap->bins[bin_index(block_size(block))];
	if (next && (!sound_link(heap, next) || next->prev != block))
		return report(fault, HEAP_FAULT_LINK, block, (size_t)block, (size_t)next);
	if (prev ? first == block || !sound_link(heap, prev) || prev->next != block
		 : first != block)
		return report(fault, HEAP_FAULT_LINK, block, (size_t)block, (size_t)prev);
	return true;
}

/* The top block: it reaches up to the fence, and that is whole. */
static bool sound_top(const struct heap *heap, const struct heap_block *block,
		      struct heap_fault *fault)
{
	const struct heap_block *next = next_block(block);

	if (!sound_free(heap, block, fault))
		return false;
	if (next != heap->fence || next->head != IN_USE)
		return report(fault, HEAP_FAULT_NEXT, next, IN_USE, next->head);
	return true;
}

static bool sound_neighbour(const struct heap *heap, const struct heap_block *block,
			    struct heap_fault *fault)
{
	return block == heap->top ? sound_top(heap, block, fault)
				  : sound_listed(heap, block, fault);
}

/* The free block before @block, which may be a fence. */
static bool sound_before(const struct heap *heap, const struct heap_block *block,
			 struct heap_fault *fault)
{
	size_t size = prev_size(block);
	const struct heap_block *before = block_at((uintptr_t)block - (size & ~FLAGS));

	if (size > (uintptr_t)block - heap->low || block_size(before) != size)
		return report(fault, HEAP_FAULT_FOOTER, block, size, block->head);
	return sound_neighbour(heap, before, fault);
}

/* A block in use, and those free ones beside it that it may be merged with. */
static bool sound_used(const struct heap *heap, const struct heap_block *block,
		       struct heap_fault *fault)
{
	const struct heap_block *next;

	if (!sound_length(heap, block, fault))
		return false;
	if (!in_use(block))
		return report(fault, HEAP_FAULT_NOT_USED, block, IN_USE, block->head);
	if (block->head & FLAGS & ~(IN_USE | PREV_IN_USE))
		return report(fault, HEAP_FAULT_LENGTH, block, IN_USE, block->head);
	next = next_block(block);
	if (!prev_in_use(next))
		return report(fault, HEAP_FAULT_NEXT, next, PREV_IN_USE, next->head);
	if (!in_use(next) && !sound_neighbour(heap, next, fault))
		return false;
	return prev_in_use(block) || sound_before(heap, block, fault);
}

/* Fills in what lies beside the block of a fault, as far as lengths lead there. */
static bool find_neighbours(void *context, const struct heap_piece *piece)
{
	struct heap_fault *fault = context;
	uintptr_t end = (uintptr_t)piece->address + piece->size;

	if (end <= (uintptr_t)fault->block)
		fault->before = piece->address;
	else if ((uintptr_t)piece->address > (uintptr_t)fault->block)
		fault->after = piece->address;
	return !fault->after;
}

static void violated(struct heap *heap, struct heap_fault *fault)
{
	if (!heap->fault)	  /* not covered: nobody comes back from there to tell */
		__builtin_trap(); /* not covered: the same */
	heap_walk(heap, find_neighbours, fault);
	heap->fault(heap, fault);
}

typedef bool sound_test(const struct heap *heap, const struct heap_block *block,
			struct heap_fault *fault);

/* Every call begins by this: true, or the hook has been told. */
static bool verify(struct heap *heap, const struct heap_block *block, sound_test *sound)
{
	struct heap_fault fault;

	if (!HEAP_CHECKS || sound(heap, block, &fault))
		return true;
	violated(heap, &fault);
	return false;
}

/* Bins */

static size_t bin_index(size_t size)
{
	size_t units = size / HEAP_ALIGN, power;

	if (units < HEAP_EXACT_BINS)
		return units;
	power = HEAP_WORD_BITS - 1 - (size_t)__builtin_clzl(units);
	return HEAP_EXACT_BINS + (power - 5) * HEAP_BINS_PER_POWER +
	       (units >> (power - 4) & (HEAP_BINS_PER_POWER - 1));
}

static void bin_add(struct heap *heap, struct heap_block *block)
{
	size_t bin = bin_index(block_size(block));
	struct heap_block *first = heap->bins[bin];

	block->next = first;
	block->prev = NULL;
	if (first)
		first->prev = block;
	heap->bins[bin] = block;
	heap->filled[bin / HEAP_WORD_BITS] |= (size_t)1 << bin % HEAP_WORD_BITS;
	heap->summary |= (size_t)1 << bin / HEAP_WORD_BITS;
}

static void bin_remove(struct heap *heap, struct heap_block *block)
{
	size_t bin = bin_index(block_size(block));

	if (block->next)
		block->next->prev = block->prev;
	if (block->prev)
		block->prev->next = block->next;
	else
		heap->bins[bin] = block->next;
	if (heap->bins[bin])
		return;
	heap->filled[bin / HEAP_WORD_BITS] &= ~((size_t)1 << bin % HEAP_WORD_BITS);
	if (!heap->filled[bin / HEAP_WORD_BITS])
		heap->summary &= ~((size_t)1 << bin / HEAP_WORD_BITS);
}

/* The first block of the first list from @bin on that is not empty, or NULL. */
static struct heap_block *first_from(const struct heap *heap, size_t bin)
{
	size_t word = bin / HEAP_WORD_BITS;
	size_t bits, words;

	bits = heap->filled[word] & (size_t)-1 << bin % HEAP_WORD_BITS;
	if (!bits) {
		/* The shift is by less than a word's bits: there are fewer words than that. */
		words = heap->summary & (size_t)-1 << word & ~((size_t)1 << word);
		if (!words)
			return NULL;
		word = (size_t)__builtin_ctzl(words);
		bits = heap->filled[word];
		if (!bits)
			return NULL;
	}
	return heap->bins[word * HEAP_WORD_BITS + (size_t)__builtin_ctzl(bits)];
}

/* A listed block of at least @size bytes, or NULL: the best of the first few, or the next list's. */
static struct heap_block *find_fit(const struct heap *heap, size_t size)
{
	size_t bin = bin_index(size);
	struct heap_block *best = NULL, *block = heap->bins[bin];

	if (bin < HEAP_EXACT_BINS)
		return first_from(heap, bin);
	for (unsigned int i = 0; i < FIT_TRIES && block; i++, block = block->next) {
		if (HEAP_CHECKS && !sound_link(heap, block))
			return block; /* and the caller's check reports it */
		if (block_size(block) >= size && (!best || block_size(block) < block_size(best)))
			best = block;
	}
	return best ? best : first_from(heap, bin + 1);
}

/* Segments */

static struct heap_block *first_block(const struct heap_segment *segment)
{
	return block_at((uintptr_t)segment + sizeof(*segment));
}

static struct heap_block *fence_of(const struct heap_segment *segment)
{
	return block_at((segment->end & ~(HEAP_ALIGN - 1)) - HEAP_WORD);
}

/* The newest segment ends here, behind @top or a block in use. */
static void set_end(struct heap *heap, uintptr_t end)
{
	if (heap->high == heap->segment->end || heap->high < end)
		heap->high = end;
	heap->segment->end = end;
	heap->fence = fence_of(heap->segment);
	heap->fence->head = IN_USE | PREV_IN_USE;
	if (heap->top)
		set_free(heap->top, (uintptr_t)heap->fence - (uintptr_t)heap->top);
}

static void extend_segment(struct heap *heap, uintptr_t end)
{
	if (!heap->top)
		heap->top = heap->fence;
	set_end(heap, end);
}

static void new_segment(struct heap *heap, uintptr_t start, uintptr_t end)
{
	struct heap_segment *segment = (struct heap_segment *)align_up(start, HEAP_ALIGN);

	if (heap->top)
		bin_add(heap, heap->top);
	if (!heap->segment)
		heap->low = heap->high = start;
	if (start < heap->low)
		heap->low = start;
	*segment = (struct heap_segment){ .older = heap->segment, .start = start, .end = end };
	heap->segment = segment;
	heap->top = first_block(segment);
	set_end(heap, end);
}

/* Whether a segment's record may be followed; @budget bounds the sum of all segments. */
static bool sound_segment(const struct heap *heap, const struct heap_segment *segment,
			  size_t *budget)
{
	uintptr_t at = (uintptr_t)segment;

	if ((at & (HEAP_ALIGN - 1)) || at < heap->low || at >= heap->high ||
	    heap->high - at < SEGMENT_BARE)
		return false;
	if (align_up(segment->start, HEAP_ALIGN) != at || segment->end > heap->high ||
	    segment->end < at + SEGMENT_BARE || segment->end - segment->start > *budget)
		return false;
	*budget -= segment->end - segment->start;
	return true;
}

/* The records of all segments, before one of them goes. */
static bool sound_records(const struct heap *heap, const struct heap_block *block,
			  struct heap_fault *fault)
{
	size_t budget = heap->high - heap->low;

	(void)block;
	for (const struct heap_segment *each = heap->segment; each; each = each->older)
		if (!sound_segment(heap, each, &budget))
			return report(fault, HEAP_FAULT_RANGE, each, heap->low, (size_t)each);
	return true;
}

/* The record of the newest segment, before it is shortened. */
static bool sound_record(const struct heap *heap, const struct heap_block *block,
			 struct heap_fault *fault)
{
	size_t budget = heap->high - heap->low;

	if (!sound_segment(heap, heap->segment, &budget) || fence_of(heap->segment) != heap->fence)
		return report(fault, HEAP_FAULT_RANGE, heap->segment, (size_t)heap->fence,
			      heap->segment->end);
	(void)block;
	return true;
}

/* The newest segment is gone; the one before it is continued. */
static void drop_segment(struct heap *heap, struct heap_segment *older)
{
	heap->segment = older;
	heap->top = NULL;
	heap->fence = NULL;
	heap->low = older ? older->start : 0;
	heap->high = older ? older->end : 0;
	if (!older)
		return;
	for (const struct heap_segment *each = older->older; each; each = each->older) {
		heap->low = each->start < heap->low ? each->start : heap->low;
		heap->high = each->end > heap->high ? each->end : heap->high;
	}
	heap->fence = fence_of(older);
	if (!prev_in_use(heap->fence) && verify(heap, heap->fence, sound_before)) {
		heap->top = prev_block(heap->fence);
		bin_remove(heap, heap->top);
	}
}

/* Memory from the hook, a little more than @least bytes if it can be had. */
static void *ask_hook(struct heap *heap, uintptr_t at, size_t least, size_t *given)
{
	size_t wanted = align_up(at + least + HEAP_GROW, PAGE) - at;
	void *memory = heap->sbrk((intptr_t)wanted);

	if (memory == HEAP_SBRK_FAILED) {
		wanted = align_up(at + least, PAGE) - at;
		memory = heap->sbrk((intptr_t)wanted);
	}
	*given = wanted;
	return memory;
}

static bool take_over(struct heap *heap, void *memory, size_t given)
{
	uintptr_t start = (uintptr_t)memory;

	if (memory == HEAP_SBRK_FAILED)
		return false;
	heap->given += given;
	if (heap->given > heap->peak)
		heap->peak = heap->given;
	if (heap->segment && heap->segment->end == start)
		extend_segment(heap, start + given);
	else
		new_segment(heap, start, start + given);
	return true;
}

/*
 * Makes the top block at least @size bytes long. If it looks as if the hook's
 * memory will follow on the segment, only what is missing is asked for; if it
 * then does not follow, it becomes a segment all the same, and the next request
 * is for one that is large enough by itself.
 */
static bool grow(struct heap *heap, size_t size)
{
	size_t missing = size - (heap->top ? block_size(heap->top) : 0);
	void *end = heap->sbrk(0), *memory;
	size_t given = 0;

	if (end == HEAP_SBRK_FAILED)
		return false;
	if (heap->segment && (uintptr_t)end == heap->segment->end) {
		memory = ask_hook(heap, (uintptr_t)end, missing + SEGMENT_LEAST, &given);
		if (!take_over(heap, memory, given))
			return false;
		if (block_size(heap->top) >= size)
			return true;
	}
	memory = ask_hook(heap, (uintptr_t)end, size + SEGMENT_LEAST, &given);
	return take_over(heap, memory, given);
}

/* Whether nothing in the newest segment is in use. */
static bool is_empty(const struct heap *heap)
{
	const struct heap_block *first = first_block(heap->segment);

	return first == heap->fence || first == heap->top;
}

/*
 * Bytes that the newest segment can give back at once: all of it if nothing is
 * in it and nothing is to be kept, else whole pages, leaving no top block or one
 * that can be a block.
 */
static size_t releasable(const struct heap *heap, size_t keep)
{
	const struct heap_segment *segment = heap->segment;
	size_t size = heap->top ? block_size(heap->top) : 0;
	uintptr_t end;

	if (keep == 0 && is_empty(heap) && segment->end - segment->start <= HEAP_TRIM_STEP)
		return segment->end - segment->start;
	if (size <= keep)
		return 0;
	if (keep > 0 && keep < HEAP_MIN_BLOCK)
		keep = HEAP_MIN_BLOCK;
	size -= keep;
	end = align_up(segment->end - (size < HEAP_TRIM_STEP ? size : HEAP_TRIM_STEP), PAGE);
	if (end < segment->end && end - HEAP_WORD != (uintptr_t)heap->top &&
	    end - HEAP_WORD < (uintptr_t)heap->top + HEAP_MIN_BLOCK)
		end += PAGE;
	return end < segment->end ? segment->end - end : 0;
}

static size_t trim_once(struct heap *heap, size_t keep)
{
	struct heap_segment *segment = heap->segment;
	struct heap_segment *older;
	size_t bytes;
	bool whole;

	if (!segment || !verify(heap, NULL, sound_record))
		return 0;
	bytes = releasable(heap, keep);
	if (bytes == 0 || (uintptr_t)heap->sbrk(0) != segment->end)
		return 0;
	whole = bytes == segment->end - segment->start;
	older = segment->older;
	if (whole && !verify(heap, NULL, sound_records))
		return 0;
	if (heap->sbrk(-(intptr_t)bytes) == HEAP_SBRK_FAILED)
		return 0;
	heap->given -= bytes;
	if (whole) {
		drop_segment(heap, older);
	} else {
		if ((uintptr_t)heap->top == segment->end - bytes - HEAP_WORD)
			heap->top = NULL;
		set_end(heap, segment->end - bytes);
	}
	return bytes;
}

size_t heap_trim(struct heap *heap, size_t keep)
{
	size_t total = 0, bytes;

	if (heap->top && !verify(heap, heap->top, sound_top))
		return 0;
	while ((bytes = trim_once(heap, keep)) > 0)
		total += bytes;
	return total;
}

/* Allocating and freeing */

void heap_init(struct heap *heap, heap_sbrk *sbrk)
{
	memset(heap, 0, sizeof(*heap));
	heap->sbrk = sbrk;
}

void heap_set_fault(struct heap *heap, heap_fault_hook *fault)
{
	heap->fault = fault;
}

/* [ top                    ]  becomes  [ used | top ], or [ used ] if too little is left. */
static struct heap_block *take_top(struct heap *heap, size_t size)
{
	struct heap_block *block = heap->top;
	size_t rest = block_size(block) - size;

	if (rest < HEAP_MIN_BLOCK) {
		heap->top = NULL;
		set_used(block, size + rest);
	} else {
		heap->top = block_at((uintptr_t)block + size);
		set_free(heap->top, rest);
		set_used(block, size);
	}
	return block;
}

/* [ listed                 ]  becomes  [ used | listed ], or [ used ] if too little is left. */
static struct heap_block *take_listed(struct heap *heap, struct heap_block *block, size_t size)
{
	size_t rest = block_size(block) - size;

	bin_remove(heap, block);
	if (rest < HEAP_MIN_BLOCK) {
		set_used(block, size + rest);
	} else {
		struct heap_block *tail = block_at((uintptr_t)block + size);

		set_free(tail, rest);
		set_used(block, size);
		bin_add(heap, tail);
	}
	return block;
}

static struct heap_block *take(struct heap *heap, size_t size)
{
	struct heap_block *block = find_fit(heap, size);

	if (block)
		return verify(heap, block, sound_listed) ? take_listed(heap, block, size) : NULL;
	if (heap->top && !verify(heap, heap->top, sound_top))
		return NULL;
	if ((!heap->top || block_size(heap->top) < size) && !grow(heap, size))
		return NULL;
	return take_top(heap, size);
}

void *heap_malloc(struct heap *heap, size_t size)
{
	size_t need = size_for(size);
	struct heap_block *block = need ? take(heap, need) : NULL;

	return block ? payload(block) : NULL;
}

/*
 * Gives back a block that has been verified:
 *
 *	[ used ][ this ][ used ]   ->  [ used ][    free    ]...
 *	[ free ][ this ][ used ]   ->  [      free          ]...
 *	[ used ][ this ][ free ]   ->  [ used ][    free            ]
 *	[ free ][ this ][ free ]   ->  [      free                  ]
 *
 * What then ends at the fence is the new top.
 */
static void release(struct heap *heap, struct heap_block *block)
{
	size_t size = block_size(block);
	struct heap_block *next = next_block(block);

	block->head &= ~IN_USE; /* also if this header is swallowed: it may be freed again */
	if (!prev_in_use(block)) {
		block = prev_block(block);
		size += block_size(block);
		bin_remove(heap, block);
	}
	if (!in_use(next)) {
		size += block_size(next);
		if (next != heap->top)
			bin_remove(heap, next);
	}
	set_free(block, size);
	if (next_block(block) == heap->fence)
		heap->top = block;
	else
		bin_add(heap, block);
	if (heap->top == block && size > HEAP_TRIM_AT)
		trim_once(heap, HEAP_GROW);
}

size_t heap_free(struct heap *heap, void *ptr)
{
	size_t size;

	if (!ptr || !verify(heap, block_of(ptr), sound_used))
		return 0;
	size = block_size(block_of(ptr));
	release(heap, block_of(ptr));
	return size - HEAP_WORD;
}

/* Cuts a block in use to @size bytes, if what is left over can be a block. */
static void cut(struct heap *heap, struct heap_block *block, size_t size)
{
	size_t rest = block_size(block) - size;
	struct heap_block *tail;

	if (rest < HEAP_MIN_BLOCK)
		return;
	block->head -= rest;
	tail = next_block(block);
	tail->head = rest | IN_USE | PREV_IN_USE;
	release(heap, tail);
}

void *heap_memalign(struct heap *heap, size_t align, size_t size)
{
	size_t need = size_for(size), lead;
	struct heap_block *block;
	uintptr_t ptr;

	if (align == 0 || (align & (align - 1)))
		return NULL;
	if (align <= HEAP_ALIGN)
		return heap_malloc(heap, size);
	if (!need || align > HEAP_MAX_REQUEST - HEAP_MIN_BLOCK ||
	    need > HEAP_MAX_REQUEST - HEAP_MIN_BLOCK - align)
		return NULL;
	block = take(heap, need + align + HEAP_MIN_BLOCK);
	if (!block)
		return NULL;
	/* [ lead | aligned payload ... ]: the lead is nothing, or can be a block of its own */
	ptr = align_up((uintptr_t)payload(block), align);
	if (ptr > (uintptr_t)payload(block) && ptr - (uintptr_t)payload(block) < HEAP_MIN_BLOCK)
		ptr += align;
	lead = ptr - (uintptr_t)payload(block);
	if (lead > 0) {
		block_of((void *)ptr)->head = (block_size(block) - lead) | IN_USE | PREV_IN_USE;
		block->head -= block_size(block) - lead;
		release(heap, block);
		block = block_of((void *)ptr);
	}
	cut(heap, block, need);
	return payload(block);
}

/* Lengthens a block in use by the free one behind it, if that is enough. */
static bool absorb_next(struct heap *heap, struct heap_block *block, size_t size)
{
	struct heap_block *next = next_block(block);
	size_t both = block_size(block) + block_size(next);

	if (in_use(next) || both < size)
		return false;
	if (next == heap->top)
		heap->top = NULL;
	else
		bin_remove(heap, next);
	set_used(block, both);
	cut(heap, block, size);
	return true;
}

/* Lengthens a block in use that ends at the top or the fence, by more memory from the hook. */
static bool absorb_growth(struct heap *heap, struct heap_block *block, size_t size)
{
	struct heap_block *next = next_block(block);

	if (next != heap->top && next != heap->fence)
		return false;
	return grow(heap, size - block_size(block)) && absorb_next(heap, block, size);
}

void *heap_realloc(struct heap *heap, void *ptr, size_t size)
{
	size_t need = size_for(size);
	struct heap_block *block = block_of(ptr);
	void *copy;

	if (!ptr)
		return heap_malloc(heap, size);
	if (!need || !verify(heap, block, sound_used))
		return NULL;
	if (need <= block_size(block)) {
		cut(heap, block, need);
		return ptr;
	}
	if (absorb_next(heap, block, need) || absorb_growth(heap, block, need))
		return ptr;
	copy = heap_malloc(heap, size);
	if (!copy)
		return NULL;
	memcpy(copy, ptr, block_size(block) - HEAP_WORD);
	release(heap, block);
	return copy;
}

size_t heap_usable_size(struct heap *heap, const void *ptr)
{
	if (!ptr || !verify(heap, block_of(ptr), sound_used))
		return 0;
	return block_size(block_of(ptr)) - HEAP_WORD;
}

/* Views */

static enum heap_piece_kind piece_kind(const struct heap *heap, const struct heap_block *block)
{
	if (in_use(block))
		return HEAP_PIECE_USED;
	return block == heap->top ? HEAP_PIECE_TOP : HEAP_PIECE_BINNED;
}

static bool show(heap_visitor *visit, void *context, enum heap_piece_kind kind, uintptr_t from,
		 uintptr_t to)
{
	const struct heap_piece piece = { kind, (const void *)from, to - from };

	return visit(context, &piece);
}

static bool walk_segment(const struct heap *heap, const struct heap_segment *segment,
			 heap_visitor *visit, void *context)
{
	const struct heap_block *block = first_block(segment), *fence = fence_of(segment);

	if (!show(visit, context, HEAP_PIECE_SEGMENT, segment->start, (uintptr_t)block))
		return false;
	while (block < fence) {
		size_t size = block_size(block);

		if (size < HEAP_MIN_BLOCK || size > (uintptr_t)fence - (uintptr_t)block)
			return false;
		if (!show(visit, context, piece_kind(heap, block), (uintptr_t)block,
			  (uintptr_t)block + size))
			return false;
		block = next_block(block);
	}
	return show(visit, context, HEAP_PIECE_FENCE, (uintptr_t)fence, segment->end);
}

bool heap_walk(const struct heap *heap, heap_visitor *visit, void *context)
{
	size_t budget = heap->high - heap->low;

	for (const struct heap_segment *s = heap->segment; s; s = s->older)
		if (!sound_segment(heap, s, &budget) || !walk_segment(heap, s, visit, context))
			return false;
	return true;
}

static bool count_piece(void *context, const struct heap_piece *piece)
{
	struct heap_stats *stats = context;

	stats->total += piece->size;
	switch (piece->kind) {
	case HEAP_PIECE_USED:
		stats->granted += piece->size - HEAP_WORD;
		stats->headers += HEAP_WORD;
		stats->granted_blocks++;
		stats->sizes[HEAP_WORD_BITS - 1 -
			     (size_t)__builtin_clzl(piece->size - HEAP_WORD)]++;
		return true;
	case HEAP_PIECE_BINNED:
		stats->binned += piece->size;
		stats->binned_blocks++;
		break;
	case HEAP_PIECE_TOP:
		stats->top = piece->size;
		break;
	case HEAP_PIECE_SEGMENT:
		stats->segments++;
		stats->bookkeeping += piece->size;
		return true;
	default:
		stats->bookkeeping += piece->size;
		return true;
	}
	if (piece->size > stats->largest_free)
		stats->largest_free = piece->size;
	return true;
}

/* @part of @whole, without an overflow and without a division of more than a word. */
static size_t thousandths(size_t part, size_t whole)
{
	return whole < 1000000 ? part * 1000 / whole : part / (whole / 1000);
}

void heap_stats(const struct heap *heap, struct heap_stats *stats)
{
	size_t free;

	memset(stats, 0, sizeof(*stats));
	heap_walk(heap, count_piece, stats);
	free = stats->binned + stats->top;
	stats->fragmentation = free > 0 ? thousandths(free - stats->largest_free, free) : 0;
	stats->peak = heap->peak;
}

size_t heap_count_bins(const struct heap *heap)
{
	size_t total = 0, budget = heap->high - heap->low;

	for (size_t bin = 0; bin < HEAP_BINS; bin++) {
		const struct heap_block *block = heap->bins[bin];

		for (; block; block = block->next) {
			if (!sound_link(heap, block) || block_size(block) < HEAP_MIN_BLOCK ||
			    total > budget)
				return total;
			total += block_size(block);
		}
	}
	return total;
}

/* One block in its place: length, flags, footer. @after_free: the one before it is free. */
static bool check_block(const struct heap *heap, const struct heap_block *block,
			const struct heap_block *fence, bool after_free, struct heap_fault *fault)
{
	if (!sound_length(heap, block, fault))
		return false;
	if (block_size(block) > (uintptr_t)fence - (uintptr_t)block)
		return report(fault, HEAP_FAULT_LENGTH, block, (uintptr_t)fence - (uintptr_t)block,
			      block->head);
	if (block->head & FLAGS & ~(IN_USE | PREV_IN_USE))
		return report(fault, HEAP_FAULT_LENGTH, block, IN_USE, block->head);
	/* What follows on a free block has been looked at together with that. */
	if (!after_free && !prev_in_use(block))
		return report(fault, HEAP_FAULT_NEXT, block, PREV_IN_USE, block->head);
	return in_use(block) || sound_neighbour(heap, block, fault);
}

static bool check_segment(const struct heap *heap, const struct heap_segment *segment,
			  size_t *listed, struct heap_fault *fault)
{
	const struct heap_block *block = first_block(segment), *fence = fence_of(segment);
	const struct heap_block *last = NULL; /* the last block seen, if free */

	for (; block < fence; block = next_block(block)) {
		if (!check_block(heap, block, fence, last != NULL, fault))
			return false;
		last = in_use(block) ? NULL : block;
		*listed += last && last != heap->top;
	}
	if (fence->head != (IN_USE | (last ? 0 : PREV_IN_USE)))
		return report(fault, HEAP_FAULT_NEXT, fence, IN_USE, fence->head);
	return true;
}

static bool check_bin(const struct heap *heap, size_t bin, size_t *listed, struct heap_fault *fault)
{
	const struct heap_block *block = heap->bins[bin];
	size_t word = heap->filled[bin / HEAP_WORD_BITS];
	bool bit = word >> bin % HEAP_WORD_BITS & 1;

	if (bit != (block != NULL) || (heap->summary >> bin / HEAP_WORD_BITS & 1) != (word != 0))
		return report(fault, HEAP_FAULT_BIN, block, bit, block != NULL);
	for (; block; block = block->next) {
		if (!sound_listed(heap, block, fault))
			return false;
		if (*listed == 0 || bin_index(block_size(block)) != bin)
			return report(fault, HEAP_FAULT_BIN, block, bin,
				      bin_index(block_size(block)));
		(*listed)--;
	}
	return true;
}

bool heap_check(const struct heap *heap, struct heap_fault *fault)
{
	size_t listed = 0, budget = heap->high - heap->low;
	struct heap_fault ignored;

	if (!fault)
		fault = &ignored;
	*fault = (struct heap_fault){ .kind = HEAP_SOUND };
	for (const struct heap_segment *s = heap->segment; s; s = s->older) {
		if (!sound_segment(heap, s, &budget))
			return report(fault, HEAP_FAULT_RANGE, s, heap->low, (size_t)s);
		if (!check_segment(heap, s, &listed, fault))
			return false;
	}
	for (size_t bin = 0; bin < HEAP_BINS; bin++)
		if (!check_bin(heap, bin, &listed, fault))
			return false;
	if (listed > 0)
		return report(fault, HEAP_FAULT_BIN, NULL, 0, listed);
	return true;
}
