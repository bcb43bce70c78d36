/* SPDX-License-Identifier: MIT */
/*
 * A heap over anything that has the meaning of sbrk().
 *
 * These two files need nothing but a freestanding compiler, memcpy() and
 * memset(). To use them elsewhere: copy them, write one hook, call heap_init().
 *
 *	      one word
 *	     +--------+-------------------------------------+
 *	used | length | payload ...                         |   the length of the block
 *	     +--------+-------------------------------------+   lies at ptr - 1
 *	              ^ ptr
 *	     +--------+------+------+---------------+--------+
 *	free | length | next | prev |  untouched    | length |
 *	     +--------+------+------+---------------+--------+
 *
 * next leads to the payload of the next block in the list, prev to the link that
 * leads here: the next of the block before, or the start of the list. The heap
 * knows all its blocks by their payloads; who looks at it is told where their
 * headers are.
 *
 * Everything is in bytes. A block's length counts its header and is a multiple
 * of HEAP_ALIGN; the low bits of the header say whether the block is in use
 * and whether the one before it is. The overhead of a block in use is one
 * word, the smallest block has four. Payloads are aligned to HEAP_ALIGN
 * whatever their size: 8 bytes where a word has 4, 16 where it has 8.
 *
 * Nothing here locks. Calls for one heap must not overlap; calls for
 * different heaps may.
 */
#ifndef KERNEL_MM_HEAP_H
#define KERNEL_MM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Integrity checks, for a whole build: 1 unless the build says -DHEAP_CHECKS=0. */
#ifndef HEAP_CHECKS
#define HEAP_CHECKS 1
#endif

#define HEAP_WORD      sizeof(size_t)
#define HEAP_ALIGN     (2 * HEAP_WORD)
#define HEAP_MIN_BLOCK (4 * HEAP_WORD)

/* The largest request: with all that is added to it, a difference of pointers must span it. */
#define HEAP_MAX_REQUEST ((size_t)PTRDIFF_MAX - 256 * 1024)

/* How much more than needed the heap takes from its hook at a time, if it can have it. */
#define HEAP_GROW ((size_t)64 * 1024)

/* A top block larger than this gives memory back, down to HEAP_GROW. */
#define HEAP_TRIM_AT (2 * HEAP_GROW)

/* The most that one call other than heap_trim() gives back: 64 pages. */
#define HEAP_TRIM_STEP ((size_t)64 * 4096)

/* Small blocks have one of the HEAP_CLASSES smallest lengths: up to 520 bytes, or 1,040. */
#define HEAP_CLASS_BITS 6
#define HEAP_CLASSES	(1 << HEAP_CLASS_BITS)
#define HEAP_SHIFT	(HEAP_WORD == 4 ? 3 : 4) /* HEAP_ALIGN is 2 to the power of it */
#define HEAP_MAX_SMALL	(HEAP_MIN_BLOCK + (HEAP_CLASSES - 1) * HEAP_ALIGN)

/* The low bits of a header. The others below HEAP_ALIGN are 0. */
#define HEAP_IN_USE	 ((size_t)1)
#define HEAP_PREV_IN_USE ((size_t)2) /* the block before is */
#define HEAP_CACHED	 ((size_t)4) /* in a quick list, and in use for its neighbours */

/*
 * A quick list that is full when a block is freed gets room for another, up to so many
 * blocks and bytes, as long as all the room that the lists have got is no more than so
 * many bytes, and this part of what the hook has given. Then one that has no room at all
 * gets some of another.
 */
#define HEAP_QUICK_MOST	 25 /* struct heap_quick is 32 words then */
#define HEAP_QUICK_BYTES (240 * HEAP_WORD)
#define HEAP_QUICK_LEAST (160 * HEAP_WORD)
#define HEAP_QUICK_PART	 448

/* What a large block from the top leaves before it for small ones to come, if they take turns. */
#define HEAP_GAP (128 * HEAP_WORD)

/* Of what is merged, blocks up to this length become the remainder. */
#define HEAP_REMAINDER_MOST (HEAP_MAX_SMALL + 2 * HEAP_ALIGN)

