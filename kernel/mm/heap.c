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
 * (Knuth's boundary tags). A free block is kept in one of four places:
 *
 *	quick list  Small blocks freed last wait in quick lists, one for each
 *		    length. Their neighbours take them for blocks in use, so
 *		    that freeing and taking one touches its header, the list,
 *		    and nothing else (Weinstock and Wulf, 1988). A list gets room
 *		    as it is needed, within a part of the heap, or of another list
 *		    if it has none. They are merged later, one at a time. Behind a
 *		    free block none waits: what is free grows together where it
 *		    has begun to.
 *	bin	    All others are merged with their free neighbours at once and
 *		    listed by length. A bitmap over the bins finds the next that
 *		    is not empty (TLSF: Masmano et al., ECRTS 2004). A bin of
 *		    small blocks holds one length; in those above, lengths
 *		    differ by up to a thirty-second, so the first block is tried
 *		    before the next bin is taken, where everything fits.
 *	remainder   What was left when a block was split for a small request, or
 *		    what has been merged since if it is hardly longer than small
 *		    ones, is carved up by the next small requests, which so lie
 *		    side by side (the "designated victim" of Lea's malloc). The
 *		    remainder before it goes to a bin. Where small and large blocks
 *		    take turns at the top, a large one leaves a gap before itself,
 *		    which is the remainder then: so large ones lie side by side too,
 *		    and grow together when they are freed.
 *	top	    The free block at the break is used last, and gives memory
 *		    back.
 *
 * A request takes the first of: its quick list; a block that just fits; the
 * remainder; the smallest bin that is large enough; the top; more memory.
 *
 * The fence is a header of length 0 that is always "in use": it ends walks and
 * merging. When the hook's memory does not follow on the last, the old top goes
 * into a bin, the fence stays, and a new segment begins.
 *
 * Checks: whatever is going to be followed or changed is looked at before, by
 * the sound_*() functions. They only say yes or no, since they are a good part
 * of the cost of a call; examine_*() then finds out what is wrong.
 *
 * Where this stops: memory in older segments is given back only when all newer
 * ones have been.
 */
#include "heap.h"

/* All that is needed of a C library. */
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);

#define IN_USE	    HEAP_IN_USE
#define PREV_IN_USE HEAP_PREV_IN_USE
#define CACHED	    HEAP_CACHED
#define FLAGS	    (HEAP_ALIGN - 1)

/* By how much a small block may be longer than the smallest: a multiple of HEAP_ALIGN. */
#define ABOVE ((size_t)(HEAP_CLASSES - 1) << HEAP_SHIFT)

/*
 * Whenever the top has moved up by this part of the heap, there is a round
 * through the quick lists: each small request that takes more of the top frees a
 * block of the next list, if that has one for which nothing has to be merged.
 */
#define DRAIN_PART 16

/* Contents slide down into the free block before if that takes about so many steps at most. */
#define SLIDE_STEPS 4

/* The lowest payload of a heap without segments: above all that may be one. */
#define NOWHERE UINTPTR_MAX

/* The hook's memory is asked for so that it ends at a multiple of this. */
#define PAGE ((size_t)4096)

#define unlikely(condition) __builtin_expect(!!(condition), 0)
#define INLINE		    inline __attribute__((always_inline))
#define SLOW		    __attribute__((noinline))	    /* kept out of the short paths */
#define COLD		    __attribute__((noinline, cold)) /* seldom called: small, not fast */

/*
 * Has gcc change words where they are, and read them when they are needed, instead of in registers
 * that have to be saved for it.
 */
#define barrier() __asm__ volatile("" : : : "memory")

/* Has gcc keep a value in a register, instead of working it out anew from parts that take two. */
static INLINE size_t once(size_t value)
{
	__asm__("" : "+r"(value));
	return value;
}

/* A block is known by where its payload is; its header lies before. This one is free. */
struct heap_block {
	struct heap_block *next;  /* in its bin */
	struct heap_block **prev; /* the link to this one: another's next, or the bin */
};

/* A segment without a block: record and fence. */
#define SEGMENT_BARE (sizeof(struct heap_segment) + HEAP_WORD)

/* The most a segment has beside its blocks: alignment, record, fence, a ragged end. */
#define SEGMENT_OVERHEAD (SEGMENT_BARE + 2 * HEAP_ALIGN)
#define SEGMENT_LEAST	 (SEGMENT_OVERHEAD + HEAP_MIN_BLOCK)

_Static_assert(sizeof(size_t) == sizeof(unsigned long), "bit operations are on unsigned long");
_Static_assert(sizeof(struct heap_segment) % HEAP_ALIGN == HEAP_WORD,
	       "the first payload must be aligned");
_Static_assert(HEAP_BIN_WORDS <= HEAP_WORD_BITS, "one summary word must do");
_Static_assert(HEAP_CLASSES == 64 && HEAP_BINS_PER_POWER == 32, "bin_for() reckons with them");
_Static_assert(HEAP_QUICK_BYTES >= HEAP_MAX_SMALL, "each quick list may have a place");
_Static_assert(HEAP_TRIM_AT - HEAP_GROW >= PAGE, "lower_break() has a page to give back");
_Static_assert(HEAP_MAX_REQUEST + 2 * HEAP_GROW + 2 * PAGE <= PTRDIFF_MAX,
	       "what the hook is asked for must be a difference of pointers");

const char *heap_fault_name(enum heap_fault_kind kind)
{
	static const char *const names[] = {
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

	return names[kind];
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

/* Length and flags. */
static size_t *header(const struct heap_block *block)
{
	return (size_t *)block - 1;
}

static size_t block_size(const struct heap_block *block)
{
	return *header(block) & ~FLAGS;
}

static bool in_use(const struct heap_block *block)
{
	return *header(block) & IN_USE;
}

static bool prev_in_use(const struct heap_block *block)
{
	return *header(block) & PREV_IN_USE;
}

/* What lies @size bytes behind the start of @block. */
static struct heap_block *after(const struct heap_block *block, size_t size)
{
	return (void *)((char *)block + size);
}

static struct heap_block *next_block(const struct heap_block *block)
{
	return after(block, block_size(block));
}

/* The length of the block before, from that block's last word; only if it is free. */
static size_t prev_size(const struct heap_block *block)
{
	return header(block)[-1];
}

static struct heap_block *prev_block(const struct heap_block *block)
{
	return (void *)((char *)block - prev_size(block));
}

static size_t top_size(const struct heap *heap)
{
	return (uintptr_t)heap->fence - (uintptr_t)heap->top;
}

/* Bytes of the block for a request, its header included; 0 if there can be none. */
static size_t size_for(size_t request)
{
	if (request > HEAP_MAX_REQUEST)
		return 0;
	if (request < HEAP_MIN_BLOCK - HEAP_WORD)
		return HEAP_MIN_BLOCK;
	return align_up(request + HEAP_WORD, HEAP_ALIGN);
}

/* Of a small length: 0, 1, 2, ...; of others HEAP_CLASSES or more. */
static size_t class_of(size_t size)
{
	return (size - HEAP_MIN_BLOCK) >> HEAP_SHIFT;
}

static size_t class_size(size_t class)
{
	return HEAP_MIN_BLOCK + (class << HEAP_SHIFT);
}

/* Writes both lengths of a free block. The one before it is in use: free ones are merged first. */
static void set_free(struct heap_block *block, size_t size)
{
	*header(block) = size | PREV_IN_USE;
	header(after(block, size))[-1] = size;
}

/* Makes a free block one in use, all of it. */
static void set_used(struct heap_block *block, size_t size)
{
	*header(block) = size | IN_USE | PREV_IN_USE;
	*header(after(block, size)) |= PREV_IN_USE;
}

/* The top begins at @block, or at the fence where there is none. */
static void set_top(struct heap *heap, struct heap_block *block)
{
	heap->top = block;
	*header(heap->fence) = IN_USE | PREV_IN_USE;
	if (block == heap->fence)
		return;
	*header(block) = top_size(heap) | PREV_IN_USE;
	*header(heap->fence) = IN_USE;
}

static void set_remainder(struct heap *heap, struct heap_block *block, size_t size)
{
	heap->remainder = block;
	heap->remainder_size = size;
}

/* Bins */

/* The bin of blocks of this length: its class, or the power of two and the five bits behind it. */
static INLINE size_t bin_for(size_t size)
{
	size_t units = size >> HEAP_SHIFT, shift;

	if (size <= HEAP_MAX_SMALL)
		return units - HEAP_MIN_BLOCK / HEAP_ALIGN;
	shift = HEAP_WORD_BITS - 1 - (size_t)__builtin_clzl(units) - 5;
	/* The first has 66 units and comes behind the last class: 32 * 1 + (66 >> 1) - 1. */
	return HEAP_BINS_PER_POWER * shift + (units >> shift) - 1;
}

/* This and bin_unlink() are in line in merge(), the longest way of all. */
static INLINE void bin_insert(struct heap *heap, struct heap_block *block, size_t size)
{
	size_t bin = bin_for(size);
	struct heap_block *first = heap->bins[bin];

	block->next = first;
	block->prev = &heap->bins[bin];
	heap->bins[bin] = block;
	if (first) {
		first->prev = &block->next;
		return;
	}
	heap->filled[bin / HEAP_WORD_BITS] |= (size_t)1 << bin % HEAP_WORD_BITS;
	heap->summary |= (size_t)1 << bin / HEAP_WORD_BITS;
}

static SLOW void bin_add(struct heap *heap, struct heap_block *block, size_t size)
{
	bin_insert(heap, block, size);
}

/* Whether a link is the start of a bin, and not in a block. */
static bool is_bin(const struct heap *heap, struct heap_block *const *link)
{
	return (uintptr_t)link - (uintptr_t)heap->bins < sizeof(heap->bins);
}

/* All bits but one: a rotation, as compilers see. */
static size_t all_but(size_t bit)
{
	return (size_t)-2 << bit % HEAP_WORD_BITS | (size_t)-2 >> -bit % HEAP_WORD_BITS;
}

static void bin_emptied(struct heap *heap, size_t bin)
{
	size_t word = heap->filled[bin / HEAP_WORD_BITS] & all_but(bin);

	heap->filled[bin / HEAP_WORD_BITS] = word;
	if (!word)
		heap->summary &= all_but(bin / HEAP_WORD_BITS);
}

static INLINE void bin_unlink(struct heap *heap, struct heap_block *block)
{
	struct heap_block *next = block->next, **prev = block->prev;

	*prev = next;
	if (next)
		next->prev = prev;
	else if (is_bin(heap, prev))
		bin_emptied(heap, (size_t)(prev - heap->bins));
}

/* The same with the first of a bin. */
static INLINE void take_first(struct heap *heap, struct heap_block *block, size_t bin)
{
	struct heap_block *next = block->next;

	heap->bins[bin] = next;
	if (next)
		next->prev = &heap->bins[bin];
	else
		bin_emptied(heap, bin);
}

static SLOW void bin_remove(struct heap *heap, struct heap_block *block)
{
	bin_unlink(heap, block);
}

/* Takes a free block that is not the top out of where it is kept. */
static COLD void detach(struct heap *heap, struct heap_block *block)
{
	if (block == heap->remainder)
		set_remainder(heap, NULL, 0);
	else
		bin_remove(heap, block);
}

/* Whether there is a bin from @bin on that is not empty; @bin becomes the first. */
static INLINE bool find_filled(const struct heap *heap, size_t *bin)
{
	size_t word = *bin / HEAP_WORD_BITS, words;
	size_t bits = heap->filled[word] & (size_t)-1 << *bin % HEAP_WORD_BITS;

	if (!bits) {
		barrier();
		/* The shift is by less than a word's bits: there are fewer words than that. */
		words = heap->summary & (size_t)-2 << word;
		if (!words)
			return false;
		word = (size_t)__builtin_ctzl(words);
		bits = heap->filled[word];
		if (!bits)
			return false;
	}
	*bin = word * HEAP_WORD_BITS + (size_t)__builtin_ctzl(bits);
	/* Only damage leaves the bit of a bin that is empty. */
	return heap->bins[*bin];
}

/* Checks */

/* n / HEAP_ALIGN; if @n is no multiple of that, more than any block or heap has. */
static size_t units(size_t n)
{
	return n >> HEAP_SHIFT | n << (HEAP_WORD_BITS - HEAP_SHIFT);
}

/* Whether there can be a payload at @ptr, that of a smallest block at least. */
static bool in_range(const struct heap *heap, const void *ptr)
{
	return units((uintptr_t)ptr - heap->low) < heap->span;
}

/* Whether so many bytes from a payload's start, and the header after them, are in the heap. */
static COLD bool ends_in_range(const struct heap *heap, const void *ptr, size_t size)
{
	return size - HEAP_MIN_BLOCK <= heap->high - HEAP_MIN_BLOCK - (uintptr_t)ptr;
}

/* What follows a block in its bin exists and points back. */
static INLINE bool linked_next(const struct heap *heap, const struct heap_block *block)
{
	const struct heap_block *next = block->next;

	return !next || (in_range(heap, next) && next->prev == &block->next);
}

/* So it does for the first of a bin, which hangs on that. */
static INLINE bool linked_first(const struct heap *heap, const struct heap_block *block, size_t bin)
{
	return block->prev == &heap->bins[bin] && linked_next(heap, block);
}

/* The same for any block in a bin; only the first one hangs on the bin. */
static INLINE bool linked(const struct heap *heap, const struct heap_block *block, size_t size)
{
	struct heap_block *const *prev = block->prev;

	if (!linked_next(heap, block))
		return false;
	if (is_bin(heap, prev))
		return !((uintptr_t)prev % HEAP_WORD) && *prev == block;
	return in_range(heap, prev) && *prev == block && heap->bins[bin_for(size)] != block;
}

/*
 * A free block of @size bytes: its two lengths, and the flags behind it, which are nothing
 * but IN_USE: less that they are 0.
 */
static bool sound_free(const struct heap_block *block, size_t size)
{
	return (*header(block) ^ size) == PREV_IN_USE && prev_size(after(block, size)) == size &&
	       !((*header(after(block, size)) - IN_USE) & (IN_USE | PREV_IN_USE));
}

/* The top block reaches up to the fence, and that is whole. */
static bool sound_top(const struct heap *heap)
{
	return (*header(heap->top) ^ top_size(heap)) == PREV_IN_USE &&
	       *header(heap->fence) == IN_USE;
}

/* A free block of @size bytes is in a bin, or is the remainder. */
static INLINE bool kept(const struct heap *heap, const struct heap_block *block, size_t size)
{
	return block == heap->remainder ? size == heap->remainder_size : linked(heap, block, size);
}

/* A block that is not the top, by what its header says, which may lead anywhere. */
static INLINE bool sound_listed(const struct heap *heap, const struct heap_block *block)
{
	size_t size = block_size(block);

	return size <= heap->high - (uintptr_t)block && sound_free(block, size) &&
	       kept(heap, block, size);
}

/* The block after @block, if it is free. */
static INLINE bool sound_next(const struct heap *heap, const struct heap_block *block)
{
	const struct heap_block *next = next_block(block);

	if (in_use(next))
		return true;
	return next == heap->top ? sound_top(heap) : sound_listed(heap, next);
}

/* The block before @block, which is in use, if it is free. */
static INLINE bool sound_prev(const struct heap *heap, const struct heap_block *block)
{
	size_t size = prev_size(block);

	return prev_in_use(block) || (size <= (uintptr_t)block - heap->low && !(size & FLAGS) &&
				      (*header(prev_block(block)) ^ size) == PREV_IN_USE &&
				      kept(heap, prev_block(block), size));
}

/* A block in use, by its header, which is within the heap. */
static INLINE bool sound_head(const struct heap *heap, const struct heap_block *block)
{
	/* With the flags of one in use nothing is borrowed from the length. */
	size_t head = *header(block) - (HEAP_MIN_BLOCK | IN_USE), above = head & ~FLAGS;

	return !(head & FLAGS & ~PREV_IN_USE) &&
	       above <= heap->high - HEAP_MIN_BLOCK - (uintptr_t)block &&
	       prev_in_use(after(block, above + HEAP_MIN_BLOCK));
}

/* A block in use, by its payload, which may be anywhere. */
static INLINE bool sound_used(const struct heap *heap, const void *ptr)
{
	return in_range(heap, ptr) && sound_head(heap, ptr);
}

/* A block in a quick list. */
static INLINE bool sound_cached(const struct heap_quick *quick, const struct heap_block *block)
{
	return (*header(block) & ~PREV_IN_USE) == quick->head;
}

/* What is wrong: the same conditions again, one by one */

typedef bool examine_test(const struct heap *heap, const struct heap_block *block,
			  struct heap_fault *fault);

static COLD bool report_at(struct heap_fault *fault, enum heap_fault_kind kind, const void *where,
			   size_t expected, size_t found)
{
	*fault = (struct heap_fault){ kind, where, expected, found, NULL, NULL };
	return false;
}

/* The same of a block, which is named by its header; NULL is none. */
static COLD bool report(struct heap_fault *fault, enum heap_fault_kind kind,
			const struct heap_block *block, size_t expected, size_t found)
{
	uintptr_t head = block ? (uintptr_t)block - HEAP_WORD : 0;

	return report_at(fault, kind, (const void *)head, expected, found);
}

/* Whether @block may be looked at and its length followed. */
static COLD bool examine_block(const struct heap *heap, const struct heap_block *block,
			       struct heap_fault *fault)
{
	uintptr_t ptr = (uintptr_t)block;

	if (ptr & (HEAP_ALIGN - 1))
		return report(fault, HEAP_FAULT_ALIGNMENT, block, ptr & ~(HEAP_ALIGN - 1), ptr);
	if (!in_range(heap, block))
		return report(fault, HEAP_FAULT_RANGE, block, heap->low, ptr);
	if (!ends_in_range(heap, block, block_size(block)))
		return report(fault, HEAP_FAULT_LENGTH, block, HEAP_MIN_BLOCK, *header(block));
	return true;
}

static COLD bool examine_free(const struct heap *heap, const struct heap_block *block,
			      struct heap_fault *fault)
{
	const struct heap_block *next;
	size_t size, kept;

	if (!examine_block(heap, block, fault))
		return false;
	size = kept = block_size(block);
	next = after(block, size);
	if (block == heap->top)
		kept = top_size(heap);
	else if (block == heap->remainder)
		kept = heap->remainder_size;
	if ((*header(block) & FLAGS) != PREV_IN_USE)
		return report(fault, HEAP_FAULT_NEXT, block, PREV_IN_USE, *header(block) & FLAGS);
	if (size != kept)
		return report(fault, HEAP_FAULT_LENGTH, block, kept, size);
	if (block != heap->top && prev_size(next) != size)
		return report(fault, HEAP_FAULT_FOOTER, block, size, prev_size(next));
	if ((*header(next) & (block == heap->top ? SIZE_MAX : IN_USE | PREV_IN_USE)) != IN_USE)
		return report(fault, HEAP_FAULT_NEXT, next, IN_USE, *header(next));
	if (block != heap->top && block != heap->remainder && !linked(heap, block, size))
		return report(fault, HEAP_FAULT_LINK, block, (size_t)block->next,
			      (size_t)block->prev);
	return true;
}

/* The free block before @block, which may be a fence. */
static COLD bool examine_prev(const struct heap *heap, const struct heap_block *block,
			      struct heap_fault *fault)
{
	size_t size = prev_size(block);

	if (size == 0 || size > (uintptr_t)block - heap->low || (size & FLAGS) ||
	    block_size(prev_block(block)) != size)
		return report(fault, HEAP_FAULT_FOOTER, block, size, *header(block));
	return examine_free(heap, prev_block(block), fault);
}

/* The free blocks on both sides: one of them it is. */
static COLD bool examine_beside(const struct heap *heap, const struct heap_block *block,
				struct heap_fault *fault)
{
	if (!in_use(next_block(block)) && !examine_free(heap, next_block(block), fault))
		return false;
	return examine_prev(heap, block, fault);
}

static COLD bool examine_used(const struct heap *heap, const struct heap_block *block,
			      struct heap_fault *fault)
{
	const struct heap_block *next;

	if (!examine_block(heap, block, fault))
		return false;
	next = next_block(block);
	if ((*header(block) & FLAGS & ~PREV_IN_USE) != IN_USE)
		return report(fault, HEAP_FAULT_NOT_USED, block, IN_USE, *header(block));
	return report(fault, HEAP_FAULT_NEXT, next, PREV_IN_USE, *header(next));
}

static COLD bool examine_cached(const struct heap *heap, const struct heap_block *block,
				struct heap_fault *fault)
{
	const struct heap_block *next;

	for (size_t i = 0; i < HEAP_CLASSES; i++) {
		const struct heap_quick *quick = &heap->quick[i];

		for (struct heap_block *const *at = &quick->block[1]; (uintptr_t)at < quick->next;
		     at++)
			if (*at == block && !sound_cached(quick, block))
				return report(fault, HEAP_FAULT_NOT_USED, block, quick->head,
					      *header(block));
	}
	next = next_block(block);
	if (!prev_in_use(next))
		return report(fault, HEAP_FAULT_NEXT, next, PREV_IN_USE, *header(next));
	return true;
}

static COLD bool examine_record(const struct heap *heap, const struct heap_block *block,
				struct heap_fault *fault)
{
	const struct heap_segment *segment = heap->segment;

	(void)block;
	return report_at(fault, HEAP_FAULT_RANGE, segment, (size_t)heap->fence, segment->end);
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

/*
 * Return: NULL, or 0: nothing was done. Who returns that at once needs no frame of its own, and has
 * a register more.
 */
static COLD void *violated(struct heap *heap, const struct heap_block *block, examine_test *examine)
{
	struct heap_fault fault;

	if (!heap->fault)	  /* not covered: nobody comes back from there to tell */
		__builtin_trap(); /* not covered: the same */
	report(&fault, HEAP_FAULT_BIN, block, 0, 0);
	examine(heap, block, &fault);
	heap_walk(heap, find_neighbours, &fault);
	heap->fault(heap, &fault);
	return NULL;
}

/* Segments */

static struct heap_block *first_block(const struct heap_segment *segment)
{
	return block_at((uintptr_t)segment + sizeof(*segment) + HEAP_WORD);
}

/* The fence of a segment that ends there. */
static struct heap_block *fence_at(uintptr_t end)
{
	return block_at(end & ~(HEAP_ALIGN - 1));
}

static struct heap_block *fence_of(const struct heap_segment *segment)
{
	return fence_at(segment->end);
}

static uintptr_t lower(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

static uintptr_t higher(uintptr_t a, uintptr_t b)
{
	return a > b ? a : b;
}

static INLINE void set_range(struct heap *heap, uintptr_t low, uintptr_t high)
{
	size_t n = (high - low) >> HEAP_SHIFT;

	heap->low = low;
	heap->high = high;
	heap->span = higher(n, 1) - 1; /* none has room in the last HEAP_ALIGN bytes */
	heap->quick_span = higher(n, HEAP_CLASSES) - HEAP_CLASSES;
}

/* The newest segment ends here, behind the top or a block in use. */
static INLINE void set_end(struct heap *heap, uintptr_t end)
{
	heap->segment->end = end;
	heap->fence = fence_of(heap->segment);
	set_top(heap, heap->top);
}

static INLINE void extend_segment(struct heap *heap, uintptr_t end)
{
	set_range(heap, heap->low, higher(heap->high, end));
	set_end(heap, end);
}

static INLINE void shorten_segment(struct heap *heap, uintptr_t end)
{
	set_range(heap, heap->low, higher(heap->older_high, end));
	set_end(heap, end);
}

/* The top goes into a bin. */
static INLINE void bin_top(struct heap *heap)
{
	size_t size = top_size(heap);

	if (size > 0) {
		set_free(heap->top, size);
		bin_insert(heap, heap->top, size);
	}
}

/* There is room for a block in it: less is not asked for. */
static INLINE void new_segment(struct heap *heap, uintptr_t start, uintptr_t end)
{
	struct heap_segment *segment = (struct heap_segment *)align_up(start, HEAP_ALIGN);

	*segment = (struct heap_segment){ heap->segment, start, end, heap->low, heap->high };
	heap->segment = segment;
	heap->older_high = heap->high;
	set_range(heap, lower(heap->low, (uintptr_t)first_block(segment)), higher(heap->high, end));
	heap->top = first_block(segment);
	heap->fence = fence_at(end);
	*header(heap->top) = top_size(heap) | PREV_IN_USE;
	*header(heap->fence) = IN_USE;
}

/* Whether a segment's record can be one; @budget bounds the sum of all segments. */
static COLD bool sound_segment(const struct heap *heap, const struct heap_segment *segment,
			       size_t *budget)
{
	uintptr_t ptr = (uintptr_t)first_block(segment);

	if ((ptr & (HEAP_ALIGN - 1)) || ptr < heap->low || ptr > heap->high ||
	    align_up(segment->start, HEAP_ALIGN) != (uintptr_t)segment ||
	    segment->end > heap->high || segment->end < ptr ||
	    segment->end - segment->start > *budget)
		return false;
	*budget -= segment->end - segment->start;
	return true;
}

/* Whether @low and @high are those of a segment and all older ones. */
static bool spans(const struct heap_segment *segment, uintptr_t low, uintptr_t high)
{
	uintptr_t first = (uintptr_t)first_block(segment), end = segment->end;

	if (low != lower(segment->low, first) || high != higher(segment->high, end))
		return false;
	return segment->older ? segment->low != NOWHERE
			      : segment->low == NOWHERE && segment->high == 0;
}

/* Whether the newest segment's record is one, and leads to another if to any. */
static COLD bool sound_record(const struct heap *heap)
{
	const struct heap_segment *segment = heap->segment, *older = segment->older;
	size_t budget = heap->given;

	if (!sound_segment(heap, segment, &budget) || fence_of(segment) != heap->fence ||
	    !spans(segment, heap->low, heap->high))
		return false;
	return !older ||
	       (sound_segment(heap, older, &budget) && spans(older, segment->low, segment->high));
}

/* Where the top is when the heap has become longer by its DRAIN_PART. */
static uintptr_t next_round(const struct heap *heap)
{
	return (uintptr_t)heap->top + ((uintptr_t)heap->top - heap->low) / DRAIN_PART;
}

/* The newest segment is @gone; the one before it is continued. */
static COLD void drop_segment(struct heap *heap, const struct heap_segment *gone)
{
	struct heap_segment *older = gone->older;
	struct heap_fault ignored;
	struct heap_block *top;

	set_range(heap, gone->low, gone->high);
	heap->segment = older;
	heap->older_high = older ? older->high : 0;
	heap->fence = heap->top = older ? fence_of(older) : NULL;
	if (!older)
		return;
	if (prev_in_use(heap->fence))
		return;
	if (HEAP_CHECKS && !examine_prev(heap, heap->fence, &ignored)) {
		violated(heap, heap->fence, examine_prev);
		return;
	}
	top = prev_block(heap->fence);
	detach(heap, top);
	set_top(heap, top);
}

/* The hook has given so much more, or less. */
static INLINE void count_given(struct heap *heap, size_t more)
{
	heap->given += more;
	heap->quick_limit = HEAP_QUICK_LEAST + heap->given / HEAP_QUICK_PART;
}

/* Memory from the hook, a little more than @least bytes if it can be had. */
static SLOW bool ask_hook(struct heap *heap, uintptr_t at, size_t least)
{
	size_t given = align_up(at + least + HEAP_GROW, PAGE) - at;
	uintptr_t start = (uintptr_t)heap->sbrk((intptr_t)given);

	if (start == (uintptr_t)HEAP_SBRK_FAILED) {
		given = align_up(at + least, PAGE) - at;
		start = (uintptr_t)heap->sbrk((intptr_t)given);
	}
	if (start == (uintptr_t)HEAP_SBRK_FAILED)
		return false;
	count_given(heap, given);
	if (heap->given > heap->peak)
		heap->peak = heap->given;
	if (heap->segment && heap->segment->end == start) {
		extend_segment(heap, start + given);
		return true;
	}
	bin_top(heap);
	new_segment(heap, start, start + given);
	return true;
}

/* Whether it looks as if the hook's memory, which ends at @end, will follow on the segment. */
static bool follows(const struct heap *heap, uintptr_t end)
{
	return end != (uintptr_t)HEAP_SBRK_FAILED && fence_at(end) == heap->fence;
}

/*
 * Then only what the top block is short of @size bytes is asked for. If it does not
 * follow, it becomes a segment all the same, and the top is that.
 */
static INLINE bool extend_top(struct heap *heap, uintptr_t end, size_t size)
{
	return ask_hook(heap, end, size - top_size(heap) + SEGMENT_LEAST);
}

/* Makes the top block at least @size bytes long, where it is or in a new segment. */
static INLINE bool grow(struct heap *heap, size_t size)
{
	uintptr_t end = (uintptr_t)heap->sbrk(0);

	if (end == (uintptr_t)HEAP_SBRK_FAILED)
		return false;
	if (follows(heap, end)) {
		if (!extend_top(heap, end, size))
			return false;
		if (top_size(heap) >= size)
			return true;
	}
	return ask_hook(heap, end, size + SEGMENT_LEAST);
}

/* Where a segment ends that has given so much of its end back: whole pages, and a step at most. */
static uintptr_t end_without(uintptr_t end, size_t bytes)
{
	return align_up(end - (bytes < HEAP_TRIM_STEP ? bytes : HEAP_TRIM_STEP), PAGE);
}

/*
 * Bytes that the newest segment can give back at once: all of it if nothing is
 * in it and nothing is to be kept, else whole pages, leaving no top block or one
 * that can be a block.
 */
static COLD size_t releasable(const struct heap *heap, size_t keep)
{
	const struct heap_segment *segment = heap->segment;
	size_t size = top_size(heap);
	uintptr_t end;

	if (keep == 0 && heap->top == first_block(segment) &&
	    segment->end - segment->start <= HEAP_TRIM_STEP)
		return segment->end - segment->start;
	if (size <= keep)
		return 0;
	if (keep > 0 && keep < HEAP_MIN_BLOCK)
		keep = HEAP_MIN_BLOCK;
	size -= keep;
	end = end_without(segment->end, size);
	if (end < segment->end && end != (uintptr_t)heap->top &&
	    end < (uintptr_t)heap->top + HEAP_MIN_BLOCK)
		end += PAGE;
	return end < segment->end ? segment->end - end : 0;
}

/* Has the hook take so much off the end of the newest segment. Return: whether it did. */
static INLINE bool return_to_hook(struct heap *heap, size_t bytes)
{
	if ((uintptr_t)heap->sbrk(0) != heap->segment->end ||
	    heap->sbrk(-(intptr_t)bytes) == HEAP_SBRK_FAILED)
		return false;
	count_given(heap, -bytes);
	return true;
}

/* A shorter heap has its next round sooner. */
static INLINE void advance_round(struct heap *heap)
{
	if (heap->drain_at > next_round(heap))
		heap->drain_at = next_round(heap);
}

static COLD size_t trim_once(struct heap *heap, size_t keep)
{
	struct heap_segment *segment = heap->segment, copy;
	size_t bytes;

	if (!segment)
		return 0;
	if (HEAP_CHECKS && !sound_record(heap))
		return (size_t)violated(heap, NULL, examine_record);
	if (HEAP_CHECKS && heap->top != heap->fence && !sound_top(heap))
		return (size_t)violated(heap, heap->top, examine_free);
	bytes = releasable(heap, keep);
	copy = *segment;
	if (bytes == 0 || !return_to_hook(heap, bytes))
		return 0;
	if (bytes == copy.end - copy.start)
		drop_segment(heap, &copy);
	else
		shorten_segment(heap, copy.end - bytes);
	advance_round(heap);
	return bytes;
}

/*
 * The same for a top that has just become longer than HEAP_TRIM_AT, which leaves
 * HEAP_GROW of it. Of the segment's record only the end is followed. Return: @freed,
 * for who has nothing else to do.
 */
static COLD size_t lower_break(struct heap *heap, size_t freed)
{
	size_t bytes = top_size(heap) - HEAP_GROW;
	uintptr_t end = heap->segment->end, low;

	if (HEAP_CHECKS && fence_of(heap->segment) != heap->fence) {
		violated(heap, NULL, examine_record);
		return freed;
	}
	low = end_without(end, bytes);
	if (return_to_hook(heap, end - low)) {
		shorten_segment(heap, low);
		advance_round(heap);
	}
	return freed;
}

/* Giving back */

/* A new free block becomes the remainder, or goes to a bin if it is too long for that. */
static INLINE void keep(struct heap *heap, struct heap_block *block, size_t size)
{
	if (size <= HEAP_REMAINDER_MOST) {
		struct heap_block *old = heap->remainder;
		size_t old_size = heap->remainder_size;

		set_remainder(heap, block, size);
		if (!old)
			return;
		block = old;
		size = old_size;
	}
	bin_insert(heap, block, size);
}

/*
 * Merges a block in use, or one from a quick list, with its free neighbours, which
 * are sound:
 *
 *	[ used ][ this ][ used ]   ->  [ used ][    free    ]...
 *	[ free ][ this ][ used ]   ->  [      free          ]...
 *	[ used ][ this ][ free ]   ->  [ used ][    free            ]
 *	[ free ][ this ][ free ]   ->  [      free                  ]
 *
 * What then ends at the fence is the new top, which gives memory back if it is
 * larger than trim_at; what holds the remainder is the new remainder. Return:
 * the block's size.
 */
static INLINE size_t join(struct heap *heap, struct heap_block *block)
{
	size_t freed = block_size(block), size;
	struct heap_block *next = after(block, freed);

	if (!prev_in_use(block)) {
		*header(block) = freed; /* not in use: it is swallowed, and may be freed again */
		block = prev_block(block);
		if (block != heap->remainder)
			bin_unlink(heap, block);
	}
	if (next == heap->top) {
		next = heap->fence;
	} else if (!in_use(next)) {
		if (next == heap->remainder)
			heap->remainder = block;
		else
			bin_unlink(heap, next);
		next = next_block(next);
	}
	barrier();
	size = (uintptr_t)next - (uintptr_t)block;
	*header(next) &= ~PREV_IN_USE;
	set_free(block, size);
	if (unlikely(next == heap->fence)) {
		heap->top = block;
		if (block == heap->remainder)
			set_remainder(heap, NULL, 0);
		if (size > heap->trim_at)
			return lower_break(heap, freed);
	} else if (block == heap->remainder) {
		heap->remainder_size = size;
	} else {
		barrier();
		keep(heap, block, size);
	}
	return freed;
}

/*
 * The same with neighbours that nobody has looked at. Return: 0 after a violation.
 *
 * This is the longest way of free by itself: two blocks verified (about 70 instructions
 * each), both taken out of their bins and the result put into one (60); or one verified,
 * and the break lowered (93). So it ends after at most 250 instructions, or 275 where a
 * list has been asked for room in vain before. malloc merges nothing but for a round; it
 * takes longest, up to 256, where a new segment begins. No part of either depends on how
 * much there is; docs/heap.md adds it up.
 */
static SLOW size_t merge(struct heap *heap, struct heap_block *block)
{
	if (HEAP_CHECKS && unlikely(!sound_next(heap, block) || !sound_prev(heap, block)))
		return (size_t)violated(heap, block, examine_beside);
	return join(heap, block);
}

/* The same where the neighbours are sound. */
static COLD void merge_sound(struct heap *heap, struct heap_block *block)
{
	join(heap, block);
}

/* The list of blocks so much longer than the smallest ones. */
static INLINE struct heap_quick *quick_for(struct heap *heap, size_t above)
{
	size_t offset = above * (sizeof(struct heap_quick) / HEAP_ALIGN);

	return (struct heap_quick *)once((uintptr_t)heap->quick + offset);
}

static bool is_empty(const struct heap_quick *quick)
{
	return quick->next == (uintptr_t)&quick->block[1];
}

/* The block in a quick list's first place; NULL after a violation. */
static COLD struct heap_block *first_waiting(const struct heap_quick *quick)
{
	struct heap_block *first = quick->block[1];

	if (HEAP_CHECKS && !(sound_cached(quick, first) && prev_in_use(next_block(first))))
		return violated(quick->heap, first, examine_cached);
	return first;
}

/* Takes it out. The one freed last comes into its place, where it is the last to be handed out. */
static void leave_first(struct heap_quick *quick)
{
	quick->next -= HEAP_WORD;
	quick->block[1] = *(struct heap_block **)quick->next;
}

/* Takes back the last place of a quick list, where nothing is. */
static COLD void take_room(struct heap_quick *quick)
{
	quick->heap->quick_room -= quick->size;
	quick->end -= HEAP_WORD;
}

/* Merges all that is in a quick list, and takes its room back. Return: false after a violation. */
static COLD bool flush(struct heap_quick *quick)
{
	while (!is_empty(quick)) {
		struct heap_block *first = first_waiting(quick);

		if (!first || !merge(quick->heap, first))
			return false;
		leave_first(quick);
	}
	while (quick->end != quick->next)
		take_room(quick);
	return true;
}

/*
 * Merges all that waits, and gives nothing back: somebody may be about to take it.
 * Return: whether anything was there; false after a violation.
 */
static COLD bool flush_all(struct heap *heap)
{
	bool any = false, sound = true;

	heap->trim_at = SIZE_MAX;
	for (size_t i = 0; sound && i < HEAP_CLASSES; i++) {
		any |= !is_empty(&heap->quick[i]);
		sound = flush(&heap->quick[i]);
	}
	heap->trim_at = HEAP_TRIM_AT;
	return any && sound;
}

/*
 * Merges the first block of a quick list, unless one of its neighbours is free: then it
 * waits on, since merging it would make this the longest call of all, and what this is
 * for is that memory that waits may serve other lengths. Return: false after a violation.
 */
static COLD bool release_first(struct heap_quick *quick, bool *released)
{
	struct heap_block *first = first_waiting(quick);

	if (!first)
		return false;
	*released = prev_in_use(first) && in_use(next_block(first));
	if (*released) {
		leave_first(quick);
		merge_sound(quick->heap, first);
	}
	return true;
}

/* The next step of a round through the quick lists. Return: false after a violation. */
static bool drain(struct heap *heap)
{
	struct heap_quick *quick = &heap->quick[heap->drain_class];
	bool released;

	heap->drain_class = (heap->drain_class + 1) % HEAP_CLASSES;
	if (heap->drain_class == 0)
		heap->drain_at = next_round(heap);
	/* The heap has become shorter. */
	if (heap->quick_room > heap->quick_limit && quick->next != quick->end) {
		take_room(quick);
		return true;
	}
	return is_empty(quick) || release_first(quick, &released);
}

/*
 * Room for a quick list that has none at all, where others have all that there may be: a
 * length that comes to be wanted late shall not stay without. The next of the others gives
 * up a place in which nothing is, or that of its first block, if that is no shorter and can
 * be merged. Whether it is enough is seen then. Return: false after a violation.
 */
static COLD bool borrow_room(const struct heap_quick *quick)
{
	struct heap *heap = quick->heap;
	struct heap_quick *lender = &heap->quick[heap->lender];
	bool empty = lender->next != lender->end;

	heap->lender = (heap->lender + 1) % HEAP_CLASSES;
	if (!empty && !is_empty(lender) && lender->size >= quick->size &&
	    heap->quick_room <= heap->quick_limit && !release_first(lender, &empty))
		return false;
	if (empty)
		take_room(lender);
	return true;
}

/* A block that is not to wait; its header can be read. */
static SLOW size_t free_block(struct heap *heap, struct heap_block *block)
{
	if (HEAP_CHECKS && unlikely(!sound_head(heap, block)))
		return (size_t)violated(heap, block, examine_used);
	return merge(heap, block);
}

/* NULL, or so close to the end of the heap that only a shorter block has room, or not in it. */
static COLD size_t free_elsewhere(struct heap *heap, void *ptr)
{
	if (!HEAP_CHECKS || !ptr)
		return 0;
	if (in_range(heap, ptr))
		return free_block(heap, ptr);
	return (size_t)violated(heap, ptr, examine_used);
}

/* Puts a small block into its quick list, which has room. */
static INLINE size_t have_wait(struct heap_quick *quick, struct heap_block *block)
{
	*(struct heap_block **)quick->next = block;
	barrier();
	*header(block) |= CACHED;
	quick->next += HEAP_WORD;
	return quick->size;
}

/* Room for a block more in a quick list that is full. Return: whether it got some. */
static INLINE bool get_room(struct heap_quick *quick)
{
	size_t room;

	barrier();
	room = quick->heap->quick_room + quick->size;
	if (room > quick->heap->quick_limit)
		return false;
	quick->heap->quick_room = room;
	quick->end += HEAP_WORD;
	return true;
}

/* The same in any quick list. */
static bool has_room(struct heap_quick *quick)
{
	return quick->next != quick->end || (quick->end != quick->last && get_room(quick));
}

/* A small block, whose quick list is full: it gets more room if it may, or the block is merged. */
static SLOW size_t free_to_full(struct heap_quick *quick, struct heap_block *block)
{
	if (get_room(quick))
		return have_wait(quick, block);
	if (quick->end == (uintptr_t)&quick->block[1]) {
		if (!borrow_room(quick))
			return 0;
		if (get_room(quick))
			return have_wait(quick, block);
	}
	return merge(quick->heap, block);
}

size_t heap_free(struct heap *heap, void *ptr)
{
	struct heap_block *block = ptr;
	struct heap_quick *quick;
	size_t above;

	if (HEAP_CHECKS ? units((uintptr_t)ptr - heap->low) >= heap->quick_span : !ptr)
		return free_elsewhere(heap, ptr);
	/* No length of a small block is left by any flags but those of one in use behind another. */
	above = once(*header(block) - (HEAP_MIN_BLOCK | IN_USE | PREV_IN_USE));
	if ((above & ~ABOVE) || (HEAP_CHECKS && !prev_in_use(after(block, above + HEAP_MIN_BLOCK))))
		return free_block(heap, block);
	quick = quick_for(heap, above);
	if (quick->next != quick->end)
		return have_wait(quick, block);
	/* A list mostly has all the room that it may have: then nothing else is read. */
	return quick->next == quick->last ? merge(quick->heap, block) : free_to_full(quick, block);
}

/* Allocating */

/* [ top               ]  becomes  [ used | top ], or [ used ] if too little is left. */
static INLINE void *cut_top(struct heap *heap, size_t size)
{
	struct heap_block *block = heap->top, *tail = after(block, size);
	size_t whole = top_size(heap), rest = whole - size;

	if (unlikely(rest < HEAP_MIN_BLOCK)) {
		set_used(block, whole);
		heap->top = heap->fence;
	} else {
		*header(block) = size | IN_USE | PREV_IN_USE;
		*header(tail) = rest | PREV_IN_USE;
		heap->top = tail;
	}
	return block;
}

/* The same, if the top is sound. */
static INLINE void *take_top(struct heap *heap, size_t size)
{
	if (HEAP_CHECKS && unlikely(!sound_top(heap)))
		return violated(heap, heap->top, examine_free);
	return cut_top(heap, size);
}

/* The same with the remainder. */
static INLINE void *take_remainder(struct heap *heap, size_t size)
{
	struct heap_block *block = heap->remainder, *tail = after(block, size);
	size_t whole = heap->remainder_size, rest = whole - size;

	if (HEAP_CHECKS && unlikely(!sound_free(block, whole)))
		return violated(heap, block, examine_free);
	if (unlikely(rest < HEAP_MIN_BLOCK)) {
		set_used(block, whole);
		set_remainder(heap, NULL, 0);
	} else {
		*header(block) = size | IN_USE | PREV_IN_USE;
		set_free(tail, rest);
		set_remainder(heap, tail, rest);
	}
	return block;
}

/*
 * The first block of a bin:
 *
 *	[ binned            ]  becomes  [ used | rest ], or [ used ]
 *
 * After a small request the rest is the new remainder, and the old one goes to a bin.
 */
static SLOW void *take_binned(struct heap *heap, size_t bin, size_t size)
{
	struct heap_block *block = heap->bins[bin], *tail = after(block, size);
	size_t whole = block_size(block), rest = whole - size;

	if (HEAP_CHECKS && unlikely(whole > heap->high - (uintptr_t)block ||
				    !sound_free(block, whole) || !linked_first(heap, block, bin)))
		return violated(heap, block, examine_free);
	take_first(heap, block, bin);
	if (rest < HEAP_MIN_BLOCK) {
		set_used(block, whole);
		return block;
	}
	*header(block) = size | IN_USE | PREV_IN_USE;
	set_free(tail, rest);
	if (size <= HEAP_MAX_SMALL) {
		struct heap_block *old = heap->remainder;
		size_t old_size = heap->remainder_size;

		set_remainder(heap, tail, rest);
		if (!old)
			return block;
		tail = old;
		rest = old_size;
	}
	bin_insert(heap, tail, rest);
	return block;
}

/* The first of a bin of small blocks, which just fit. */
static INLINE void *take_exact(struct heap *heap, struct heap_block *block, size_t class,
			       size_t size)
{
	if (HEAP_CHECKS && unlikely(!sound_free(block, size) || !linked_first(heap, block, class)))
		return violated(heap, block, examine_free);
	barrier();
	take_first(heap, block, class);
	set_used(block, size);
	return block;
}

static SLOW void *malloc_large(struct heap *heap, size_t size);

/*
 * Whether few small blocks were taken from the top since a large one was, and there is
 * room for a gap.
 */
static INLINE bool take_turns(const struct heap *heap, size_t size)
{
	return (uintptr_t)heap->top - heap->large_end - 1 < HEAP_GAP - 1 &&
	       top_size(heap) >= size + HEAP_GAP;
}

/* [ used           ]  becomes  [ free ][ used ]: so many bytes are as if they were freed. */
static INLINE struct heap_block *free_lead(struct heap *heap, struct heap_block *block, size_t lead)
{
	struct heap_block *rest = after(block, lead);

	*header(rest) = (block_size(block) - lead) | IN_USE | PREV_IN_USE;
	*header(block) = lead | (*header(block) & FLAGS);
	merge_sound(heap, block);
	return rest;
}

/*
 * [ top              ]  becomes  [ gap | used | top ]
 *
 * The gap is the new remainder: small blocks to come lie there, and not between large ones.
 */
static COLD void *take_behind_gap(struct heap *heap, size_t size)
{
	struct heap_block *block = take_top(heap, HEAP_GAP + size);

	if (!block)
		return NULL;
	heap->large_end = (uintptr_t)heap->top;
	return free_lead(heap, block, HEAP_GAP);
}

/*
 * A large block from the top, which may have to grow, or a small one for which it has to. The last
 * resort but for NULL: all that waits is merged.
 */
static SLOW void *take_last(struct heap *heap, size_t size)
{
	void *ptr;

	if (top_size(heap) < size) {
		if (!grow(heap, size))
			return flush_all(heap) ? malloc_large(heap, size) : NULL;
	} else if (take_turns(heap, size)) {
		return take_behind_gap(heap, size);
	}
	if (HEAP_CHECKS && unlikely(!sound_top(heap)))
		return violated(heap, heap->top, examine_free);
	ptr = cut_top(heap, size);
	heap->large_end = (uintptr_t)heap->top;
	return ptr;
}

/* The remainder again, for who has no need of more registers otherwise. */
static SLOW void *carve(struct heap *heap, size_t size)
{
	return take_remainder(heap, size);
}

/*
 * A block of any length, though small ones have a shorter way. Only the first of a bin is
 * looked at: bins are so narrow that a second would save next to nothing.
 */
static SLOW void *malloc_large(struct heap *heap, size_t size)
{
	size_t bin = bin_for(size);
	const struct heap_block *first = heap->bins[bin];

	if (first && *header(first) >= size &&
	    (heap->remainder_size < size || *header(first) < heap->remainder_size))
		return take_binned(heap, bin, size);
	if (heap->remainder_size >= size)
		return carve(heap, size);
	bin++;
	return find_filled(heap, &bin) ? take_binned(heap, bin, size) : take_last(heap, size);
}

/* A small block from the top, where a round is due. */
static COLD void *take_in_round(struct heap *heap, size_t size)
{
	return drain(heap) ? take_top(heap, size) : NULL;
}

/* A small block, where @last of its quick list is none, or not as it should be. */
static SLOW void *malloc_small(struct heap_quick *quick, struct heap_block *last)
{
	struct heap *heap = quick->heap;
	size_t size = quick->size, class = class_of(size), bin = class;
	struct heap_block *block;

	if (HEAP_CHECKS && unlikely(last != quick->block[0]))
		return violated(heap, last, examine_cached);
	block = heap->bins[class];
	if (block)
		return take_exact(heap, block, class, size);
	if (heap->remainder_size >= size)
		return take_remainder(heap, size);
	if (heap->summary && find_filled(heap, &bin))
		return take_binned(heap, bin, size);
	if (top_size(heap) < size)
		return take_last(heap, size);
	if ((uintptr_t)heap->top + size > heap->drain_at)
		return take_in_round(heap, size);
	return take_top(heap, size);
}

/* For a request of up to a word. */
static SLOW void *malloc_least(struct heap *heap)
{
	return heap_malloc(heap, HEAP_WORD + 1);
}

/* For one that is not small: size_for() without what only concerns shorter ones. */
static SLOW void *malloc_more(struct heap *heap, size_t size)
{
	if (size > HEAP_MAX_REQUEST)
		return NULL;
	return malloc_large(heap, align_up(size + HEAP_WORD, HEAP_ALIGN));
}

void *heap_malloc(struct heap *heap, size_t size)
{
	/* Requests up to a word wrap around: they look like large ones here. */
	size_t above = size - (HEAP_WORD + 1);
	struct heap_quick *quick;
	struct heap_block *block;

	if (unlikely(above > (ABOVE | FLAGS)))
		return size > HEAP_WORD ? malloc_more(heap, size) : malloc_least(heap);
	quick = quick_for(heap, above & ABOVE);
	block = ((struct heap_block **)quick->next)[-1];
	if (unlikely(!sound_cached(quick, block))) /* or there is none */
		return malloc_small(quick, block);
	barrier();
	*header(block) ^= CACHED;
	quick->next -= HEAP_WORD;
	return block;
}

/* Changing the size */

/* The length of a block and of the free one behind it. */
static size_t with_next(const struct heap_block *block)
{
	const struct heap_block *next = next_block(block);

	return block_size(block) + (in_use(next) ? 0 : block_size(next));
}

/*
 * [ in use ][ free? ]  becomes  [ in use: @size ][ free? ]: both together, @whole, are
 * enough. Return: the payload.
 */
static SLOW void *resize(struct heap *heap, struct heap_block *block, size_t whole, size_t size)
{
	struct heap_block *next = next_block(block);
	size_t rest = whole - size;
	void *ptr = block;
	bool remains;

	if (rest < HEAP_MIN_BLOCK)
		size = whole;
	*header(block) += size - block_size(block);
	if (next == heap->top) {
		set_top(heap, after(block, size));
		if (rest > HEAP_TRIM_AT)
			lower_break(heap, 0);
		return ptr;
	}
	remains = next == heap->remainder;
	if (!in_use(next) && !remains)
		bin_remove(heap, next);
	next = after(block, whole);
	if (rest < HEAP_MIN_BLOCK) {
		*header(next) |= PREV_IN_USE;
		block = NULL;
		rest = 0;
	} else {
		*header(next) &= ~PREV_IN_USE;
		block = after(block, size);
		set_free(block, rest);
	}
	if (remains)
		set_remainder(heap, block, rest);
	else if (block)
		bin_add(heap, block, rest);
	return ptr;
}

/* Whether sliding down into the free block before needs few calls of memcpy(), and gives enough. */
static bool can_slide(const struct heap_block *block, size_t size)
{
	if (size <= HEAP_MAX_SMALL || prev_in_use(block))
		return false;
	return prev_size(block) + with_next(block) >= size &&
	       prev_size(block) >= block_size(block) / SLIDE_STEPS;
}

/*
 * [ free ][ in use ]  becomes  [ in use          ], with the contents moved down
 * by steps of the free block's length, so that no step overlaps itself.
 */
static COLD struct heap_block *slide(struct heap *heap, struct heap_block *block)
{
	size_t step = prev_size(block), n = block_size(block) - HEAP_WORD;
	struct heap_block *to = prev_block(block);
	char *from = (char *)block;

	detach(heap, to);
	*header(to) = (step + block_size(block)) | IN_USE | PREV_IN_USE;
	*header(block) &= ~IN_USE; /* it is swallowed, and may be freed again */
	for (size_t done = 0; done < n; done += step)
		memcpy(from + done - step, from + done, n - done < step ? n - done : step);
	return to;
}

/*
 * As heap_free(), of a block that was verified with both its neighbours. malloc came
 * since: what it does to them keeps them sound.
 */
static INLINE void give_back(struct heap *heap, struct heap_block *block)
{
	size_t class = class_of(block_size(block));

	if (class < HEAP_CLASSES && prev_in_use(block) && has_room(&heap->quick[class]))
		have_wait(&heap->quick[class], block);
	else
		merge_sound(heap, block);
}

/* A block before the top, which is too short as well. Return: whether both are enough now. */
static INLINE bool grow_behind(struct heap *heap, const struct heap_block *block, size_t size)
{
	uintptr_t end = (uintptr_t)heap->sbrk(0);

	return follows(heap, end) && extend_top(heap, end, size - block_size(block)) &&
	       with_next(block) >= size;
}

/* Where a block and what is free behind it are too short. */
static INLINE void *move(struct heap *heap, struct heap_block *block, size_t size)
{
	void *copy;

	if (next_block(block) == heap->top && grow_behind(heap, block, size))
		return resize(heap, block, with_next(block), size);
	if (HEAP_CHECKS && unlikely(!sound_prev(heap, block)))
		return violated(heap, block, examine_prev);
	if (can_slide(block, size)) {
		block = slide(heap, block);
		return resize(heap, block, with_next(block), size);
	}
	copy = heap_malloc(heap, size - HEAP_WORD);
	if (!copy)
		return NULL;
	memcpy(copy, block, block_size(block) - HEAP_WORD);
	give_back(heap, block);
	return copy;
}

void *heap_realloc(struct heap *heap, void *ptr, size_t size)
{
	size_t need = size_for(size), have, whole;
	struct heap_block *block = ptr;

	if (!ptr)
		return heap_malloc(heap, size);
	if (need == 0)
		return NULL;
	if (HEAP_CHECKS && unlikely(!sound_used(heap, ptr)))
		return violated(heap, block, examine_used);
	have = block_size(block);
	if (have - need < HEAP_MIN_BLOCK)
		return ptr;
	barrier();
	if (HEAP_CHECKS && unlikely(!sound_next(heap, block)))
		return violated(heap, next_block(block), examine_free);
	whole = with_next(block);
	return whole < need ? move(heap, block, need) : resize(heap, block, whole, need);
}

COLD void *heap_memalign(struct heap *heap, size_t align, size_t size)
{
	size_t need = size_for(size), lead;
	struct heap_block *block;

	if (align == 0 || (align & (align - 1)))
		return NULL;
	if (align <= HEAP_ALIGN)
		return heap_malloc(heap, size);
	if (!need || align > HEAP_MAX_REQUEST - HEAP_MIN_BLOCK ||
	    need > HEAP_MAX_REQUEST - HEAP_MIN_BLOCK - align)
		return NULL;
	block = malloc_large(heap, need + align + HEAP_MIN_BLOCK);
	if (!block)
		return NULL;
	/* [ lead | aligned payload ... ]: the lead is nothing, or can be a block of its own */
	lead = -(uintptr_t)block & (align - 1);
	if (lead > 0 && lead < HEAP_MIN_BLOCK)
		lead += align;
	if (lead > 0)
		block = free_lead(heap, block, lead);
	if (block_size(block) - need >= HEAP_MIN_BLOCK)
		resize(heap, block, with_next(block), need);
	return block;
}

size_t heap_usable_size(struct heap *heap, const void *ptr)
{
	if (!ptr)
		return 0;
	if (HEAP_CHECKS && !sound_used(heap, ptr))
		return (size_t)violated(heap, ptr, examine_used);
	return block_size(ptr) - HEAP_WORD;
}

/* The heap as a whole */

/* How many blocks of a length may wait. */
static size_t most_waiting(size_t size)
{
	return HEAP_QUICK_BYTES / size < HEAP_QUICK_MOST ? HEAP_QUICK_BYTES / size
							 : HEAP_QUICK_MOST;
}

void heap_init(struct heap *heap, heap_sbrk *sbrk)
{
	memset(heap, 0, sizeof(*heap));
	heap->low = NOWHERE;
	heap->sbrk = sbrk;
	heap->trim_at = HEAP_TRIM_AT;
	count_given(heap, 0);
	for (size_t class = 0; class < HEAP_CLASSES; class ++) {
		struct heap_quick *quick = &heap->quick[class];
		size_t size = class_size(class);

		quick->heap = heap;
		quick->size = size;
		quick->head = size | IN_USE | CACHED;
		quick->block[0] = block_at((uintptr_t)(&quick->size + 1));
		quick->next = quick->end = (uintptr_t)&quick->block[1];
		quick->last = (uintptr_t)&quick->block[1 + most_waiting(size)];
	}
}

void heap_set_fault(struct heap *heap, heap_fault_hook *fault)
{
	heap->fault = fault;
}

COLD size_t heap_trim(struct heap *heap, size_t keep)
{
	size_t total = 0, bytes;

	flush_all(heap);
	if (heap_count_cached(heap) > 0)
		return 0; /* after a violation */
	while ((bytes = trim_once(heap, keep)) > 0)
		total += bytes;
	return total;
}

/* Views */

static enum heap_piece_kind piece_kind(const struct heap *heap, const struct heap_block *block)
{
	if (in_use(block))
		return *header(block) & CACHED ? HEAP_PIECE_CACHED : HEAP_PIECE_USED;
	return block == heap->top ? HEAP_PIECE_TOP : HEAP_PIECE_BINNED;
}

static COLD bool show(heap_visitor *visit, void *context, enum heap_piece_kind kind,
		      const void *from, uintptr_t to)
{
	const struct heap_piece piece = { kind, from, to - (uintptr_t)from };

	return visit(context, &piece);
}

static COLD bool walk_segment(const struct heap *heap, const struct heap_segment *segment,
			      heap_visitor *visit, void *context)
{
	const struct heap_block *block = first_block(segment), *fence = fence_of(segment);

	if (!show(visit, context, HEAP_PIECE_SEGMENT, (const void *)segment->start,
		  (uintptr_t)header(block)))
		return false;
	for (; block < fence; block = next_block(block)) {
		size_t size = block_size(block);

		if (size < HEAP_MIN_BLOCK || size > (uintptr_t)fence - (uintptr_t)block ||
		    !show(visit, context, piece_kind(heap, block), header(block),
			  (uintptr_t)header(block) + size))
			return false;
	}
	return show(visit, context, HEAP_PIECE_FENCE, header(fence), segment->end);
}

COLD bool heap_walk(const struct heap *heap, heap_visitor *visit, void *context)
{
	size_t budget = heap->given;

	for (const struct heap_segment *s = heap->segment; s; s = s->older)
		if (!sound_segment(heap, s, &budget) || !walk_segment(heap, s, visit, context))
			return false;
	return true;
}

static COLD bool count_piece(void *context, const struct heap_piece *piece)
{
	struct heap_stats *stats = context;
	size_t granted = piece->size - HEAP_WORD;

	stats->total += piece->size;
	switch (piece->kind) {
	case HEAP_PIECE_USED:
		stats->granted += granted;
		stats->headers += HEAP_WORD;
		stats->granted_blocks++;
		stats->sizes[HEAP_WORD_BITS - 1 - (size_t)__builtin_clzl(granted)]++;
		return true;
	case HEAP_PIECE_CACHED:
		stats->cached += piece->size;
		stats->cached_blocks++;
		return true;
	case HEAP_PIECE_BINNED:
		stats->binned += piece->size;
		stats->binned_blocks++;
		break;
	case HEAP_PIECE_TOP:
		stats->top = piece->size;
		break;
	default:
		stats->segments += piece->kind == HEAP_PIECE_SEGMENT;
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

COLD void heap_stats(const struct heap *heap, struct heap_stats *stats)
{
	size_t free;

	memset(stats, 0, sizeof(*stats));
	heap_walk(heap, count_piece, stats);
	free = stats->binned + stats->top;
	stats->fragmentation = free > 0 ? thousandths(free - stats->largest_free, free) : 0;
	stats->peak = heap->peak;
}

static COLD bool walk_quick(const struct heap *heap, heap_list_visitor *visit, void *context)
{
	for (size_t i = 0; i < HEAP_CLASSES; i++) {
		const struct heap_quick *quick = &heap->quick[i];

		for (struct heap_block *const *at = &quick->block[1]; (uintptr_t)at < quick->next;
		     at++) {
			const struct heap_listed listed = { HEAP_LIST_QUICK, i, header(*at),
							    quick->size };

			if (!visit(context, &listed))
				return false;
		}
	}
	return true;
}

/* A bin that is a ring ends when it has more bytes than the heap. */
static COLD bool walk_bin(const struct heap *heap, size_t bin, heap_list_visitor *visit,
			  void *context)
{
	size_t budget = heap->high - heap->low;

	for (const struct heap_block *block = heap->bins[bin]; block; block = block->next) {
		struct heap_listed listed = { HEAP_LIST_BIN, bin, header(block), 0 };

		if (!in_range(heap, block))
			return false;
		listed.size = block_size(block);
		if (listed.size < HEAP_MIN_BLOCK || listed.size > budget ||
		    !visit(context, &listed))
			return false;
		budget -= listed.size;
	}
	return true;
}

static COLD bool show_remainder(const struct heap *heap, heap_list_visitor *visit, void *context)
{
	const struct heap_listed listed = { HEAP_LIST_REMAINDER, 0, header(heap->remainder),
					    heap->remainder_size };

	return visit(context, &listed);
}

COLD bool heap_walk_lists(const struct heap *heap, heap_list_visitor *visit, void *context)
{
	if (!walk_quick(heap, visit, context) ||
	    (heap->remainder && !show_remainder(heap, visit, context)))
		return false;
	for (size_t bin = 0; bin < HEAP_BINS; bin++)
		if (!walk_bin(heap, bin, visit, context))
			return false;
	return true;
}

/* bin_for(), backwards. */
COLD size_t heap_bin_size(size_t bin)
{
	size_t above = bin - HEAP_CLASSES + 1, size;

	if (bin < HEAP_CLASSES)
		return class_size(bin);
	size = HEAP_BINS_PER_POWER + above % HEAP_BINS_PER_POWER;
	return size << (above / HEAP_BINS_PER_POWER + HEAP_CLASS_BITS - 5 + HEAP_SHIFT);
}

static COLD bool count_binned(void *context, const struct heap_listed *listed)
{
	*(size_t *)context += listed->list == HEAP_LIST_QUICK ? 0 : listed->size;
	return true;
}

COLD size_t heap_count_bins(const struct heap *heap)
{
	size_t total = 0;

	heap_walk_lists(heap, count_binned, &total);
	return total;
}

COLD size_t heap_count_cached(const struct heap *heap)
{
	size_t total = 0;

	for (size_t i = 0; i < HEAP_CLASSES; i++) {
		const struct heap_quick *quick = &heap->quick[i];

		total += (quick->next - (uintptr_t)&quick->block[1]) / HEAP_WORD * quick->size;
	}
	return total;
}

/* One block in its place: length, flags, footer. @after_free: the one before it is free. */
static COLD bool check_block(const struct heap *heap, const struct heap_block *block,
			     const struct heap_block *fence, bool after_free,
			     struct heap_fault *fault)
{
	size_t room = (uintptr_t)fence - (uintptr_t)block;

	if (!examine_block(heap, block, fault))
		return false;
	if (block_size(block) > room)
		return report(fault, HEAP_FAULT_LENGTH, block, room, *header(block));
	if (*header(block) & FLAGS & ~(IN_USE | PREV_IN_USE | (in_use(block) ? CACHED : 0)))
		return report(fault, HEAP_FAULT_LENGTH, block, IN_USE, *header(block));
	/* What follows on a free block has been looked at together with that. */
	if (!after_free && !prev_in_use(block))
		return report(fault, HEAP_FAULT_NEXT, block, PREV_IN_USE, *header(block));
	return in_use(block) || examine_free(heap, block, fault);
}

/* What the walk of all blocks found in bins and in quick lists, to be found there again; and how
 * often it came by the remainder. */
struct heap_census {
	size_t binned, cached, remainders;
};

static COLD bool check_segment(const struct heap *heap, const struct heap_segment *segment,
			       struct heap_census *census, struct heap_fault *fault)
{
	const struct heap_block *block = first_block(segment), *fence = fence_of(segment);
	const struct heap_block *last = NULL; /* the last block seen, if free */

	for (; block < fence; block = next_block(block)) {
		if (!check_block(heap, block, fence, last != NULL, fault))
			return false;
		last = in_use(block) ? NULL : block;
		census->remainders += last && last == heap->remainder;
		census->binned += last && last != heap->top && last != heap->remainder;
		census->cached += (*header(block) & CACHED) > 0;
	}
	if (*header(fence) != (IN_USE | (last ? 0 : PREV_IN_USE)))
		return report(fault, HEAP_FAULT_NEXT, fence, IN_USE, *header(fence));
	return true;
}

static COLD bool check_bin(const struct heap *heap, size_t bin, struct heap_census *census,
			   struct heap_fault *fault)
{
	const struct heap_block *block = heap->bins[bin];
	size_t word = heap->filled[bin / HEAP_WORD_BITS];
	bool bit = word >> bin % HEAP_WORD_BITS & 1;

	if (bit != (block != NULL) || (heap->summary >> bin / HEAP_WORD_BITS & 1) != (word != 0))
		return report(fault, HEAP_FAULT_BIN, block, bit, block != NULL);
	for (; block; block = block->next) {
		if (!examine_free(heap, block, fault))
			return false;
		if (census->binned == 0 || bin_for(block_size(block)) != bin)
			return report(fault, HEAP_FAULT_BIN, block, bin,
				      bin_for(block_size(block)));
		census->binned--;
	}
	return true;
}

static COLD bool check_quick(const struct heap *heap, const struct heap_quick *quick,
			     struct heap_census *census, struct heap_fault *fault)
{
	for (struct heap_block *const *at = &quick->block[1]; (uintptr_t)at < quick->next; at++) {
		if (!in_range(heap, *at))
			return report(fault, HEAP_FAULT_RANGE, *at, heap->low, (size_t)*at);
		if (!examine_cached(heap, *at, fault))
			return false;
		if (census->cached == 0)
			return report(fault, HEAP_FAULT_BIN, *at, 0, quick->size);
		census->cached--;
	}
	return true;
}

COLD bool heap_check(const struct heap *heap, struct heap_fault *fault)
{
	struct heap_census census = { 0, 0, 0 };
	size_t budget = heap->given;
	uintptr_t low = heap->low, high = heap->high;
	struct heap_fault ignored;

	if (!fault)
		fault = &ignored;
	report(fault, HEAP_SOUND, NULL, 0, 0);
	for (const struct heap_segment *s = heap->segment; s; s = s->older) {
		if (!sound_segment(heap, s, &budget) || !spans(s, low, high))
			return report_at(fault, HEAP_FAULT_RANGE, s, heap->low, (size_t)s);
		if (!check_segment(heap, s, &census, fault))
			return false;
		low = s->low;
		high = s->high;
	}
	for (size_t bin = 0; bin < HEAP_BINS; bin++)
		if (!check_bin(heap, bin, &census, fault))
			return false;
	for (size_t i = 0; i < HEAP_CLASSES; i++)
		if (!check_quick(heap, &heap->quick[i], &census, fault))
			return false;
	if (heap->remainder && census.remainders == 0)
		return report(fault, HEAP_FAULT_BIN, heap->remainder, 1, 0);
	if (census.binned != 0 || census.cached != 0)
		return report(fault, HEAP_FAULT_BIN, NULL, census.binned, census.cached);
	return true;
}