/* Bins of free blocks: one for each small length, then 32 for each power of two. */
#define HEAP_BINS_PER_POWER 32
#define HEAP_WORD_BITS	    (HEAP_WORD * 8)
#define HEAP_BINS                                                                                  \
	(HEAP_CLASSES - 1 + HEAP_BINS_PER_POWER * (HEAP_WORD_BITS - HEAP_SHIFT - HEAP_CLASS_BITS))
#define HEAP_BIN_WORDS ((HEAP_BINS + HEAP_WORD_BITS - 1) / HEAP_WORD_BITS)

struct heap;
struct heap_block;

/**
 * heap_sbrk - the hook a heap grows and shrinks by
 * @increment: bytes to move the end of memory by; negative gives back, 0 asks
 *
 * As sbrk(2): returns where the end was before, HEAP_SBRK_FAILED if it cannot
 * be moved, and then nothing has changed. New memory may hold anything. It need
 * not follow on what was given before: someone else may move the break too, or
 * it may come from several regions.
 */
typedef void *heap_sbrk(intptr_t increment);
#define HEAP_SBRK_FAILED ((void *)-1)

/* What can be wrong with a heap, or with a pointer given to it. */
enum heap_fault_kind {
	HEAP_SOUND,
	HEAP_FAULT_ALIGNMENT, /* the pointer is no multiple of HEAP_ALIGN */
	HEAP_FAULT_RANGE,     /* the block lies outside of the heap */
	HEAP_FAULT_NOT_USED,  /* the block is free: freed twice, or never handed out */
	HEAP_FAULT_LENGTH,    /* the header holds an impossible length */
	HEAP_FAULT_NEXT,      /* the block after it disagrees about who is in use */
	HEAP_FAULT_FOOTER,    /* a free block's two lengths disagree */
	HEAP_FAULT_LINK,      /* a free block's neighbours in its list do not point back */
	HEAP_FAULT_BIN,	      /* lists, bitmaps and blocks disagree */
};

/**
 * struct heap_fault - a violation
 * @kind: what is wrong
 * @block: the block concerned, by the address of its header
 * @expected: one of the two words that disagree
 * @found: the other
 * @before: the block before it, NULL if none can be followed to there
 * @after: the block after it, likewise
 */
struct heap_fault {
	enum heap_fault_kind kind;
	const void *block;
	size_t expected, found;
	const void *before, *after;
};

typedef void heap_fault_hook(struct heap *heap, const struct heap_fault *fault);

/**
 * struct heap_segment - a stretch of memory from the hook, at its first multiple of HEAP_ALIGN
 * @older: the segment before it, NULL if it is the first
 * @start: as the hook gave it
 * @end: likewise; the last word before its last multiple of HEAP_ALIGN is the fence
 * @low: as in struct heap, of all older segments
 * @high: likewise
 *
 * The first block follows. This has an odd number of words, so that its payload is aligned.
 */
struct heap_segment {
	struct heap_segment *older;
	uintptr_t start, end;
	uintptr_t low, high;
};

/**
 * struct heap_quick - a quick list: blocks of one small length, freed and not merged yet
 * @next: address of the place in @block behind the one freed last
 * @end: the same if there is no more room
 * @last: what @end may become
 * @head: what the headers of the blocks hold, but for the bit about the one before
 * @size: their length
 * @heap: whose it is
 * @block: they are here from 1 on; at 0 the end of @size, a header unlike @head
 */
struct heap_quick {
	uintptr_t next, end, last;
	size_t head, size;
	struct heap *heap;
	struct heap_block *block[1 + HEAP_QUICK_MOST];
};

/**
 * struct heap - one heap; its fields are its own, and it must stay where it is
 * @bins: the lists of free blocks
 * @filled: bit for each of them that is not empty
 * @quick: the quick lists
 * @low: the lowest payload that there can be
 * @high: where the highest segment ends
 * @older_high: the same of those before the newest, 0 if there are none
 * @span: at how many places from @low on, HEAP_ALIGN apart, a smallest block's payload has room
 * @quick_span: at how many the largest small block's has
 * @summary: bit for each word of @filled that is not 0
 * @remainder: the free block that small requests carve up, in no bin; NULL if there is none
 * @remainder_size: its length, or 0
 * @quick_room: bytes of the blocks that quick lists have got room for
 * @quick_limit: the most that this may become
 * @top: the free block that ends at @fence, in no bin; @fence if there is none
 * @fence: the block that ends the newest segment: a header of length 0, and nothing behind it
 * @large_end: where the top began when a large block, or one it had to grow for, had been taken
 * @trim_at: a top that merging makes longer than this gives memory back
 * @drain_at: where the top begins when the quick lists are merged the next time
 * @drain_class: the quick list whose turn it is then
 * @lender: the one that gives a place next, if it can, to a list that has none
 * @segment: the newest stretch of memory from the hook; they are chained
 * @sbrk: the hook
 * @fault: called for violations; NULL stops the machine
 * @given: bytes the hook has given and not taken back
 * @peak: the most that ever was
 */
struct heap {
	struct heap_block *bins[HEAP_BINS];
	size_t filled[HEAP_BIN_WORDS];
	struct heap_quick quick[HEAP_CLASSES];
	uintptr_t low, high, older_high;
	size_t span, quick_span;
	size_t summary;
	struct heap_block *remainder;
	size_t remainder_size;
	size_t quick_room, quick_limit;
	struct heap_block *top, *fence;
	uintptr_t large_end;
	size_t trim_at;
	uintptr_t drain_at;
	size_t drain_class, lender;
	struct heap_segment *segment;
	heap_sbrk *sbrk;
	heap_fault_hook *fault;
	size_t given, peak;
};

/**
 * heap_init() - an empty heap
 * @heap: receives it; whatever it held is forgotten
 * @sbrk: the hook; not called before the first allocation
 */
void heap_init(struct heap *heap, heap_sbrk *sbrk);

/* Have @fault called for violations, instead of stopping the machine by an invalid instruction. */
void heap_set_fault(struct heap *heap, heap_fault_hook *fault);

/**
 * heap_malloc() - allocate
 * @size: bytes; 0 gives a block of its own too
 *
 * The contents are arbitrary. O(1), but for the hook.
 *
 * Return: a multiple of HEAP_ALIGN; NULL if @size is beyond HEAP_MAX_REQUEST,
 * if the hook gives no more, or after a violation. Then no block has changed;
 * what a hook with scattered memory gave in vain is kept as free memory.
 */
void *heap_malloc(struct heap *heap, size_t size);

/**
 * heap_memalign() - allocate at a multiple of @align
 * @align: a power of two
 *
 * O(1), but for the hook; free it as any other.
 *
 * Return: as heap_malloc(); also NULL if @align is no power of two.
 */
void *heap_memalign(struct heap *heap, size_t align, size_t size);

/**
 * heap_realloc() - change the size of an allocation
 * @ptr: from this heap; NULL makes this heap_malloc()
 * @size: the new size; 0 keeps a block of its own, as heap_malloc(0)
 *
 * The contents stay, up to the smaller of both sizes. Stays in place when
 * shrinking and when the memory behind is free or can be had from the hook. A
 * block that is not small slides down if the free one before it is large enough
 * for that; others are copied. O(1), but for the hook and for what is moved.
 *
 * Return: as heap_malloc(). On NULL the old block is still there, unchanged.
 */
void *heap_realloc(struct heap *heap, void *ptr, size_t size);

/**
 * heap_free() - give an allocation back
 * @ptr: from this heap, or NULL, which does nothing
 *
 * A small block waits in its quick list for the next request of its length, if
 * there is room and what lies before it is in use; any other is merged with its
 * free neighbours at once. O(1), but for the hook, which is asked to take back at
 * most HEAP_TRIM_STEP. After a violation the block is left as it is.
 *
 * Return: bytes of the block, its header included; 0 for NULL or after a violation.
 */
size_t heap_free(struct heap *heap, void *ptr);

/* Bytes that may be used at @ptr, at least what was asked for; 0 for NULL or after a violation. */
size_t heap_usable_size(struct heap *heap, const void *ptr);

/**
 * heap_trim() - give memory back to the hook
 * @keep: bytes of free memory at the top that may stay
 *
 * Merges what waits in quick lists first, and takes their room back. Only memory
 * at the end of the newest segment, and only as long as the hook's end is there,
 * can be given back. With nothing allocated, @keep 0 gives back all; SIZE_MAX
 * merges, and keeps all. O(bytes given back), by HEAP_TRIM_STEP at a time.
 *
 * Return: bytes given back.
 */
size_t heap_trim(struct heap *heap, size_t keep);

/**
 * heap_check() - examine everything
 * @fault: receives the first violation found; may be NULL
 *
 * Follows nothing that it has not range-checked, and ends on any contents.
 * Does not see what it has no second source for: a payload overwritten by its
 * owner's neighbour without touching a header. O(blocks).
 *
 * Return: true if there is no violation.
 */
bool heap_check(const struct heap *heap, struct heap_fault *fault);

/* The kind of a fault in words. */
const char *heap_fault_name(enum heap_fault_kind kind);

enum heap_piece_kind {
	HEAP_PIECE_SEGMENT, /* bookkeeping at the start of a segment */
	HEAP_PIECE_USED,
	HEAP_PIECE_CACHED, /* freed, in a quick list */
	HEAP_PIECE_BINNED, /* free, in a bin, or the remainder */
	HEAP_PIECE_TOP,
	HEAP_PIECE_FENCE, /* bookkeeping at its end */
};

/* @size bytes at @address, header included. All pieces of a heap add up to what the hook gave. */
struct heap_piece {
	enum heap_piece_kind kind;
	const void *address;
	size_t size;
};

/* Sees one piece; false ends the walk. Must not allocate from or free into the heap. */
typedef bool heap_visitor(void *context, const struct heap_piece *piece);

/**
 * heap_walk() - see all pieces of all segments, the newest segment first
 *
 * Within a segment addresses ascend, without a gap. Ends early where a length
 * makes no sense; heap_check() says what is wrong there.
 *
 * Return: false if the visitor or such a length ended it.
 */
bool heap_walk(const struct heap *heap, heap_visitor *visit, void *context);

enum heap_list {
	HEAP_LIST_QUICK,
	HEAP_LIST_REMAINDER,
	HEAP_LIST_BIN,
};

/* A block that is kept in a list, @number of its kind; @size as the list or the header says. */
struct heap_listed {
	enum heap_list list;
	size_t number;
	const void *block;
	size_t size;
};

typedef bool heap_list_visitor(void *context, const struct heap_listed *listed);

/**
 * heap_walk_lists() - see all blocks that wait or are free, but the top, by their lists
 *
 * Quick lists first, what is handed out next last; then the remainder; then the
 * bins, each from its first block on. Ends early where a bin cannot be followed;
 * heap_check() says what is wrong there. O(free blocks).
 *
 * Return: false if the visitor or such a bin ended it.
 */
bool heap_walk_lists(const struct heap *heap, heap_list_visitor *visit, void *context);

/* The smallest length of the blocks in a bin. */
size_t heap_bin_size(size_t bin);

/**
 * struct heap_stats - a heap in figures, from a walk
 * @total: bytes the hook gave: the sum of @granted, @headers, @cached, @binned, @top and
 *	@bookkeeping
 * @granted: payload bytes of blocks in use
 * @granted_blocks: how many those are
 * @headers: bytes of their headers
 * @cached: bytes of blocks in quick lists
 * @cached_blocks: how many those are
 * @binned: bytes of free blocks in bins, and of the remainder
 * @binned_blocks: how many those are
 * @top: bytes of the top block
 * @bookkeeping: bytes at the start and end of segments
 * @segments: stretches of memory from the hook
 * @largest_free: bytes of the largest free block, the top included
 * @fragmentation: thousandths of the free bytes that are not in it; 0 with none free
 * @peak: the largest @total there ever was
 * @sizes: blocks in use whose payload has 2^n bytes or more, and less than 2^(n+1)
 */
struct heap_stats {
	size_t total;
	size_t granted, granted_blocks, headers;
	size_t cached, cached_blocks;
	size_t binned, binned_blocks;
	size_t top, bookkeeping, segments, largest_free, fragmentation, peak;
	size_t sizes[HEAP_WORD_BITS];
};

void heap_stats(const struct heap *heap, struct heap_stats *stats);

/* Bytes of the remainder and of free blocks by following the bins, for comparison with a walk;
 * stops where a bin cannot be followed. O(free blocks). */
size_t heap_count_bins(const struct heap *heap);

/* Bytes of the blocks in quick lists, by the lists' lengths. */
size_t heap_count_cached(const struct heap *heap);

#endif
