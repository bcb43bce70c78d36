/* SPDX-License-Identifier: MIT */
/*
 * The contract of heap.h, example by example.
 *
 * A heap is written down as a walk sees it, newest segment first: '[' for its
 * record, 'u' a block in use, 'c' one in a quick list, 'f' a free one in a bin
 * or the remainder, 't' the top, ']' the fence; numbers are sizes in words,
 * which makes them the same at 32 and 64 bits. The top's size goes without
 * saying: all pieces add up to what the hook gave.
 *
 * Of faults, both halves: the fault is caught and nothing moved, and the legal
 * thing next to it is silent.
 */
#include "arena.h"
#include "kernel/mm/heap.h"
#include "quick_lists.h"
#include "tap.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT	    ((size_t)64 << 20)
#define PAGE	    ((size_t)4096)
#define IN_USE	    ((size_t)1)
#define PREV_IN_USE ((size_t)2)
#define CACHED	    ((size_t)4)
#define FLAGS	    (HEAP_ALIGN - 1)

#define RECORD	  5			       /* words at the start of a segment */
#define MAX_SMALL (HEAP_MAX_SMALL / HEAP_WORD) /* in words, as all that follows */

_Static_assert(MAX_SMALL == 130, "blocks are drawn small or large for that");

static struct heap heap;
static char *start;
static void *a, *b, *c, *guard;

/* The hook: the arena's, which can be told to refuse, not to say where its memory ends, or to give
 * memory from further up. */
static bool refusing, mute;
static size_t scatter;
static unsigned long calls;
static intptr_t least_asked, most_asked;

static void *hook(intptr_t increment)
{
	calls++;
	if (increment > most_asked)
		most_asked = increment;
	if (increment < least_asked)
		least_asked = increment;
	if (increment ? refusing : mute)
		return HEAP_SBRK_FAILED;
	if (increment > 0 && scatter)
		arena_sbrk((intptr_t)scatter);
	return arena_sbrk(increment);
}

/* A hook whose memory comes in pieces, each below the one before, and cannot be given back. */
static _Alignas(64) char attic[1 << 20];
static char *attic_end;

static void *attic_hook(intptr_t increment)
{
	if (increment < 0 || (size_t)increment > (size_t)(attic_end - attic))
		return HEAP_SBRK_FAILED;
	attic_end -= increment;
	return attic_end;
}

static struct heap_fault last_fault;
static unsigned int faults;

static void on_fault(struct heap *of, const struct heap_fault *fault)
{
	TAP_MUST(of == &heap);
	last_fault = *fault;
	faults++;
}

static void forget_calls(void)
{
	calls = 0;
	least_asked = most_asked = 0;
}

/* No rounds through the quick lists, as long as the heap does not shrink. */
static void no_rounds(void)
{
	heap.drain_at = UINTPTR_MAX;
}

/* The next round begins with this list, and is due. */
static void start_round(size_t class)
{
	heap.drain_class = class;
	heap.drain_at = 0;
}

/* A new heap over @limit bytes, @skew behind the start of a page. */
static void fresh_over(size_t limit, size_t skew)
{
	static size_t to_page = PAGE;

	if (to_page == PAGE) {
		arena_reset(ARENA_ALONE, 0, 0, 1);
		to_page = -(uintptr_t)arena_sbrk(0) % PAGE;
	}
	arena_reset(ARENA_ALONE, limit, to_page + skew, 1);
	start = arena_sbrk(0);
	heap_init(&heap, hook);
	heap_set_fault(&heap, on_fault);
	no_rounds();
	refusing = mute = false;
	scatter = 0;
	faults = 0;
	forget_calls();
}

static void fresh(void)
{
	fresh_over(LIMIT, 0);
}

static size_t break_at(void)
{
	return (size_t)((char *)arena_sbrk(0) - start);
}

/* As if no large block had been taken from the top: the next one leaves no gap for small ones. */
static void no_gap(void)
{
	heap.large_end = 0;
}

/* A block of so many words, header included; a large one may leave a gap. */
static void *turn(size_t words)
{
	return heap_malloc(&heap, (words - 1) * HEAP_WORD);
}

/* The same, beside the last one if it comes from the top. */
static void *block(size_t words)
{
	void *ptr;

	no_gap();
	ptr = turn(words);
	no_gap();
	return ptr;
}

/* Merges all that waits in quick lists. */
static void settle(void)
{
	TAP_MUST(heap_trim(&heap, SIZE_MAX) == 0);
}

/* Frees a block that is small or not, and has it merged. */
static void free_merged(void *ptr)
{
	heap_free(&heap, ptr);
	settle();
}

/* The same where others wait: its list has no room, and gets none. */
static void free_at_once(void *ptr)
{
	size_t limit = heap.quick_limit;

	heap.quick_limit = 0;
	heap_free(&heap, ptr);
	heap.quick_limit = limit;
}

static size_t *header(void *ptr)
{
	return (size_t *)ptr - 1;
}

/* The largest block, in words, that becomes the remainder when it is freed. */
#define MOST (HEAP_REMAINDER_MOST / HEAP_WORD)

/* The remainder, shorter than that, goes to a bin: another takes its place, and is taken whole. */
static void bin_remainder(void)
{
	void *ptr = block(MOST), *wall = block(MOST);

	heap_free(&heap, ptr);
	TAP_MUST(heap.remainder == ptr);
	TAP_MUST(block(MOST) == ptr && !heap.remainder);
	heap_free(&heap, wall);
	heap_free(&heap, ptr);
}

/* The same as free_merged(), and the free block is in a bin. */
static void free_binned(void *ptr)
{
	free_merged(ptr);
	if (heap.remainder)
		bin_remainder();
}

static size_t length(void *ptr)
{
	return *header(ptr) & ~FLAGS;
}

/* The last word of a block. */
static size_t *footer(void *ptr)
{
	return header(ptr) + length(ptr) / HEAP_WORD - 1;
}

static void *behind(void *ptr, size_t words)
{
	return (size_t *)ptr + words;
}

/* The heap written down. */

struct picture {
	char text[1024];
	size_t length;
	const char *at; /* where the next piece of this segment must begin */
};

static bool draw(void *context, const struct heap_piece *piece)
{
	struct picture *picture = context;
	char *to = picture->text + picture->length;
	size_t room = sizeof(picture->text) - picture->length;
	size_t words = piece->size / HEAP_WORD;

	if (piece->kind != HEAP_PIECE_SEGMENT && picture->at != piece->address)
		return false;
	picture->at = (const char *)piece->address + piece->size;
	if (piece->kind == HEAP_PIECE_USED || piece->kind == HEAP_PIECE_CACHED ||
	    piece->kind == HEAP_PIECE_BINNED)
		snprintf(to, room, "%c%zu ", "[ucft]"[piece->kind], words);
	else
		snprintf(to, room, "%c ", "[ucft]"[piece->kind]);
	picture->length += strlen(to);
	return true;
}

/* Whether a picture is as expected, where '*' stands for any number. */
static bool matches(const char *found, const char *expected)
{
	for (; *expected; expected++) {
		if (*expected != '*') {
			if (*found++ != *expected)
				return false;
			continue;
		}
		if (*found < '0' || *found > '9')
			return false;
		while (*found >= '0' && *found <= '9')
			found++;
	}
	return strcmp(found, " ") == 0 || *found == '\0';
}

static bool adds_up(void)
{
	struct heap_stats stats;

	heap_stats(&heap, &stats);
	return stats.total == stats.granted + stats.headers + stats.cached + stats.binned +
				      stats.top + stats.bookkeeping &&
	       stats.binned == heap_count_bins(&heap) && stats.cached == heap_count_cached(&heap) &&
	       quick_lists_are_right(&heap);
}

/* The heap is this, sound, and nothing has been reported. */
static bool is(const char *expected)
{
	struct picture picture = { .length = 0 };
	struct heap_fault fault;
	bool walked = heap_walk(&heap, draw, &picture);
	bool sound = heap_check(&heap, &fault);

	if (walked && sound && faults == 0 && adds_up() && matches(picture.text, expected))
		return true;
	printf("# expected %s, found %s%s (%s, %u faults)\n", expected, picture.text,
	       walked ? "" : "...", heap_fault_name(fault.kind), faults);
	return false;
}

static struct heap_quick *quick_list(size_t words)
{
	return &heap.quick[(words - 4) / 2];
}

/* Every byte of a heap and its memory, to be compared with later. */

static struct heap heap_before;
static char memory_before[1 << 20];
static size_t break_before;

static void freeze(void)
{
	break_before = break_at();
	TAP_MUST(break_before <= sizeof(memory_before));
	heap_before = heap;
	memcpy(memory_before, start, break_before);
}

static bool frozen(void)
{
	return break_at() == break_before && !memcmp(&heap, &heap_before, sizeof(heap)) &&
	       !memcmp(start, memory_before, break_before);
}

/* Expectations about faults */

static void caught(enum heap_fault_kind kind, const char *name)
{
	if (!tap_ok(faults == 1 && last_fault.kind == kind && frozen(), name))
		printf("# %u faults, the last: %s; %s\n", faults, heap_fault_name(last_fault.kind),
		       frozen() ? "frozen" : "changed");
	faults = 0;
}

/* Frees a pointer that must not be freed. */
static void free_wrong(void *ptr, enum heap_fault_kind kind, const char *name)
{
	freeze();
	heap_free(&heap, ptr);
	caught(kind, name);
}

/* The same with a pointer that is no block in use: it is not resized or measured either. */
static void all_wrong(void *ptr, enum heap_fault_kind kind, const char *name)
{
	free_wrong(ptr, kind, name);
	tap_ok(!heap_realloc(&heap, ptr, 1) && heap_usable_size(&heap, ptr) == 0 && faults == 2,
	       "by all calls");
	faults = 1;
	caught(kind, "in the same way");
}

static void silent(const char *name)
{
	struct heap_fault fault;

	if (!tap_ok(heap_check(&heap, &fault) && faults == 0, name))
		printf("# %u faults, the last: %s; now: %s\n", faults,
		       heap_fault_name(last_fault.kind), heap_fault_name(fault.kind));
	faults = 0;
}

static void check_finds(enum heap_fault_kind kind, const char *name)
{
	struct heap_fault fault;
	bool sound = heap_check(&heap, &fault);

	freeze();
	if (!tap_ok(!sound && fault.kind == kind && faults == 0 && frozen(), name))
		printf("# found: %s\n", heap_fault_name(fault.kind));
}

/* Layout */

static bool header_is_right(size_t size)
{
	char *ptr = heap_malloc(&heap, size), *next;
	size_t head;

	TAP_MUST(ptr);
	memset(ptr, 0xFF, size);
	head = *header(ptr);
	next = heap_malloc(&heap, 0);
	return (head & FLAGS) == (IN_USE | PREV_IN_USE) && length(ptr) >= size + HEAP_WORD &&
	       (length(ptr) == HEAP_MIN_BLOCK || length(ptr) < size + HEAP_WORD + HEAP_ALIGN) &&
	       next == ptr + length(ptr) && heap_usable_size(&heap, ptr) == length(ptr) - HEAP_WORD;
}

static void test_layout_used(void)
{
	bool headers = true, aligned = true;

	fresh();
	for (size_t size = 0; size <= 300; size++)
		headers &= header_is_right(size);
	tap_ok(headers && heap_check(&heap, NULL),
	       "the word before a payload holds the block's length, flags in its low bits");
	for (size_t size = 0; size <= 300; size++)
		aligned &= (uintptr_t)heap_malloc(&heap, size) % HEAP_ALIGN == 0;
	tap_ok(aligned, "payloads of 0 to 300 bytes are aligned to two words");
	fresh();
	for (size_t size = 0; size <= 3 * HEAP_WORD; size++)
		heap_malloc(&heap, size);
	tap_ok(length(heap_malloc(&heap, 0)) == 4 * HEAP_WORD &&
		       length(heap_malloc(&heap, 3 * HEAP_WORD)) == 4 * HEAP_WORD &&
		       length(heap_malloc(&heap, 3 * HEAP_WORD + 1)) == 6 * HEAP_WORD,
	       "the smallest block has four words, and three of them are payload");
}

static void test_layout_free(void)
{
	void **first, **second, *bin;

	fresh();
	first = block(8);
	block(4);
	second = block(8);
	block(4);
	free_binned(first);
	bin = first[1];
	tap_ok(!first[0] && (char *)bin >= (char *)heap.bins &&
		       (char *)bin < (char *)heap.bins + sizeof(heap.bins) &&
		       *(void **)bin == first,
	       "the only free block of its bin is followed by none, and led to by the bin");
	free_binned(second);
	tap_ok(second[0] == first && second[1] == bin && *(void **)bin == second,
	       "a freed block holds its links where its payload was: the next block first");
	tap_ok(!first[0] && first[1] == &second[0],
	       "and then the address of the link that leads to it");
	tap_ok(*header(first) == (8 * HEAP_WORD | PREV_IN_USE) && *footer(first) == 8 * HEAP_WORD,
	       "a freed block repeats its length in its last word");
	tap_ok(!(footer(first)[1] & PREV_IN_USE) && is("[ f8 u4 f8 u4 t ]"),
	       "the header after a freed block says so");
}

static void test_payload_is_ours(void)
{
	char *last;

	fresh();
	a = heap_malloc(&heap, 1);
	b = heap_malloc(&heap, 1);
	heap_malloc(&heap, 1);
	last = (char *)a + heap_usable_size(&heap, a) - 1;
	memset(a, 0xFF, heap_usable_size(&heap, a));
	memset(b, 0x00, heap_usable_size(&heap, b));
	tap_ok(is("[ u4 u4 u4 t ]") && *last == (char)0xFF,
	       "all usable bytes may be written, also where a free block has its footer");
	free_merged(a);
	free_merged(b);
	tap_ok(is("[ f8 u4 t ]"), "and whatever they hold, the blocks are freed");
	heap_free(&heap, NULL);
	tap_ok(heap_usable_size(&heap, NULL) == 0 && is("[ f8 u4 t ]"), "NULL is nothing to free");
}

/* Merging: b between a and c, and a block in use before the top. */

static void three_blocks(void)
{
	fresh();
	a = block(6);
	b = block(8);
	c = block(10);
	guard = block(4);
	TAP_MUST(a && b && c && guard);
}

/*
 *	[ a ][ b ][ c ]  ->  [ a ][ free ][ c ]
 */
static void test_merge_none(void)
{
	three_blocks();
	tap_ok(is("[ u6 u8 u10 u4 t ]"), "blocks lie side by side");
	free_binned(b);
	tap_ok(is("[ u6 f8 u10 u4 t ]"), "a block freed between used ones stays by itself");
}

/*
 *	[ free ][ b ][ c ]  ->  [    free   ][ c ]
 */
static void test_merge_prev(void)
{
	three_blocks();
	free_binned(a);
	tap_ok(is("[ f6 u8 u10 u4 t ]"), "the first block can be freed");
	free_binned(b);
	tap_ok(is("[ f14 u10 u4 t ]"), "a freed block merges with the free one before it");
}

/*
 *	[ a ][ b ][ free ]  ->  [ a ][   free    ]
 */
static void test_merge_next(void)
{
	three_blocks();
	free_binned(c);
	tap_ok(is("[ u6 u8 f10 u4 t ]"), "a later block can be freed first");
	free_binned(b);
	tap_ok(is("[ u6 f18 u4 t ]"), "a freed block merges with the free one after it");
}

/*
 *	[ free ][ b ][ free ]  ->  [      free      ]
 */
static void test_merge_both(void)
{
	three_blocks();
	free_binned(a);
	free_binned(c);
	tap_ok(is("[ f6 u8 f10 u4 t ]"), "two blocks free, one between them");
	free_binned(b);
	tap_ok(is("[ f24 u4 t ]"), "a freed block merges with both sides at once");
}

/*
 *	[ free ][ guard ][ top ... ]  ->  [ top ...           ]
 */
static void test_merge_top(void)
{
	three_blocks();
	free_binned(guard);
	tap_ok(is("[ u6 u8 u10 t ]"), "a block freed before the top becomes the top");
	free_binned(b);
	free_binned(c);
	tap_ok(is("[ u6 t ]"), "and what was free before it with it");
	free_binned(a);
	tap_ok(is("[ t ]"), "with nothing in use, all is top");
}

/* Fitting */

static void test_reuse(void)
{
	three_blocks();
	free_binned(b);
	tap_ok(block(8) == b && is("[ u6 u8 u10 u4 t ]"),
	       "a freed block is reused if it just fits");
	free_binned(b);
	tap_ok(heap_malloc(&heap, 6 * HEAP_WORD + 1) == b, "also if it fits but for rounding");
	free_binned(b);
	tap_ok(block(10) != b && is("[ u6 f8 u10 u4 u10 t ]"), "a block too small is not used");
}

static void test_split(void)
{
	three_blocks();
	free_binned(c);
	tap_ok(block(6) == c && is("[ u6 u8 u6 f4 u4 t ]"),
	       "what is left over of a block stays free");
	tap_ok(block(4) == (char *)c + 6 * HEAP_WORD && is("[ u6 u8 u6 u4 u4 t ]"),
	       "and can be had");
	three_blocks();
	free_binned(c);
	tap_ok(block(8) == c && is("[ u6 u8 u10 u4 t ]"),
	       "too little to be a block goes with what is handed out");
}

static void test_good_fit(void)
{
	void *small, *large;

	fresh();
	small = block(20);
	block(4);
	large = block(40);
	block(4);
	free_binned(small);
	free_binned(large);
	tap_ok(block(30) == large && is("[ f20 u4 u30 f10 u4 t ]"),
	       "a free block in a bin is taken before the top");
	tap_ok(block(12) == small && is("[ u12 f8 u4 u30 f10 u4 t ]"),
	       "the next larger bin has what the exact one has not");
}

/* The next bin of those that hold several lengths. */
static void test_fit_next_bin(void)
{
	void *near, *far;

	fresh();
	near = block(138);
	block(4);
	far = block(50000);
	block(4);
	free_binned(near);
	heap_free(&heap, far);
	tap_ok(block(134) == near && is("[ u134 f4 u4 f50000 u4 t ]"),
	       "the very next bin is looked at");
	tap_ok(block(150) == far && is("[ u134 f4 u4 u150 f49850 u4 t ]"), "and those far above");
	tap_ok(block(10) == behind(far, 150) && is("[ u134 f4 u4 u150 u10 f49840 u4 t ]"),
	       "also for a small request");
}

/* Blocks of 1,210 and 1,200 words, which share a bin. */
static void two_of_one_bin(void)
{
	fresh();
	a = block(1210);
	block(4);
	b = block(1200);
	block(4);
}

static void test_fit_within_bin(void)
{
	two_of_one_bin();
	heap_free(&heap, b);
	heap_free(&heap, a);
	tap_ok(is("[ f1210 u4 f1200 u4 t ]") && block(1206) == a &&
		       is("[ u1206 f4 u4 f1200 u4 t ]"),
	       "the block of the right bin that was freed last is taken if it fits");
	two_of_one_bin();
	heap_free(&heap, a);
	heap_free(&heap, b);
	tap_ok(block(1210) == behind(b, 1204) && is("[ f1210 u4 f1200 u4 u1210 t ]"),
	       "no other is looked at, though it would fit");
	tap_ok(block(1200) == b && block(1210) == a, "but when it is the turn of that");
}

/* The top and the break */

static size_t top_size(void)
{
	struct heap_stats stats;

	heap_stats(&heap, &stats);
	return stats.top;
}

static void test_top_is_lowered(void)
{
	unsigned long moves;
	void *ptr;

	fresh();
	ptr = heap_malloc(&heap, 48 * 1024);
	moves = arena_moves();
	tap_ok(moves == 1, "the break moves once for the first block");
	heap_free(&heap, ptr);
	tap_ok(arena_moves() == moves && top_size() <= HEAP_TRIM_AT && is("[ t ]"),
	       "a top up to HEAP_TRIM_AT stays");
	ptr = heap_malloc(&heap, 120 * 1024);
	moves = arena_moves();
	heap_free(&heap, ptr);
	tap_ok(arena_moves() == moves + 1 && top_size() >= HEAP_GROW &&
		       top_size() < HEAP_GROW + PAGE && is("[ t ]"),
	       "a top beyond it is lowered to HEAP_GROW");
}

static void test_only_the_missing(void)
{
	fresh();
	block(4);
	forget_calls();
	tap_ok(heap_malloc(&heap, 1000000) && (size_t)most_asked < 1000000 + 2 * PAGE,
	       "with a top at the break, only what is missing is asked for");
}

static void test_no_wobble(void)
{
	unsigned long moves;
	void *pages[16] = { NULL };

	fresh();
	heap_free(&heap, heap_malloc(&heap, 120 * 1024));
	moves = arena_moves();
	for (int i = 0; i < 100; i++) {
		for (int j = 0; j < 12; j++)
			pages[j] = heap_malloc(&heap, PAGE);
		for (int j = 0; j < 12; j++)
			heap_free(&heap, pages[j]);
	}
	tap_ok(arena_moves() == moves,
	       "after that the break stays, whatever comes and goes by pages");
	heap_free(&heap, heap_malloc(&heap, 120 * 1024));
	tap_ok(arena_moves() == moves + 2, "but not if it is more than HEAP_GROW");
}

static void test_trim_step(void)
{
	size_t before, steps = 0;
	void *ptr, *other;

	fresh();
	other = heap_malloc(&heap, 2000);
	ptr = heap_malloc(&heap, 4 << 20);
	before = break_at();
	heap_free(&heap, ptr);
	tap_ok(before - break_at() == HEAP_TRIM_STEP, "one free gives back HEAP_TRIM_STEP at most");
	heap_free(&heap, other);
	tap_ok(before - break_at() == 2 * HEAP_TRIM_STEP, "and the next one goes on");
	for (before = break_at(); top_size() > HEAP_TRIM_AT && steps < 100; steps++) {
		heap_free(&heap, heap_malloc(&heap, 2000));
		TAP_MUST(before - break_at() <= HEAP_TRIM_STEP);
		before = break_at();
	}
	tap_ok(top_size() >= HEAP_GROW && top_size() < HEAP_TRIM_AT && is("[ t ]"),
	       "until HEAP_GROW is left");
}

static void test_trim(void)
{
	size_t given;

	fresh();
	tap_ok(heap_trim(&heap, 0) == 0 && arena_is_empty(), "an empty heap has nothing to trim");
	heap_free(&heap, heap_malloc(&heap, 3 << 20));
	given = break_at();
	tap_ok(heap_trim(&heap, 10000) > 0 && top_size() >= 10000 && top_size() < 10000 + PAGE,
	       "heap_trim() leaves as much as is to be kept, and less than a page more");
	given -= break_at();
	tap_ok(heap_trim(&heap, 10000) == 0, "and does nothing the second time");
	given = break_at();
	tap_ok(heap_trim(&heap, 0) == given && arena_is_empty() && is(""),
	       "heap_trim(0) gives back all, and says how much it was");
	heap_free(&heap, heap_malloc(&heap, 3 << 20));
	heap_trim(&heap, 0);
	tap_ok(arena_is_empty() && least_asked == -(intptr_t)HEAP_TRIM_STEP,
	       "but never more than HEAP_TRIM_STEP at a time");
	tap_ok(heap_malloc(&heap, 1) == start + (RECORD + 1) * HEAP_WORD && is("[ u4 t ]"),
	       "and the heap can be used again");
}

static void test_trim_used(void)
{
	char *ptr;

	fresh();
	ptr = heap_malloc(&heap, 10000);
	memset(ptr, 0x5A, 10000);
	tap_ok(heap_trim(&heap, 0) > 0 && (size_t)(start + break_at() - ptr) < 10000 + 2 * PAGE &&
		       ptr[9999] == 0x5A,
	       "heap_trim(0) lowers the break to the page behind the last block");
	tap_ok(heap_trim(&heap, 0) == 0 && is("[ u* t ]"), "and no further");
	heap_free(&heap, ptr);
	heap_trim(&heap, 0);
	tap_ok(arena_is_empty(), "until that is freed");
}

/* A segment may begin anywhere, also just before a page: nothing need be left of the top then. */
static void test_trim_anywhere(void)
{
	bool sound = true, empty = true;

	for (size_t skew = PAGE - 16 * HEAP_WORD; skew <= PAGE; skew++) {
		fresh_over(LIMIT, skew);
		a = heap_malloc(&heap, 1);
		heap_trim(&heap, 0);
		sound &= heap_check(&heap, NULL);
		heap_free(&heap, heap_malloc(&heap, 2 * HEAP_WORD));
		heap_free(&heap, a);
		heap_trim(&heap, 0);
		sound &= heap_check(&heap, NULL) && faults == 0;
		empty &= arena_is_empty();
		if (!sound || !empty) {
			printf("# at %zu bytes before a page\n", PAGE - skew);
			break;
		}
	}
	tap_ok(sound, "a heap trimmed to its one block is sound, wherever its segment begins");
	tap_ok(empty, "and all of it can be given back");
}

/* A whole number of HEAP_TRIM_STEP behind that page: what is before it must not stay. */
static void test_trim_steps_end(void)
{
	bool sound = true, empty = true;

	for (size_t words = 0; words <= 16; words++) {
		fresh_over(LIMIT, PAGE - words * HEAP_WORD);
		a = heap_malloc(&heap, (4 << 20) - HEAP_GROW - PAGE / 2);
		TAP_MUST(break_at() == (4 << 20) + words * HEAP_WORD);
		heap_free(&heap, a);
		heap_trim(&heap, 0);
		sound &= heap_check(&heap, NULL) && faults == 0;
		empty &= arena_is_empty();
		if (!sound || !empty) {
			printf("# at %zu words before a page\n", words);
			break;
		}
	}
	tap_ok(sound, "a free heap given back by steps is sound, wherever its segment begins");
	tap_ok(empty, "and nothing of it stays");
}

/* A hook that refuses */

static void test_refused(void)
{
	fresh();
	refusing = true;
	freeze();
	tap_ok(!heap_malloc(&heap, 1) && frozen(), "no memory at all: NULL, and nothing changed");
	tap_ok(!heap_memalign(&heap, 64, 1) && frozen(), "nor for heap_memalign()");
	tap_ok(!heap_realloc(&heap, NULL, 1) && frozen(), "nor for heap_realloc()");
	refusing = false;
	tap_ok(heap_malloc(&heap, 1) && is("[ u4 t ]"),
	       "and with memory it is as if never refused");
}

static void test_refused_later(void)
{
	three_blocks();
	free_binned(b);
	memset(a, 0x5A, heap_usable_size(&heap, a));
	refusing = true;
	freeze();
	tap_ok(!heap_malloc(&heap, 200000) && frozen() && is("[ u6 f8 u10 u4 t ]"),
	       "no more memory: heap_malloc() returns NULL, and nothing changed");
	tap_ok(!heap_memalign(&heap, 4096, 200000) && frozen(), "nor after heap_memalign()");
	tap_ok(!heap_realloc(&heap, a, 200000) && frozen(),
	       "heap_realloc() returns NULL, and the old block is as it was");
	tap_ok(!heap_realloc(&heap, c, 200000) && frozen(), "also with one in use behind it");
	tap_ok(!heap_realloc(&heap, guard, 200000) && frozen(), "also if it ends at the top");
	tap_ok(block(8) == b && block(10), "and what is free already can still be had");
	refusing = false;
	tap_ok(heap_malloc(&heap, 200000) && heap_realloc(&heap, guard, 200000),
	       "when there is more again, the same requests are granted");
}

static void test_refused_shrinking(void)
{
	fresh();
	a = heap_malloc(&heap, 200000);
	b = heap_malloc(&heap, 2000);
	heap_free(&heap, a);
	refusing = true;
	heap_free(&heap, b);
	tap_ok(break_at() > 200000 && is("[ t ]"), "a hook may refuse to take back what is freed");
	freeze();
	tap_ok(heap_trim(&heap, 0) == 0 && frozen(), "and what is trimmed, and nothing changed");
	refusing = false;
	tap_ok(heap_trim(&heap, 0) > 200000 && arena_is_empty(), "when it takes it, all is given");
}

/* The second, smaller request of the hook: what is needed, without HEAP_GROW. */
static void test_refused_slack(void)
{
	fresh_over(5 * PAGE, 0);
	tap_ok(heap_malloc(&heap, 4 * PAGE) && break_at() == 5 * PAGE && is("[ u* t ]"),
	       "a hook that has just enough is not asked for more");
	tap_ok(!heap_malloc(&heap, 4 * PAGE) && is("[ u* t ]"), "and one that has not refuses");
}

/* Sizes that cannot be */

static bool refuses(size_t size)
{
	return !heap_malloc(&heap, size) && !heap_realloc(&heap, NULL, size) &&
	       !heap_realloc(&heap, a, size) && !heap_memalign(&heap, 64, size) &&
	       !heap_memalign(&heap, 1, size);
}

static void test_absurd_sizes(void)
{
	const size_t edges[] = { SIZE_MAX, (size_t)PTRDIFF_MAX + 1, HEAP_MAX_REQUEST + 1 + 64 };
	bool refused = true;

	three_blocks();
	forget_calls();
	freeze();
	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		for (size_t down = 0; down <= 64; down++)
			refused &= refuses(edges[i] - down);
	for (size_t size = HEAP_MAX_REQUEST + 1; size && size <= SIZE_MAX / 2; size = size * 2 + 1)
		refused &= refuses(size);
	tap_ok(refused && frozen(), "sizes beyond HEAP_MAX_REQUEST are refused");
	tap_ok(calls == 0, "and the hook is not asked for them");
}

static void test_largest_sizes(void)
{
	bool refused = true, enough = true;

	fresh();
	for (size_t down = 0; down <= 64; down++) {
		forget_calls();
		refused &= !heap_malloc(&heap, HEAP_MAX_REQUEST - down);
		enough &= least_asked == 0 && (size_t)most_asked > HEAP_MAX_REQUEST - down;
		refused &= !heap_memalign(&heap, 4096, HEAP_MAX_REQUEST - 8192 - down);
		enough &= least_asked == 0;
	}
	a = heap_malloc(&heap, 100);
	forget_calls();
	refused &= !heap_realloc(&heap, a, HEAP_MAX_REQUEST) && length(a) < 200;
	enough &= least_asked == 0 && most_asked > 0;
	tap_ok(refused && is("[ u* t ]"),
	       "sizes up to HEAP_MAX_REQUEST are for the hook to refuse");
	tap_ok(enough, "and it is asked for as much, never for a negative number");
}

static void test_absurd_alignments(void)
{
	bool refused = true;

	three_blocks();
	forget_calls();
	freeze();
	for (size_t align = 0; align <= 4096; align++)
		if (align == 0 || align & (align - 1))
			refused &= !heap_memalign(&heap, align, 8);
	refused &= !heap_memalign(&heap, SIZE_MAX, 8) && !heap_memalign(&heap, SIZE_MAX - 1, 8);
	tap_ok(refused && calls == 0 && frozen(),
	       "alignments that are no power of two are refused");
	refused = !heap_memalign(&heap, SIZE_MAX / 2 + 1, 8) &&
		  !heap_memalign(&heap, 4096, HEAP_MAX_REQUEST) &&
		  !heap_memalign(&heap, SIZE_MAX / 4 + 1, SIZE_MAX / 4 + 1) &&
		  !heap_memalign(&heap, SIZE_MAX / 2 + 1, SIZE_MAX / 2);
	tap_ok(refused && calls == 0 && frozen(),
	       "so are those whose sum with the size is too large");
}

static void test_memalign(void)
{
	bool aligned = true, sound = true;
	char *ptr[17];

	fresh();
	block(4);
	for (unsigned int shift = 0; shift <= 16; shift++) {
		size_t align = (size_t)1 << shift;

		for (size_t size = 1; size < 40; size += 13) {
			ptr[shift] = heap_memalign(&heap, align, size);
			aligned &= ptr[shift] && (uintptr_t)ptr[shift] % align == 0 &&
				   (uintptr_t)ptr[shift] % HEAP_ALIGN == 0;
			memset(ptr[shift], 0xFF, size);
			sound &= heap_check(&heap, NULL) && length(ptr[shift]) <= 56 + HEAP_ALIGN;
			if (size > 1)
				heap_free(&heap, ptr[shift]);
		}
	}
	tap_ok(aligned, "heap_memalign() aligns to all powers of two up to 64 KiB");
	tap_ok(sound && adds_up(), "and takes no more than the size: the rest is free");
	for (unsigned int shift = 0; shift <= 16; shift++)
		heap_free(&heap, heap_realloc(&heap, ptr[shift], 1000));
	tap_ok(true, "blocks so aligned are resized and freed as any other");
}

/* Every lead from nothing on: it is a block of its own, or there is none. */
static void test_memalign_lead(void)
{
	bool sound = true;

	for (size_t words = 4; words <= 64; words += 2) {
		size_t lead = (26 - words) % 32 == 2 ? 34 : (26 - words) % 32;
		char expected[64];

		fresh();
		a = block(words);
		b = heap_memalign(&heap, 32 * HEAP_WORD, 1);
		snprintf(expected, sizeof(expected), lead ? "[ u%zu f%zu u* t ]" : "[ u%zu u* t ]",
			 words, lead);
		sound &= (uintptr_t)b % (32 * HEAP_WORD) == 0 && is(expected);
		heap_free(&heap, b);
		free_binned(a);
		sound &= is("[ t ]");
	}
	tap_ok(sound, "what is left before an aligned block is free too, and merges again");
}

/* From a free block that just fits, or just does not: then from the top. */
static void test_memalign_tight(void)
{
	bool sound = true;

	for (size_t words = 4; words <= 64; words += 2) {
		for (size_t size = 34; size <= 42; size += 2) {
			fresh();
			a = block(words);
			b = block(size);
			guard = block(4);
			free_binned(b);
			c = heap_memalign(&heap, 32 * HEAP_WORD, 1);
			memset(c, 0xFF, heap_usable_size(&heap, c));
			heap_free(&heap, guard);
			heap_free(&heap, c);
			free_binned(a);
			sound &= is("[ t ]");
		}
	}
	tap_ok(sound, "aligned blocks fit into what they are cut from");
}

/* Resizing */

static void fill(char *ptr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ptr[i] = (char)(i * 7 + 1);
}

static bool filled(const char *ptr, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ptr[i] != (char)(i * 7 + 1))
			return false;
	return true;
}

/* heap_realloc() to a block of so many words. */
static char *resize(void *ptr, size_t words)
{
	return heap_realloc(&heap, ptr, (words - 1) * HEAP_WORD);
}

static void test_shrink(void)
{
	three_blocks();
	fill(c, 5 * HEAP_WORD);
	tap_ok(resize(c, 6) == c && is("[ u6 u8 u6 f4 u4 t ]") && filled(c, 5 * HEAP_WORD),
	       "shrinking stays in place, and what is left over is free");
	three_blocks();
	tap_ok(resize(c, 8) == c && is("[ u6 u8 u10 u4 t ]"),
	       "unless it is too little to be a block");
	three_blocks();
	free_binned(c);
	tap_ok(resize(b, 4) == b && is("[ u6 u4 f14 u4 t ]"),
	       "what is left over merges with a free block behind");
	tap_ok(resize(guard, 4) == guard && is("[ u6 u4 f14 u4 t ]"),
	       "the same size changes nothing");
	three_blocks();
	tap_ok(heap_realloc(&heap, b, 0) == b && is("[ u6 u4 f4 u10 u4 t ]"),
	       "heap_realloc(ptr, 0) keeps a block of its own");
}

static void test_shrink_at_top(void)
{
	size_t before;

	fresh();
	a = heap_malloc(&heap, 200000);
	fill(a, 1000);
	before = break_at();
	tap_ok(heap_realloc(&heap, a, 1000) == a && break_at() < before - 150000 &&
		       top_size() >= HEAP_GROW && top_size() < HEAP_GROW + PAGE &&
		       filled(a, 1000) && is("[ u* t ]"),
	       "what a shrunk block leaves to the top goes back as if it were freed");
	before = break_at();
	tap_ok(heap_realloc(&heap, a, 100) == a && break_at() == before, "if it is much");
}

static void test_grow_in_place(void)
{
	three_blocks();
	fill(b, 7 * HEAP_WORD);
	free_binned(c);
	tap_ok(resize(b, 12) == b && is("[ u6 u12 f6 u4 t ]") && filled(b, 7 * HEAP_WORD),
	       "growing stays in place if what is behind is free and large enough");
	tap_ok(resize(b, 16) == b && is("[ u6 u18 u4 t ]"), "and takes all if too little is left");
	tap_ok(resize(guard, 100) == guard && is("[ u6 u18 u100 t ]"), "or if the top is behind");
	forget_calls();
	tap_ok(resize(guard, 100000) == guard && most_asked > 0 && is("[ u6 u18 u100000 t ]"),
	       "or if it can be by moving the break");
}

static void test_grow_at_fence(void)
{
	size_t all;

	fresh();
	a = block(10);
	all = top_size() / HEAP_WORD;
	b = block(all);
	tap_ok(is("[ u10 u* ]"), "a block can take the whole top");
	fill(b, (all - 1) * HEAP_WORD);
	forget_calls();
	tap_ok(resize(b, all + 10) == b && most_asked > 0 && filled(b, (all - 1) * HEAP_WORD) &&
		       is("[ u10 u* t ]"),
	       "and then grows in place by moving the break");
	tap_ok((size_t)most_asked <= HEAP_GROW + 2 * PAGE, "by no more than is missing");
	fresh();
	a = block(10);
	b = block(top_size() / HEAP_WORD);
	c = block(12);
	tap_ok(is("[ u10 u* u12 t ]"), "a new block goes behind it");
}

static void test_grow_by_copy(void)
{
	char *copy;

	three_blocks();
	fill(a, 5 * HEAP_WORD);
	copy = resize(a, 20);
	tap_ok(copy && copy != a && filled(copy, 5 * HEAP_WORD) && is("[ c6 u8 u10 u4 u20 t ]"),
	       "growing copies if what is behind is in use, and frees the old block");
	settle();
	tap_ok(is("[ f6 u8 u10 u4 u20 t ]") && filled(copy, 5 * HEAP_WORD), "as any other");
	three_blocks();
	fill(a, 5 * HEAP_WORD);
	free_binned(b);
	copy = resize(a, 20);
	settle();
	tap_ok(copy && copy != a && filled(copy, 5 * HEAP_WORD) && is("[ f14 u10 u4 u20 t ]"),
	       "or free but too small, and then both merge");
	fresh();
	a = heap_realloc(&heap, NULL, 7 * HEAP_WORD);
	tap_ok(a && is("[ u8 t ]"), "heap_realloc(NULL) is heap_malloc()");
}

/* Sliding down into the free block before, of which @step words are free. */
static void slides(size_t step, size_t have, size_t behind_it, size_t size, const char *expected,
		   const char *name)
{
	char *ptr;

	fresh();
	a = block(step);
	b = block(have);
	c = behind_it ? block(behind_it) : NULL;
	guard = block(4);
	free_binned(a);
	heap_free(&heap, c);
	fill(b, (have - 1) * HEAP_WORD);
	ptr = resize(b, size);
	tap_ok(ptr && (ptr == a) == (expected[2] == 'u') && filled(ptr, (have - 1) * HEAP_WORD) &&
		       is(expected),
	       name);
	if (ptr == a)
		free_wrong(b, step < have ? HEAP_FAULT_LENGTH : HEAP_FAULT_NOT_USED,
			   "and what was freed by it is not freed again");
	free_merged(ptr);
	free_merged(guard);
	tap_ok(is("[ t ]"), "in the end all is free");
}

static void test_slide(void)
{
	slides(200, 200, 0, 300, "[ u300 f100 u4 t ]",
	       "a large block grows down into the free one before it, if that is enough");
	slides(200, 200, 0, 400, "[ u400 u4 t ]", "takes it whole");
	slides(200, 200, 0, 398, "[ u400 u4 t ]", "also if it is a little more");
	slides(200, 200, 0, 402, "[ f400 u4 u402 t ]", "or is copied, if it is a little less");
	slides(200, 200, 160, 560, "[ u560 u4 t ]", "takes the free one behind it as well");
	slides(200, 200, 160, 520, "[ u520 f40 u4 t ]", "or a part of it");
	slides(200, 200, 160, 380, "[ u380 f180 u4 t ]", "or no more than it needs");
	slides(200, 200, 160, 562, "[ f560 u4 u562 t ]", "but not if both are too little");
	slides(600, 140, 0, 560, "[ u560 f180 u4 t ]", "moves by one step");
	slides(80, 320, 0, 400, "[ u400 u4 t ]", "or by four of the free one's length");
	slides(80, 292, 0, 360, "[ u360 f12 u4 t ]", "or by so many and a part of one");
	slides(76, 320, 0, 360, "[ f396 u4 u360 t ]", "and is copied where that would be more");
	slides(132, 10, 0, MAX_SMALL + 2, "[ u132 f10 u4 t ]", "a small one does that to be large");
	slides(100, 40, 0, MAX_SMALL - 8, "[ f140 u4 u122 t ]", "but not to be small");
}

/* Behind the free block that it grows down into lies what the next small requests carve up. */
static void test_slide_into_remainder(void)
{
	fresh();
	a = block(280);
	b = block(200);
	block(4);
	heap_free(&heap, a);
	TAP_MUST(block(60) == a && heap.remainder == (void *)((size_t *)a + 60));
	fill(b, 199 * HEAP_WORD);
	c = resize(b, 300);
	tap_ok(c == (size_t *)a + 60 && filled(c, 199 * HEAP_WORD) && !heap.remainder &&
		       is("[ u60 u300 f120 u4 t ]"),
	       "a block grows down into the remainder as into others");
}

/* What a block leaves that is moved to a hole is merged with what is free beside it. */
static void moves(size_t before, size_t after, bool mate_first, const char *expected,
		  const char *name)
{
	void *hole, *mate[2];

	fresh();
	hole = block(1200);
	block(4);
	for (size_t i = 0; i < 2; i++) { /* of the same lengths as what is free beside it */
		mate[i] = block(i == 0 ? 140 : 150);
		block(4);
	}
	a = block(before ? before : 4);
	b = block(600);
	c = block(after ? after : 4);
	guard = block(4);
	for (size_t i = 0; i < 2 && mate_first; i++)
		heap_free(&heap, mate[i]);
	if (before)
		free_at_once(a);
	if (after)
		free_at_once(c);
	for (size_t i = 0; i < 2 && !mate_first; i++)
		heap_free(&heap, mate[i]);
	heap_free(&heap, hole);
	fill(b, 599 * HEAP_WORD);
	tap_ok(resize(b, 1000) == hole && filled(hole, 599 * HEAP_WORD) && is(expected), name);
	free_wrong(b, HEAP_FAULT_NOT_USED, "and is not freed again");
}

static void test_move(void)
{
	moves(0, 0, true, "[ u1000 f200 u4 f140 u4 f150 u4 u4 f600 u4 u4 t ]",
	      "what a block leaves that is moved is free");
	moves(140, 0, true, "[ u1000 f200 u4 f140 u4 f150 u4 f740 u4 u4 t ]",
	      "together with what is before it, the first of its bin");
	moves(140, 0, false, "[ u1000 f200 u4 f140 u4 f150 u4 f740 u4 u4 t ]", "or the last");
	moves(0, 150, true, "[ u1000 f200 u4 f140 u4 f150 u4 u4 f750 u4 t ]",
	      "together with what is behind it, the first of its bin");
	moves(0, 150, false, "[ u1000 f200 u4 f140 u4 f150 u4 u4 f750 u4 t ]", "or the last");
	moves(148, 160, true, "[ u1000 f200 u4 f140 u4 f150 u4 f908 u4 t ]",
	      "together with both, where each is alone in its bin");
	moves(20, 0, true, "[ u1000 f200 u4 f140 u4 f150 u4 f620 u4 u4 t ]",
	      "with the remainder before it");
	tap_ok(heap.remainder == a, "which it becomes");
	moves(0, 20, true, "[ u1000 f200 u4 f140 u4 f150 u4 u4 f620 u4 t ]", "or behind it");
	tap_ok(heap.remainder == b, "which it becomes as well");
}

/* Small blocks wait where they were, if there is room. */
static void test_move_small(void)
{
	for (size_t full = 0; full < 3; full++) {
		size_t limit;

		fresh();
		b = block(20);
		guard = block(4);
		limit = heap.quick_limit;
		if (full == 1)
			heap.quick_limit = 0;
		if (full == 2)
			quick_list(20)->last = quick_list(20)->end;
		fill(b, 19 * HEAP_WORD);
		a = resize(b, 30);
		heap.quick_limit = limit;
		tap_ok(a && a != b && filled(a, 19 * HEAP_WORD) &&
			       is(full ? "[ f20 u4 u30 t ]" : "[ c20 u4 u30 t ]"),
		       full ? "what a small block leaves is merged, if there is no room for it"
			    : "what a small block leaves waits");
	}
	fresh();
	a = block(20);
	b = block(20);
	guard = block(4);
	free_at_once(a);
	TAP_MUST(resize(b, 30));
	tap_ok(is("[ f40 u4 u30 t ]"), "or if it lies behind a free one");
}

/* Before the top, with a hook that has no more and nothing above: what is left is the top. */
static void test_move_from_end(void)
{
	for (size_t before = 0; before < 2; before++) {
		fresh_over(740 * 1024, 0);
		c = heap_malloc(&heap, 400 * 1024);
		block(4);
		a = block(20);
		b = heap_malloc(&heap, 300 * 1024);
		heap_free(&heap, c);
		if (before)
			free_at_once(a);
		fill(b, 1000);
		tap_ok(heap_realloc(&heap, b, 390 * 1024) == c && filled(c, 1000) &&
			       is(before ? "[ u* f* u4 t ]" : "[ u* f* u4 u20 t ]"),
		       "a block before the top is moved if that cannot grow");
		tap_ok(heap.given < 600 * 1024 && top_size() < HEAP_TRIM_AT,
		       "and what it leaves is given back");
	}
	fresh();
	c = block(40000);
	block(4);
	a = block(20);
	b = block(2000);
	heap_free(&heap, c);
	mute = true;
	tap_ok(resize(b, 39900) == c && is("[ u* f100 u4 u20 t ]"),
	       "or is the top's, if that is not too long then");
}

/* At the end of the heap it is the top that lies behind, and then the hook is asked first. */
static void test_slide_at_end(void)
{
	fresh();
	block(4);
	a = block(400);
	b = block(200);
	block(top_size() / HEAP_WORD);
	TAP_MUST(top_size() == 0);
	heap_free(&heap, a);
	refusing = true;
	fill(b, 199 * HEAP_WORD);
	tap_ok(resize(b, 560) == a && filled(a, 199 * HEAP_WORD) && is("[ u4 u560 f40 u* ]"),
	       "a block grows down when there is no more memory");
	fresh();
	block(4);
	a = block(400);
	b = block(200);
	heap_free(&heap, a);
	refusing = true;
	fill(b, 199 * HEAP_WORD);
	tap_ok(resize(b, top_size() / HEAP_WORD + 400) == a && filled(a, 199 * HEAP_WORD) &&
		       is("[ u4 u* t ]"),
	       "or not enough above it");
}

/* Someone else at the break */

#define FOREIGN 1003

static void test_foreign(void)
{
	fresh();
	a = block(6);
	arena_sbrk(FOREIGN);
	b = heap_malloc(&heap, 100000);
	tap_ok(b && (uintptr_t)b % HEAP_ALIGN == 0 && is("[ u* t ] [ u6 f* ]"),
	       "when someone else has moved the break, a new segment begins");
	free_binned(a);
	tap_ok(is("[ u* t ] [ f* ]"), "the old one lives on, its top in a bin");
	a = block(6);
	tap_ok(is("[ u* t ] [ u6 f* ]"), "and is allocated from");
	heap_free(&heap, b);
	free_binned(a);
	tap_ok(is("[ t ] [ f* ]"), "nothing merges across what lies between");
}

/* Who cannot grow in place: the memory that follows is another's, or nobody says where it is. */
static void test_foreign_realloc(void)
{
	size_t given;

	fresh();
	a = heap_malloc(&heap, 2000);
	fill(a, 2000);
	mute = true;
	tap_ok(!heap_realloc(&heap, a, 100000) && filled(a, 2000),
	       "a block does not grow if the hook does not say where its memory ends");
	mute = false;
	tap_ok(heap_realloc(&heap, a, 100000) == a && filled(a, 2000), "if it does, it grows");
	arena_sbrk(PAGE);
	b = heap_realloc(&heap, a, 300000);
	tap_ok(b && b != a && filled(b, 2000),
	       "where someone else has moved the break, it is copied to a new segment");
	silent("and is freed where it was");
	fresh();
	c = heap_malloc(&heap, 200000);
	block(4);
	a = heap_malloc(&heap, 2000);
	heap_free(&heap, c);
	fill(a, 2000);
	arena_sbrk(PAGE);
	given = heap.given;
	tap_ok(heap_realloc(&heap, a, 190000) == c && filled(c, 2000) && heap.given == given,
	       "or to where there is room, and then nothing is asked for");
}

static void test_foreign_trim(void)
{
	size_t given;

	fresh();
	a = block(6);
	arena_sbrk(FOREIGN);
	b = heap_malloc(&heap, 100000);
	given = break_at();
	heap_free(&heap, a);
	heap_trim(&heap, 0);
	tap_ok(given - break_at() < HEAP_GROW + PAGE && is("[ u* t ] [ f* ]"),
	       "only the newest segment can be trimmed");
	arena_sbrk(FOREIGN);
	given = break_at();
	heap_free(&heap, b);
	tap_ok(heap_trim(&heap, 0) == 0 && break_at() == given && is("[ t ] [ f* ]"),
	       "and not while someone else's memory is above it");
	arena_sbrk(-FOREIGN);
	tap_ok(heap_trim(&heap, 0) > 0 && is("[ t ]"),
	       "when that is gone, it is given back, and the older segment is the newest");
	tap_ok(break_at() == break_at() / PAGE * PAGE + FOREIGN && heap_trim(&heap, 0) == 0,
	       "which waits for its turn");
	arena_sbrk(-FOREIGN);
	tap_ok(heap_trim(&heap, 0) > 0 && arena_is_empty() && is(""), "until all is back");
}

static void test_foreign_continued(void)
{
	fresh();
	a = block(6);
	arena_sbrk(FOREIGN);
	b = heap_malloc(&heap, 100000);
	heap_free(&heap, b);
	heap_trim(&heap, 0);
	arena_sbrk(-FOREIGN);
	tap_ok(is("[ u6 t ]"), "with the newest segment gone, the older one has its top again");
	free_wrong(start, HEAP_FAULT_RANGE, "nothing below it belongs to the heap");
	free_wrong(b, HEAP_FAULT_RANGE, "nor above, where the newest one was");
	c = heap_malloc(&heap, 200000);
	tap_ok((char *)c == (char *)a + 6 * HEAP_WORD && is("[ u6 u* t ]"), "and is continued");
}

/* An older segment that ends in a block in use has no top to return to. */
static void test_foreign_continued_full(void)
{
	fresh();
	a = block(6);
	b = block(top_size() / HEAP_WORD);
	arena_sbrk(FOREIGN);
	c = block(6);
	heap_free(&heap, c);
	heap_trim(&heap, 0);
	arena_sbrk(-FOREIGN);
	tap_ok(is("[ u6 u* ]"), "an older segment that is full has no top");
	c = block(6);
	tap_ok(c == footer(b) + 2 && is("[ u6 u* u6 t ]"), "and is continued as well");
}

static void test_scattered(void)
{
	void *ptr[3];

	fresh();
	a = block(6);
	scatter = 30011;
	for (int i = 0; i < 3; i++)
		ptr[i] = heap_malloc(&heap, 100000);
	tap_ok(ptr[0] && ptr[1] && ptr[2] && heap_check(&heap, NULL) && adds_up(),
	       "memory need not come from where sbrk(0) says");
	memset(ptr[1], 0xFF, 100000);
	for (int i = 0; i < 3; i++)
		heap_free(&heap, ptr[i]);
	scatter = 0;
	tap_ok(heap_realloc(&heap, a, 50000) && heap_check(&heap, NULL) && adds_up(),
	       "and all of it is used");
}

static void test_descending(void)
{
	attic_end = attic + sizeof(attic);
	heap_init(&heap, attic_hook);
	a = heap_malloc(&heap, 100000);
	b = heap_malloc(&heap, 100000);
	tap_ok(b < a && is("[ u* t ] [ u* f* ]"), "memory may come from below what came before");
	heap_free(&heap, a);
	heap_free(&heap, b);
	tap_ok(is("[ t ] [ f* ]"), "and blocks of both segments are freed");
	tap_ok(heap_trim(&heap, 0) == 0 && is("[ t ] [ f* ]"),
	       "a hook need not take back anything");
}

/* Regions of the attic in any order, each continued where there is room, and taken back. */

#define REGIONS 4
#define REGION	(sizeof(attic) / REGIONS)

static struct {
	const unsigned char *order;
	size_t used[REGIONS];
	unsigned int n;
	bool apart; /* what is given next comes from the next region */
} regions;

static char *region(unsigned int i)
{
	return attic + regions.order[i] * REGION;
}

static void *region_hook(intptr_t increment)
{
	unsigned int last = regions.n - 1;
	void *before = regions.n ? region(last) + regions.used[last] : attic;

	if (increment > 0 && (regions.apart || regions.n == 0)) {
		TAP_MUST(regions.n < REGIONS);
		last = regions.n++;
		before = region(last);
		regions.used[last] = 0;
	}
	if (increment == 0)
		return before;
	if (refusing || regions.used[last] + (size_t)increment > REGION)
		return HEAP_SBRK_FAILED;
	regions.used[last] += (size_t)increment;
	regions.n -= regions.used[last] == 0;
	return before;
}

/* The range in which there can be blocks is that of the regions there are. */
static bool range_is_right(void)
{
	uintptr_t low = UINTPTR_MAX, high = 0;

	for (unsigned int i = 0; i < regions.n; i++) {
		uintptr_t first = (uintptr_t)region(i) + (RECORD + 1) * HEAP_WORD;
		uintptr_t end = (uintptr_t)region(i) + regions.used[i];

		low = first < low ? first : low;
		high = end > high ? end : high;
	}
	return heap.low == low && heap.high == high && heap_check(&heap, NULL) && adds_up() &&
	       faults == 0;
}

/* Segments come, are lengthened and shortened, and go. */
static bool come_and_go(const unsigned char *order)
{
	char *ptr[REGIONS];
	bool right = true, inside;
	size_t used;

	regions.order = order;
	regions.n = 0;
	heap_init(&heap, region_hook);
	heap_set_fault(&heap, on_fault);
	for (size_t i = 0; i < REGIONS; i++) {
		regions.apart = true;
		ptr[i] = heap_malloc(&heap, 50000);
		right &= range_is_right() && regions.n == i + 1;
		regions.apart = false;
		right &= heap_realloc(&heap, ptr[i], 180000) == ptr[i] && range_is_right();
		heap_trim(&heap, 0);
		right &= range_is_right();
		memset(ptr[i], (int)i, 180000);
	}
	for (size_t i = REGIONS; i > 0; i--) {
		/* The top is long enough then to give memory back by itself. */
		used = regions.used[i - 1];
		right &= heap_realloc(&heap, ptr[i - 1], 20000) == ptr[i - 1] &&
			 regions.used[i - 1] < used && range_is_right();
		refusing = true;
		heap_free(&heap, ptr[i - 1]);
		right &= heap_trim(&heap, 0) == 0 && range_is_right() && regions.n == i;
		refusing = false;
		right &= heap_trim(&heap, 0) > 0 && range_is_right() && regions.n == i - 1;
		/* There may be regions on both sides of the one that is gone. */
		inside = (uintptr_t)ptr[i - 1] > heap.low && (uintptr_t)ptr[i - 1] < heap.high;
		right &= heap_free(&heap, ptr[i - 1]) == 0 && faults == 1 &&
			 last_fault.kind == (inside ? HEAP_FAULT_NOT_USED : HEAP_FAULT_RANGE);
		faults = 0;
		right &= i == 1 || (heap_usable_size(&heap, ptr[i - 2]) >= 180000 &&
				    ptr[i - 2][179999] == (char)(i - 2));
	}
	return right;
}

static void test_regions(void)
{
	unsigned char order[REGIONS];
	bool right = true;
	size_t orders = 0;

	fresh();
	for (size_t i = 0; i < 256; i++) {
		unsigned int seen = 0;

		for (size_t j = 0; j < REGIONS; j++)
			seen |= 1U << (order[j] = (unsigned char)(i >> 2 * j & 3));
		if (seen != 15)
			continue;
		right &= come_and_go(order);
		orders++;
	}
	tap_ok(right && orders == 24,
	       "whatever the order of regions, the heap knows where they begin and end");
}

/* Quick lists: small blocks that are freed wait there, and neighbours take them for used. */

/* How many blocks of so many words can wait, if none of another length do. */
static size_t room_for(size_t words)
{
	size_t size = words * HEAP_WORD, most = heap.quick_limit / size;

	if (most > HEAP_QUICK_BYTES / size)
		most = HEAP_QUICK_BYTES / size;
	if (most > HEAP_QUICK_MOST)
		most = HEAP_QUICK_MOST;
	return most;
}

static size_t cached_blocks(void)
{
	struct heap_stats stats;

	heap_stats(&heap, &stats);
	return stats.cached_blocks;
}

static bool same_memory(void)
{
	return break_at() == break_before && !memcmp(start, memory_before, break_before);
}

static void test_quick(void)
{
	three_blocks();
	memset(b, 0x5A, heap_usable_size(&heap, b));
	freeze();
	tap_ok(heap_free(&heap, b) == 8 * HEAP_WORD && is("[ u6 c8 u10 u4 t ]"),
	       "a small block that is freed waits in a quick list");
	*header(b) ^= CACHED;
	tap_ok(same_memory(), "and but for a bit of its header nothing has changed");
	*header(b) ^= CACHED;
	tap_ok(block(8) == b && same_memory() && is("[ u6 u8 u10 u4 t ]"),
	       "the next request of its length gets it, and all is as it was");
	heap_free(&heap, b);
	tap_ok(block(6) != b && block(10) != b && is("[ u6 c8 u10 u4 u6 u10 t ]"),
	       "requests of other lengths do not");
}

static void test_quick_neighbours(void)
{
	three_blocks();
	heap_free(&heap, a);
	heap_free(&heap, c);
	heap_free(&heap, b);
	heap_free(&heap, guard);
	tap_ok(is("[ c6 c8 c10 c4 t ]"), "blocks that wait are not merged, nor with the top");
	settle();
	tap_ok(is("[ t ]"), "until heap_trim() does it");
	three_blocks();
	free_binned(c);
	heap_free(&heap, b);
	tap_ok(is("[ u6 c8 f10 u4 t ]"), "nor with a free one behind them");
	settle();
	tap_ok(is("[ u6 f18 u4 t ]"), "until then");
	three_blocks();
	free_binned(a);
	tap_ok(heap_free(&heap, b) == 8 * HEAP_WORD && is("[ f14 u10 u4 t ]"),
	       "behind a free one none waits: it is merged at once");
	three_blocks();
	free_binned(a);
	free_binned(c);
	tap_ok(heap_free(&heap, b) == 8 * HEAP_WORD && is("[ f24 u4 t ]"),
	       "with what is free on both sides");
}

static void test_quick_order(void)
{
	void *ptr[3];
	bool newest_first = true;

	fresh();
	for (size_t i = 0; i < 3; i++)
		ptr[i] = block(8);
	for (size_t i = 0; i < 3; i++)
		heap_free(&heap, ptr[i]);
	tap_ok(is("[ c8 c8 c8 t ]"), "several of one length wait");
	for (size_t i = 3; i > 0; i--)
		newest_first &= block(8) == ptr[i - 1];
	tap_ok(newest_first && is("[ u8 u8 u8 t ]"), "the one freed last is handed out first");
}

static void test_quick_room(void)
{
	void *ptr[HEAP_QUICK_MOST + 2];
	bool right = true;

	for (size_t words = 4; words <= MAX_SMALL + 4; words += 2) {
		size_t room = words <= MAX_SMALL ? room_for(words) : 0;

		fresh();
		for (size_t i = 0; i < room + 2; i++)
			ptr[i] = block(words);
		guard = block(words);
		for (size_t i = 0; i < room + 2; i++)
			right &= heap_free(&heap, ptr[i]) == words * HEAP_WORD;
		right &= cached_blocks() == room && adds_up() && heap_check(&heap, NULL) &&
			 heap_count_cached(&heap) == room * words * HEAP_WORD;
		free_binned(guard);
		right &= is("[ t ]");
	}
	tap_ok(right, "only so many blocks wait of each small length, and none of others");
}

/* So many blocks of so many words are freed, one after the other, and a block before the top. */
static void free_many(size_t words, size_t n)
{
	void *ptr[HEAP_QUICK_MOST + 2];

	TAP_MUST(n <= HEAP_QUICK_MOST + 2);
	for (size_t i = 0; i < n; i++)
		ptr[i] = block(words);
	for (size_t i = 0; i < n; i++)
		heap_free(&heap, ptr[i]);
}

/* All the room that there may be is had by lists that nothing waits in: what has waited there is
 * taken again, and given to the top behind it. */
static void use_up_room(void)
{
	heap_free(&heap, block(MAX_SMALL + 2)); /* there is a heap to have a part of */
	for (size_t words = MAX_SMALL; words >= 4; words -= 2) {
		while (quick_room(quick_list(words)) < room_for(words) &&
		       heap.quick_room + words * HEAP_WORD <= heap.quick_limit) {
			size_t n = quick_room(quick_list(words)) + 1;

			free_many(words, n);
			for (size_t i = 0; i < n; i++)
				heap_free(&heap, resize(block(words), MAX_SMALL + 2));
		}
	}
}

/* A list with so much room, where others may have room too. */
static bool has_room_too(size_t words, size_t room)
{
	return quick_room(quick_list(words)) == room && quick_lists_are_right(&heap);
}

/* A list with the room that it must have after so many blocks were freed, and no other list has any. */
static bool has_room(size_t words, size_t room)
{
	return has_room_too(words, room) && heap.quick_room == room * words * HEAP_WORD;
}

static void test_quick_gets_room(void)
{
	void *ptr[HEAP_QUICK_MOST + 2];
	bool exact = true, kept = true;

	for (size_t words = 4; words <= MAX_SMALL; words += 2) {
		size_t most, before;

		fresh();
		for (size_t i = 0; i < HEAP_QUICK_MOST + 2; i++)
			ptr[i] = block(words);
		most = room_for(words);
		exact &= has_room(words, 0);
		for (size_t i = 0; i < HEAP_QUICK_MOST + 2; i++) {
			heap_free(&heap, ptr[i]);
			exact &= has_room(words, i < most ? i + 1 : most) &&
				 cached_blocks() == quick_room(quick_list(words));
		}
		before = heap.quick_room;
		for (size_t i = 0; i < most; i++)
			ptr[i] = block(words);
		kept &= cached_blocks() == 0 && heap.quick_room == before;
		for (size_t i = 0; i < most; i++)
			heap_free(&heap, ptr[i]);
		kept &= cached_blocks() == most && has_room(words, most);
	}
	tap_ok(exact, "a quick list that is full gets room for a block more, as long as it may");
	tap_ok(kept, "and has it from then on");
}

static void test_quick_most(void)
{
	bool right = true;

	fresh();
	a = heap_malloc(&heap, 3 << 20);
	guard = block(4);
	free_many(4, HEAP_QUICK_MOST + 2);
	tap_ok(has_room(4, HEAP_QUICK_MOST) && cached_blocks() == HEAP_QUICK_MOST &&
		       heap.quick_room + 4 * HEAP_WORD <= heap.quick_limit,
	       "no list gets more than HEAP_QUICK_MOST, though there may be more in all");
	free_many(6, 3);
	tap_ok(quick_room(quick_list(6)) == 3, "but another one does");
	for (size_t words = 40; words <= MAX_SMALL; words += 30)
		free_many(words, 10);
	for (size_t words = 40; words <= MAX_SMALL; words += 30)
		right &= quick_room(quick_list(words)) == HEAP_QUICK_BYTES / (words * HEAP_WORD);
	tap_ok(right, "nor more than HEAP_QUICK_BYTES");
}

static void test_quick_limit(void)
{
	size_t limit;

	fresh();
	guard = block(4);
	limit = heap.quick_limit;
	tap_ok(limit == HEAP_QUICK_LEAST + break_at() / HEAP_QUICK_PART && limit > HEAP_QUICK_LEAST,
	       "all quick lists together may have room for a part of the heap");
	use_up_room();
	TAP_MUST(quick_room(quick_list(8)) == 0);
	free_many(8, 2);
	tap_ok(quick_room(quick_list(8)) == 0 && cached_blocks() == 0,
	       "what one list has got, another one has not");
	b = block(8);
	c = block(8);
	a = heap_malloc(&heap, 240 * 1024);
	tap_ok(heap.quick_limit == HEAP_QUICK_LEAST + break_at() / HEAP_QUICK_PART &&
		       heap.quick_limit > limit + 500,
	       "they may have more when the heap grows");
	heap_free(&heap, b);
	heap_free(&heap, c);
	tap_ok(quick_room(quick_list(8)) == 2 && cached_blocks() == 2, "which is then got");
	heap_free(&heap, a);
	tap_ok(heap.quick_limit == HEAP_QUICK_LEAST + break_at() / HEAP_QUICK_PART &&
		       heap.quick_limit < limit + 500,
	       "and less when it shrinks");
	no_rounds();
	free_many(10, 2);
	free_many(8, 3);
	tap_ok(quick_room(quick_list(10)) == 0 && quick_room(quick_list(8)) == 2 &&
		       cached_blocks() == 2 && quick_lists_are_right(&heap),
	       "when none gets more, and each has what it has got");
}

/* [ a8 ][ u4 ][ b ][ c202 ]: @b waits, and its list is the next to give room. */
static void one_waits(size_t words)
{
	fresh();
	a = block(8);
	block(4);
	b = block(words);
	c = block(202);
	guard = block(4);
	heap_free(&heap, b);
	TAP_MUST(has_room(words, 1) && cached_blocks() == 1);
	heap.lender = (words - 4) / 2;
}

/* As heap_free(), where there may be no more room than there is, or so much less. */
static size_t free_without_room(void *ptr, size_t less)
{
	size_t limit = heap.quick_limit, freed;

	heap.quick_limit = heap.quick_room - less;
	freed = heap_free(&heap, ptr);
	heap.quick_limit = limit;
	return freed;
}

/* A list that has none gets room of others, though all that there may be is had. */
static void test_quick_borrows(void)
{
	one_waits(20);
	tap_ok(free_without_room(a, 0) == 8 * HEAP_WORD && is("[ c8 u4 f20 u202 u4 t ]") &&
		       has_room(8, 1) && heap.lender == 9,
	       "a list without room gets a place for which a block is merged");
	TAP_MUST(block(8) == a && block(20) == b);
	heap.lender = 2;
	tap_ok(free_without_room(b, 0) == 20 * HEAP_WORD && is("[ u8 u4 f20 u202 u4 t ]") &&
		       heap.quick_room == 0,
	       "one in which nothing is is given up, though it is too short");
	one_waits(6);
	tap_ok(free_without_room(a, 0) && is("[ f8 u4 c6 u202 u4 t ]") && has_room(6, 1) &&
		       heap.lender == 2,
	       "no block is merged for a place that is too short");
	one_waits(20);
	free_at_once(c);
	tap_ok(free_without_room(a, 0) && is("[ f8 u4 c20 f202 u4 t ]") && has_room(20, 1),
	       "nor one that a free block lies behind");
	one_waits(20);
	tap_ok(free_without_room(a, 1) && is("[ f8 u4 c20 u202 u4 t ]") && has_room(20, 1),
	       "nor any in a heap whose lists have too much room as it is");
	one_waits(20);
	heap.lender = HEAP_CLASSES - 1;
	tap_ok(free_without_room(a, 0) && is("[ f8 u4 c20 u202 u4 t ]") && heap.lender == 0,
	       "a list that has none itself gives none, and after the last it is the first's turn");
}

/* Who frees a small block may be the one to find that another, which waits, is damaged. */
static void test_quick_borrows_from_damaged(void)
{
	one_waits(20);
	*header(b) ^= IN_USE;
	heap.lender = 8;
	tap_ok(free_without_room(a, 0) == 0 && faults == 1 &&
		       last_fault.kind == HEAP_FAULT_NOT_USED && last_fault.block == header(b),
	       "a block that waits is looked at before it is merged");
	faults = 0;
	*header(b) ^= IN_USE;
	heap.lender = 8;
	tap_ok(is("[ u8 u4 c20 u202 u4 t ]") && free_without_room(a, 0) == 8 * HEAP_WORD &&
		       is("[ c8 u4 f20 u202 u4 t ]"),
	       "then nothing is freed, and a whole one makes room");
}

/* [ b ][ f202 ], and the first is freed. */
static void free_before_free(void)
{
	block(4);
	b = block(8);
	c = block(202);
	guard = block(10);
	heap_free(&heap, c);
	TAP_MUST(heap_free(&heap, b) == 8 * HEAP_WORD);
}

static void test_quick_full(void)
{
	fresh();
	use_up_room();
	free_before_free();
	tap_ok(is("[ u4 f210 u10 t ]"), "a block that there is no room for is merged at once");
	TAP_MUST(block(MAX_SMALL) == b);
	heap_free(&heap, b);
	tap_ok(is("[ u4 c130 f80 u10 t ]"), "other lists are not full for that");
	fresh();
	free_before_free();
	tap_ok(is("[ u4 c8 f202 u10 t ]"), "one that gets room waits");
}

static void test_trim_merges_only(void)
{
	size_t given;

	fresh();
	a = heap_malloc(&heap, HEAP_TRIM_AT - PAGE);
	b = block(4);
	heap_free(&heap, b);
	heap_free(&heap, a);
	given = break_at();
	tap_ok(heap_trim(&heap, SIZE_MAX) == 0 && break_at() == given && is("[ t ]") &&
		       top_size() > HEAP_TRIM_AT,
	       "heap_trim(SIZE_MAX) merges all, and gives nothing back");
	a = heap_malloc(&heap, HEAP_TRIM_AT - PAGE);
	TAP_MUST(block(4) == b);
	heap_free(&heap, b);
	heap_free(&heap, a);
	given = break_at();
	tap_ok(heap_trim(&heap, HEAP_TRIM_AT) == given - break_at() && top_size() >= HEAP_TRIM_AT &&
		       top_size() < HEAP_TRIM_AT + PAGE,
	       "what else is to be kept stays as well");
	a = heap_malloc(&heap, HEAP_TRIM_AT - PAGE);
	TAP_MUST(block(4) == b);
	heap_free(&heap, b);
	heap_free(&heap, a);
	given = break_at();
	tap_ok(heap_trim(&heap, 0) == given && arena_is_empty(),
	       "and all that is given back is counted");
}

/* The remainder */

static bool remainder_is(void *ptr, size_t words)
{
	return heap.remainder == ptr && heap.remainder_size == words * HEAP_WORD;
}

static bool no_remainder(void)
{
	return !heap.remainder && heap.remainder_size == 0;
}

static void test_remainder(void)
{
	fresh();
	a = block(60);
	block(4);
	free_merged(a);
	tap_ok(block(6) == a && remainder_is(behind(a, 6), 54) && heap.summary == 0 &&
		       is("[ u6 f54 u4 t ]"),
	       "what is left of a block split for a small request is the remainder, in no bin");
	tap_ok(block(8) == behind(a, 6) && block(10) == behind(a, 14) &&
		       remainder_is(behind(a, 24), 36) && is("[ u6 u8 u10 f36 u4 t ]"),
	       "which the next small requests carve up side by side");
	tap_ok(heap_memalign(&heap, HEAP_ALIGN, 9 * HEAP_WORD) == behind(a, 24) &&
		       remainder_is(behind(a, 34), 26) && is("[ u6 u8 u10 u10 f26 u4 t ]"),
	       "aligned ones too");
	tap_ok(block(24) == behind(a, 34) && no_remainder() && is("[ u6 u8 u10 u10 u26 u4 t ]"),
	       "and which goes whole when too little would be left");
	fresh();
	a = block(MOST + 100);
	block(4);
	heap_free(&heap, a);
	tap_ok(block(MOST) == a && no_remainder() && heap.summary && is("[ u* f100 u4 t ]"),
	       "what a large request leaves is in a bin");
}

static void test_remainder_replaced(void)
{
	fresh();
	a = block(20);
	block(4);
	b = block(40);
	block(4);
	free_binned(a);
	free_binned(b);
	TAP_MUST(block(12) == a && remainder_is(behind(a, 12), 8));
	tap_ok(block(30) == b && remainder_is(behind(b, 30), 10) &&
		       is("[ u12 f8 u4 u30 f10 u4 t ]"),
	       "a remainder too small for a request is replaced");
	tap_ok(heap.summary && block(8) == behind(a, 12) && is("[ u12 u8 u4 u30 f10 u4 t ]"),
	       "and goes to a bin, where it is found");
}

/* Requests that are not small take the remainder where it fits best. */
static void test_remainder_large(void)
{
	fresh();
	a = block(400);
	block(4);
	b = block(200);
	block(4);
	c = block(500);
	block(4);
	heap_free(&heap, a);
	TAP_MUST(block(6) == a && remainder_is(behind(a, 6), 394));
	heap_free(&heap, b);
	heap_free(&heap, c);
	tap_ok(block(200) == b && is("[ u6 f394 u4 u200 u4 f500 u4 t ]"),
	       "a large request passes by a remainder that fits less well than a block in a bin");
	tap_ok(block(198) == behind(a, 6) && remainder_is(behind(a, 204), 196) &&
		       is("[ u6 u198 f196 u4 u200 u4 f500 u4 t ]"),
	       "and takes it when there is none, and what is left is still the remainder");
	tap_ok(block(194) == behind(a, 204) && no_remainder() &&
		       is("[ u6 u198 u196 u4 u200 u4 f500 u4 t ]"),
	       "also before a block of another bin that fits less well");
}

/* What is freed becomes the remainder, and the one before goes to a bin. */

static bool only_in_bin(void *ptr)
{
	struct heap_block **prev = ((struct heap_block ***)ptr)[1];

	return ((void **)ptr)[0] == NULL && prev >= heap.bins && prev < heap.bins + HEAP_BINS &&
	       *prev == ptr;
}

static void test_freed_is_remainder(void)
{
	fresh();
	a = block(20);
	block(4);
	b = block(134);
	block(4);
	free_merged(a);
	tap_ok(remainder_is(a, 20) && heap.summary == 0 && is("[ f20 u4 u134 u4 t ]"),
	       "a small block that is merged with nothing becomes the remainder");
	heap_free(&heap, b);
	tap_ok(remainder_is(b, 134) && only_in_bin(a) && is("[ f20 u4 f134 u4 t ]"),
	       "so does one that just is not small, and the remainder before it goes to its bin");
	tap_ok(block(20) == a && remainder_is(b, 134) && heap.summary == 0 &&
		       is("[ u20 u4 f134 u4 t ]"),
	       "where it is found before the new one is carved up");
	tap_ok(block(10) == b && block(12) == behind(b, 10) && remainder_is(behind(b, 22), 112),
	       "which the next small requests do");
}

static void test_freed_by_round_is_remainder(void)
{
	fresh();
	a = block(20);
	block(4);
	b = block(22);
	block(4);
	heap_free(&heap, a);
	heap_free(&heap, b);
	start_round((20 - 4) / 2);
	TAP_MUST(block(30));
	tap_ok(remainder_is(a, 20) && is("[ f20 u4 c22 u4 u30 t ]"),
	       "what a round merges becomes the remainder");
	TAP_MUST(block(32));
	tap_ok(remainder_is(b, 22) && only_in_bin(a), "for as long as it merges no other");
}

static void test_freed_too_large_for_remainder(void)
{
	fresh();
	a = block(20);
	block(4);
	b = block(MOST);
	block(4);
	c = block(MOST + 2);
	block(4);
	free_merged(a);
	heap_free(&heap, c);
	tap_ok(remainder_is(a, 20) && only_in_bin(c),
	       "a freed block that is too long for that goes to a bin, and the remainder stays");
	heap_free(&heap, b);
	tap_ok(remainder_is(b, MOST) && only_in_bin(a), "one shorter by a unit does not");
	fresh();
	a = block(MOST - 2);
	b = block(4);
	block(4);
	c = block(6);
	block(4);
	free_binned(a);
	free_merged(c);
	free_merged(b);
	tap_ok(remainder_is(c, 6) && only_in_bin(a) && is("[ f* u4 f6 u4 t ]"),
	       "what counts is how long it is when it is merged");
	fresh();
	a = block(MOST);
	b = block(6);
	block(4);
	free_merged(a);
	free_merged(b);
	tap_ok(remainder_is(a, MOST + 6) && heap.summary == 0,
	       "unless it is merged with the remainder, which stays that, however long");
}

/* What lies before an aligned block is as if it were freed. */
static void test_lead_is_remainder(void)
{
	fresh();
	a = block(20);
	block(4);
	free_merged(a);
	b = heap_memalign(&heap, 64 * HEAP_WORD, MAX_SMALL * HEAP_WORD);
	tap_ok((uintptr_t)b % (64 * HEAP_WORD) == 0 && remainder_is(behind(a, 24), 34) &&
		       only_in_bin(a) && is("[ f20 u4 f34 u* t ]"),
	       "what is left before an aligned block becomes the remainder");
	fresh();
	a = block(20);
	block(4);
	free_merged(a);
	b = heap_memalign(&heap, 2 * PAGE, MAX_SMALL * HEAP_WORD);
	TAP_MUST(length(behind(a, 24)) > HEAP_REMAINDER_MOST);
	tap_ok(remainder_is(a, 20) && only_in_bin(behind(a, 24)),
	       "or goes to a bin, if it is too long");
}

/* Small and large from the top by turns: large ones leave gaps of 128 words for small ones. */

static void test_gap(void)
{
	fresh();
	TAP_MUST(turn(8) && turn(200));
	tap_ok(is("[ u8 u200 t ]"), "the first large block lies beside the small ones before it");
	a = turn(8);
	b = turn(200);
	tap_ok(remainder_is(behind(a, 8), 128) && b == behind(a, 136) &&
		       is("[ u8 u200 u8 f128 u200 t ]"),
	       "the next leaves a gap if another small one came from the top since, the remainder");
	TAP_MUST(turn(200) && turn(60) && turn(200) && turn(54) && turn(200));
	tap_ok(remainder_is(behind(a, 122), 14) &&
		       is("[ u8 u200 u8 u60 u54 f14 u200 u200 u200 u200 t ]"),
	       "where small ones lie then, and large ones side by side");
	TAP_MUST(turn(20) && turn(200));
	tap_ok(heap.summary != 0 &&
		       is("[ u8 u200 u8 u60 u54 f14 u200 u200 u200 u200 u20 f128 u200 t ]"),
	       "until it is too short: another takes its place, and it goes to a bin");
	tap_ok(turn(14) == behind(a, 122), "which is looked into before the new one is");
}

/* A large block from the top, and a small one. */
static void *one_turn(void)
{
	fresh();
	TAP_MUST(turn(8) && turn(200));
	return turn(8);
}

/* Where no gap is left. */
static void test_no_gap(void)
{
	one_turn();
	TAP_MUST(turn(120) && turn(200));
	tap_ok(is("[ u8 u200 u8 u120 u200 t ]"), "small blocks that fill a gap need none");
	one_turn();
	TAP_MUST(turn(118) && turn(200));
	tap_ok(is("[ u8 u200 u8 u118 f128 u200 t ]"), "but shorter ones do");
	b = one_turn();
	a = turn(length(heap.top) / HEAP_WORD - 126);
	tap_ok(a == behind(b, 8) && is("[ u8 u200 u8 u* t ]"),
	       "none is left if the top is too short for both");
	b = one_turn();
	a = turn(length(heap.top) / HEAP_WORD - 128);
	tap_ok(a == behind(b, 136) && is("[ u8 u200 u8 f128 u* ]") && heap.top == heap.fence,
	       "else all of it may be taken");
	fresh();
	TAP_MUST((b = turn(300)) && turn(200) && turn(8));
	heap_free(&heap, b);
	tap_ok(turn(290) == b && is("[ u290 f10 u200 u8 t ]"),
	       "nor before a large block that a bin has");
}

/* Freed, they are one free block: by turns with small ones each of them would be one. */
static void test_large_lie_together(void)
{
	void *large[64];
	bool among = true;

	fresh();
	for (size_t i = 0; i < 64; i++)
		TAP_MUST(turn(6) && (large[i] = turn(200)));
	for (size_t i = 0; i < 64; i++)
		heap_free(&heap, large[i]);
	for (size_t i = 0; i < 12; i++)
		among &= turn(600) < large[63];
	tap_ok(among && heap_check(&heap, NULL),
	       "large blocks freed beside small ones make room for larger ones");
}

/* Whatever lies before an aligned block merges with the gap. */
static void test_gap_before_lead(void)
{
	one_turn();
	a = heap_memalign(&heap, 512 * HEAP_WORD, 200 * HEAP_WORD);
	tap_ok((uintptr_t)a % (512 * HEAP_WORD) == 0 && is("[ u8 u200 u8 f* u* t ]") &&
		       heap.remainder && heap.remainder_size > 128 * HEAP_WORD,
	       "a gap grows by what is left before an aligned block");
	heap_free(&heap, a);
	tap_ok(is("[ u8 u200 u8 t ]"), "and merges with that");
}

/*
 *	[ x ][ y ][ remainder ][ z ]
 */
static void test_remainder_merges(void)
{
	void *x, *y, *z;

	fresh();
	a = block(60);
	z = block(80);
	guard = block(4);
	free_merged(a);
	x = block(6);
	y = block(8);
	TAP_MUST(remainder_is(behind(y, 8), 46));
	free_merged(y);
	tap_ok(remainder_is(y, 54) && is("[ u6 f54 u80 u4 t ]"),
	       "a remainder merged with a block before it stays the remainder");
	free_merged(z);
	tap_ok(remainder_is(y, 134) && is("[ u6 f134 u4 t ]"), "and with one behind it");
	TAP_MUST(block(34) == y && remainder_is(behind(y, 34), 100));
	free_merged(resize(y, 80));
	tap_ok(remainder_is(y, 134) && is("[ u6 f134 u4 t ]"), "also when that was resized");
	free_merged(x);
	tap_ok(remainder_is(x, 140) && is("[ f140 u4 t ]"), "also if it comes to be the first");
	free_merged(guard);
	tap_ok(no_remainder() && is("[ t ]"), "and merged with the top it is the top");
}

/* [ free ][ x ][ remainder ]: what is merged on both sides is the remainder too. */
static void test_remainder_merges_both(void)
{
	void *x;

	fresh();
	a = block(60);
	guard = block(4);
	free_merged(a);
	b = block(10);
	x = block(6);
	TAP_MUST(remainder_is(behind(x, 6), 44));
	free_merged(b);
	TAP_MUST(is("[ f10 u6 f44 u4 t ]"));
	free_merged(x);
	tap_ok(remainder_is(a, 60) && heap.summary == 0 && is("[ f60 u4 t ]"),
	       "between a free block and the remainder a freed one becomes the remainder");
	tap_ok(block(60) == a && no_remainder() && is("[ u60 u4 t ]"), "which can be had");
	free_merged(a);
	b = block(10);
	TAP_MUST(remainder_is(behind(a, 10), 50));
	c = block(50);
	TAP_MUST(no_remainder());
	free_merged(b);
	TAP_MUST(block(4) == a && remainder_is(behind(a, 4), 6));
	free_merged(c);
	tap_ok(remainder_is(behind(a, 4), 56) && is("[ u4 f56 u4 t ]"),
	       "and so does one behind it");
}

static void test_remainder_resized(void)
{
	fresh();
	a = block(60);
	block(4);
	free_merged(a);
	TAP_MUST(block(6) == a);
	tap_ok(resize(a, 20) == a && remainder_is(behind(a, 20), 40) && is("[ u20 f40 u4 t ]"),
	       "a block grows into the remainder, and what is left is the remainder");
	tap_ok(resize(a, 10) == a && remainder_is(behind(a, 10), 50) && is("[ u10 f50 u4 t ]"),
	       "shrinks, and what it leaves belongs to it");
	tap_ok(resize(a, 58) == a && no_remainder() && is("[ u60 u4 t ]"), "or takes it whole");
	tap_ok(resize(a, 40) == a && no_remainder() && is("[ u40 f20 u4 t ]"),
	       "what a block leaves by itself is in a bin");
}

static void test_remainder_at_older_end(void)
{
	fresh();
	a = block(6);
	arena_sbrk(FOREIGN);
	b = heap_malloc(&heap, 100000);
	c = block(8);
	TAP_MUST(c == behind(a, 6) && remainder_is(behind(c, 8), heap.remainder_size / HEAP_WORD));
	tap_ok(is("[ u* t ] [ u6 u8 f* ]"), "the remainder may end an older segment");
	heap_free(&heap, b);
	heap_trim(&heap, 0);
	arena_sbrk(-FOREIGN);
	tap_ok(no_remainder() && is("[ u6 u8 t ]"), "and is the top when that is the newest again");
}

/* Rounds through the quick lists: when the heap has grown, what waits is merged bit by bit. */

/* Requests that only the top has enough for, until nothing waits; how many, 0 if there is no end. */
static size_t grow_until_merged(bool *one_each)
{
	for (size_t n = 1; n <= 200; n++) {
		size_t before = cached_blocks();

		TAP_MUST(block(MAX_SMALL));
		*one_each &= cached_blocks() + 1 >= before;
		if (cached_blocks() == 0)
			return n;
	}
	return 0;
}

/* Two blocks each of eight lengths wait in a heap of many. */
static void many_wait(void)
{
	static void *ptr[3000];

	fresh();
	heap.drain_at = 0;
	for (size_t i = 0; i < 3000; i++)
		ptr[i] = block(4 + i % 8 * 2);
	TAP_MUST(cached_blocks() == 0);
	for (size_t i = 20; i < 36; i++)
		heap_free(&heap, ptr[i * 10 + i % 8]);
}

static void test_drain(void)
{
	bool one_each = true, stays = true;
	size_t requests;

	many_wait();
	tap_ok(cached_blocks() == 16, "blocks wait as long as the heap does not grow");
	requests = grow_until_merged(&one_each);
	tap_ok(requests > 0 && heap_check(&heap, NULL) && adds_up(),
	       "when it has grown, they are merged");
	tap_ok(one_each, "never more than one in a call");
	printf("# 16 in %zu requests\n", requests);
	while ((uintptr_t)heap.top + MAX_SMALL * HEAP_WORD > heap.drain_at)
		block(MAX_SMALL);
	a = block(4);
	b = block(6);
	heap_free(&heap, a);
	heap_free(&heap, b);
	for (char *end = (char *)heap.top + ((char *)heap.top - (char *)heap.low) / 256;
	     (char *)heap.top < end;)
		stays &= block(MAX_SMALL - 2) && cached_blocks() == 2;
	tap_ok(stays, "after a round they wait again, while the heap grows by less than a part");
	one_each = true;
	requests = grow_until_merged(&one_each);
	tap_ok(requests > 0 && one_each, "and then there is another round");
}

/* The round after next is measured from where the heap ends then, not from where it once did. */
static void test_drain_after_shrinking(void)
{
	static void *ptr[HEAP_CLASSES + 8]; /* enough for a round */
	uintptr_t far;

	fresh();
	heap.drain_at = 0;
	guard = block(4);
	a = heap_malloc(&heap, 1 << 20);
	for (size_t i = 0; i < HEAP_CLASSES + 8; i++)
		ptr[i] = block(MAX_SMALL);
	far = heap.drain_at;
	TAP_MUST(far > (uintptr_t)a + (1 << 20));
	for (size_t i = 0; i < HEAP_CLASSES + 8; i++)
		heap_free(&heap, ptr[i]);
	heap_free(&heap, a);
	heap_trim(&heap, 0);
	tap_ok(is("[ u4 t ]") && heap.drain_at < (uintptr_t)a + HEAP_ALIGN,
	       "a heap that has become shorter has its next round sooner");
	heap_free(&heap, guard);
	heap_trim(&heap, 0);
	tap_ok(heap.drain_at == 0, "and one that is empty begins anew");
}

static bool round_is_at(size_t class)
{
	return heap.drain_class == class && heap.drain_at == 0;
}

/* [ u4 ][ c4 ][ u8 ][ c8 ][ c30 ] */
static void three_wait(void)
{
	fresh();
	block(4);
	a = block(4);
	block(8);
	b = block(8);
	c = block(30);
	guard = block(4);
	heap_free(&heap, a);
	heap_free(&heap, b);
	heap_free(&heap, c);
}

static void test_drain_steps(void)
{
	uintptr_t before;

	three_wait();
	start_round(0);
	tap_ok(block(32) && round_is_at(1) && is("[ u4 f4 u8 c8 c30 u4 u32 t ]"),
	       "a small request that takes from the top merges a block of one list");
	tap_ok(block(32) && round_is_at(2) && is("[ u4 f4 u8 c8 c30 u4 u32 u32 t ]"),
	       "the next one looks at the next list alone, though nothing waits there");
	tap_ok(block(32) && round_is_at(3) && is("[ u4 f4 u8 f8 c30 u4 u32 u32 u32 t ]"),
	       "and so on");
	start_round(HEAP_CLASSES - 1);
	before = (uintptr_t)heap.top;
	block(32);
	tap_ok(heap.drain_class == 0 && heap.drain_at == before + (before - heap.low) / 16,
	       "with the last list the round is over, and the next is due in a part of the heap");
}

/* What is merged is not what was freed last, which is handed out next. */
static void test_drain_order(void)
{
	void *ptr[4];

	fresh();
	for (size_t i = 0; i < 4; i++) {
		ptr[i] = block(8);
		block(4);
	}
	for (size_t i = 0; i < 4; i++)
		heap_free(&heap, ptr[i]);
	start_round(2);
	TAP_MUST(block(30));
	tap_ok(is("[ f8 u4 c8 u4 c8 u4 c8 u4 u30 t ]"), "of several the one freed first is merged");
	start_round(2);
	TAP_MUST(block(30));
	tap_ok(is("[ f8 u4 c8 u4 c8 u4 f8 u4 u30 u30 t ]"),
	       "and then the one freed last, which has come to its place");
	tap_ok(block(8) == ptr[1] && block(8) == ptr[2] && cached_blocks() == 0,
	       "what comes to that place is handed out after the others");
}

/* A step of a round by a list of so many words. */
static void step_of(size_t words)
{
	start_round((words - 4) / 2);
	TAP_MUST(block(MAX_SMALL));
}

/* Eight blocks of 20 words wait, and one of 8, in a heap that is much shorter than it was. Other
 * lists, that nothing waits in, have room as well. */
static void wait_in_shorter_heap(void)
{
	void *ptr[9];

	fresh();
	for (size_t words = 48; words <= 50; words += 2) {
		free_many(words, 1);
		block(words);
	}
	for (size_t i = 0; i < 9; i++) {
		ptr[i] = block(i < 8 ? 20 : 8);
		block(4);
	}
	a = heap_malloc(&heap, 60 * 1024 * HEAP_WORD);
	for (size_t i = 0; i < 9; i++)
		heap_free(&heap, ptr[i]);
	heap_free(&heap, a);
	TAP_MUST(has_room_too(20, 8) && cached_blocks() == 9 && heap.quick_room > heap.quick_limit);
}

static void test_drain_takes_room_back(void)
{
	size_t room = 8;
	bool each = true;

	wait_in_shorter_heap();
	step_of(8);
	tap_ok(has_room_too(20, 8) && quick_room(quick_list(8)) == 1 && cached_blocks() == 8,
	       "in a heap that has become shorter a list that is full keeps its room");
	while (heap.quick_room > heap.quick_limit) {
		step_of(20);
		each &= has_room_too(20, room) && cached_blocks() == room - 1;
		step_of(20);
		each &= has_room_too(20, --room) && cached_blocks() == room;
	}
	tap_ok(each && room < 8 && room > 1, "others lose it by each round that finds it empty");
	step_of(20);
	tap_ok(has_room_too(20, room) && cached_blocks() == room - 1,
	       "until they have no more than they may");
	fresh();
	a = heap_malloc(&heap, 1 << 20);
	free_many(20, 8);
	step_of(20);
	tap_ok(has_room(20, 8) && cached_blocks() == 7, "no room is taken back before");
}

static void test_drain_takes_room_of_empty_lists(void)
{
	wait_in_shorter_heap();
	for (size_t i = 0; i < 8; i++)
		block(20);
	step_of(20);
	tap_ok(has_room_too(20, 7) && cached_blocks() == 1,
	       "a list that nothing waits in loses room as well");
}

static void test_trim_takes_room_back(void)
{
	fresh();
	a = heap_malloc(&heap, 1 << 20);
	guard = block(4);
	free_many(8, 3);
	free_many(20, 8);
	TAP_MUST(quick_room(quick_list(8)) == 3 && quick_room(quick_list(20)) == 8);
	heap_trim(&heap, SIZE_MAX);
	tap_ok(heap.quick_room == 0 && quick_lists_are_right(&heap),
	       "heap_trim() takes all room back");
	free_many(8, 3);
	tap_ok(has_room(8, 3), "and they get room anew");
}

static void test_drain_merges_nothing(void)
{
	three_blocks();
	heap_free(&heap, b);
	step_of(8);
	tap_ok(is("[ u6 f8 u10 u4 u130 t ]"), "a step of a round frees a block between two in use");
	three_blocks();
	heap_free(&heap, b);
	free_at_once(a);
	step_of(8);
	tap_ok(is("[ f6 c8 u10 u4 u130 t ]") && heap.drain_class == 3,
	       "one that a free block lies before waits on");
	three_blocks();
	free_merged(c);
	heap_free(&heap, b);
	step_of(8);
	tap_ok(is("[ u6 c8 f10 u4 u130 t ]") && heap.drain_class == 3, "or behind");
	block(10);
	step_of(8);
	tap_ok(is("[ u6 f8 u10 u4 u130 u130 t ]"), "until it is taken");
	fresh();
	a = block(8);
	heap_free(&heap, a);
	start_round(2);
	TAP_MUST(block(10));
	tap_ok(is("[ c8 u10 t ]"), "the top is a free neighbour too");
}

/* A list that is full keeps its room for what waits on: [ c20 ][ f4 ][ c20 ]... */
static void test_drain_takes_no_room_in_use(void)
{
	char *first;

	wait_in_shorter_heap();
	first = (char *)quick_list(20)->block[1];
	heap_free(&heap, behind(first, 20));
	TAP_MUST(!(*header(behind(first, 20)) & IN_USE) && heap.quick_room > heap.quick_limit);
	step_of(20);
	tap_ok(has_room_too(20, 8) && cached_blocks() == 9 && quick_lists_are_right(&heap),
	       "a list does not lose the room of a block that waits on");
}

/* Who does no step of a round, though one is due. */
static void test_drain_not_by_others(void)
{
	three_wait();
	start_round(0);
	tap_ok(block(200) && round_is_at(0) && is("[ u4 c4 u8 c8 c30 u4 u200 t ]"),
	       "a large request from the top merges nothing that waits");
	tap_ok(heap_memalign(&heap, HEAP_ALIGN * 2, 4 * HEAP_WORD) && round_is_at(0) &&
		       cached_blocks() == 3,
	       "nor does an aligned one");
	three_wait();
	start_round(0);
	tap_ok(resize(guard, 20) == guard && resize(guard, 300) == guard && round_is_at(0) &&
		       is("[ u4 c4 u8 c8 c30 u300 t ]"),
	       "nor one that grows into the top");
	tap_ok(block(30) == c && block(8) == b && round_is_at(0) &&
		       is("[ u4 c4 u8 u8 u30 u300 t ]"),
	       "nor a small one that a quick list has a block for");
	free_merged(c);
	heap_free(&heap, b);
	start_round(2);
	tap_ok(block(30) == c && round_is_at(2) && cached_blocks() == 1, "or a bin");
	free_merged(c);
	TAP_MUST(block(8) == b && remainder_is(c, 30));
	heap_free(&heap, b);
	tap_ok(block(10) == c && round_is_at(2) && cached_blocks() == 1, "or the remainder");
	block(top_size() / HEAP_WORD - 8);
	start_round(2);
	tap_ok(block(30) && round_is_at(2) && cached_blocks() == 1,
	       "nor one that has the heap grow");
	tap_ok(block(30) && round_is_at(3) && cached_blocks() == 0, "but the next one does");
}

/* A heap that is full, but for what waits. */
static void full_but(size_t blocks)
{
	void *ptr[4] = { NULL };

	fresh_over(8 * PAGE, 0);
	for (size_t i = 0; i < blocks; i++)
		ptr[i] = block(8);
	guard = block(4);
	while (block(MAX_SMALL))
		;
	while (block(4))
		;
	for (size_t i = 0; i < blocks; i++)
		heap_free(&heap, ptr[i]);
	a = ptr[0];
	TAP_MUST(cached_blocks() == blocks && top_size() == 0 && heap.summary == 0);
}

static void test_last_resort(void)
{
	full_but(3);
	tap_ok(block(24) == a && faults == 0 && heap_check(&heap, NULL),
	       "before NULL what waits is merged, which may be enough");
	full_but(4);
	tap_ok(block(18) == a && heap_check(&heap, NULL), "or more than that");
	full_but(4);
	tap_ok(heap_memalign(&heap, 2 * HEAP_ALIGN, 20 * HEAP_WORD), "for an aligned block too");
	full_but(3);
	tap_ok(resize(guard, 24) == a, "and for one that is resized");
	full_but(3);
	tap_ok(!block(26) && cached_blocks() == 0 && faults == 0 && heap_check(&heap, NULL),
	       "NULL is only said when nothing waits any more");
	tap_ok(block(24) == a, "and what has been merged can be had");
	full_but(3);
	*header(a) = 0;
	freeze();
	tap_ok(!block(24), "what waits and is damaged is not merged");
	caught(HEAP_FAULT_NOT_USED, "and is caught, and nothing has changed");
}

/* What merges at the top then must not go back to the hook, which may not give it again. */
static void test_last_resort_at_top(void)
{
	size_t size, limit = LIMIT;

	for (size_t i = 0; i < 2; i++, limit = break_at()) {
		fresh_over(limit, 0);
		guard = block(4);
		a = heap_malloc(&heap, HEAP_TRIM_AT + PAGE);
		b = block(4);
	}
	TAP_MUST(a && b && arena_sbrk(1) == HEAP_SBRK_FAILED);
	heap_free(&heap, a);
	heap_free(&heap, b);
	size = (size_t)((char *)heap.fence - (char *)a);
	tap_ok(heap_malloc(&heap, size - HEAP_WORD) == a && is("[ u4 u* ]"),
	       "all that is merged with the top before NULL can be had at once");
}

/* Wrong pointers */

/* Five blocks, their payloads all zero, none of them free. */
static void *five[5];

static void five_from(size_t words)
{
	fresh();
	for (size_t i = 0; i < 5; i++) {
		five[i] = block(words + 2 * i);
		TAP_MUST(five[i]);
		memset(five[i], 0, heap_usable_size(&heap, five[i]));
	}
	a = five[1];
	b = five[2];
	c = five[3];
}

static void five_blocks(void)
{
	five_from(6);
}

/* None of them small: freed, they are merged at once, and in a bin. */
#define LARGE 1200

static void five_large(void)
{
	five_from(LARGE - 4);
}

static void test_double_free(void)
{
	five_blocks();
	heap_free(&heap, b);
	all_wrong(b, HEAP_FAULT_NOT_USED, "a block freed twice is caught");
	tap_ok(last_fault.block == header(b), "and named by the address of its header");
	heap_free(&heap, five[0]);
	heap_free(&heap, block(12));
	all_wrong(b, HEAP_FAULT_NOT_USED, "also after other frees and allocations");
	settle();
	all_wrong(b, HEAP_FAULT_NOT_USED, "and when it does not wait any more");
	TAP_MUST(block(10) == b);
	heap_free(&heap, b);
	silent("a block freed, handed out again and freed is not a fault");
	five_large();
	heap_free(&heap, b);
	all_wrong(b, HEAP_FAULT_NOT_USED, "a large block freed twice is caught");
	tap_ok(last_fault.block == header(b), "and named as well");
}

static void test_double_free_merged(void)
{
	five_blocks();
	free_binned(a);
	free_binned(b);
	all_wrong(b, HEAP_FAULT_NOT_USED, "freed twice: merged into the one before, caught");
	five_blocks();
	free_binned(c);
	free_binned(b);
	all_wrong(c, HEAP_FAULT_NOT_USED, "freed twice: swallowed by the one before, caught");
	all_wrong(b, HEAP_FAULT_NOT_USED, "freed twice: merged with the one behind, caught");
	five_blocks();
	free_binned(a);
	free_binned(c);
	free_binned(b);
	all_wrong(b, HEAP_FAULT_NOT_USED, "freed twice: merged with both, caught");
	all_wrong(c, HEAP_FAULT_NOT_USED, "and the one behind as well");
	free_binned(five[0]);
	free_binned(five[4]);
	silent("each freed once is not a fault");
	all_wrong(five[4], HEAP_FAULT_NOT_USED, "freed twice: merged into the top, caught");
}

static void test_double_free_given_back(void)
{
	fresh();
	a = heap_malloc(&heap, 300000);
	b = block(400);
	heap_free(&heap, a);
	heap_free(&heap, b);
	TAP_MUST((char *)b > start + break_at());
	all_wrong(b, HEAP_FAULT_RANGE, "freed twice: given back to the hook, caught untouched");
	a = heap_malloc(&heap, 300000);
	TAP_MUST(block(400) == b);
	heap_free(&heap, b);
	silent("taken from the hook again and freed is not a fault");
}

static void test_wrong_place(void)
{
	size_t *words;

	five_blocks();
	words = five[4];
	all_wrong((char *)b + 1, HEAP_FAULT_ALIGNMENT, "a pointer off by a byte is caught");
	all_wrong((char *)b + HEAP_WORD, HEAP_FAULT_ALIGNMENT, "a pointer off by a word is caught");
	all_wrong(words + 2, HEAP_FAULT_LENGTH, "a pointer into a block of zeros is caught");
	memset(words, 0x41, 8 * HEAP_WORD);
	all_wrong(words + 2, HEAP_FAULT_LENGTH, "a pointer into a block of text is caught");
	words[1] = 4 * HEAP_WORD | IN_USE | PREV_IN_USE;
	words[5] = 0;
	all_wrong(words + 2, HEAP_FAULT_NEXT,
		  "a pointer behind what looks like a header is caught by what should follow it");
	for (size_t i = 0; i < 5; i++)
		heap_free(&heap, five[i]);
	silent("the pointers that were handed out are no fault");
}

static void test_outside(void)
{
	static _Alignas(64) size_t perfect[8] = {
		[1] = 4 * HEAP_WORD | IN_USE | PREV_IN_USE,
		[5] = 2 * HEAP_WORD | IN_USE | PREV_IN_USE,
	};
	_Alignas(64) size_t stack[8] = { 0 };

	fresh();
	all_wrong(stack + 2, HEAP_FAULT_RANGE, "anything freed in an empty heap is caught");
	five_blocks();
	all_wrong(stack + 2, HEAP_FAULT_RANGE, "a pointer to the stack is caught");
	all_wrong(perfect + 2, HEAP_FAULT_RANGE, "a perfect block outside the heap is caught");
	all_wrong((void *)(uintptr_t)HEAP_ALIGN, HEAP_FAULT_RANGE, "a pointer near NULL is caught");
	all_wrong((void *)-(uintptr_t)HEAP_ALIGN, HEAP_FAULT_RANGE,
		  "a pointer near the last address is caught");
	all_wrong(start, HEAP_FAULT_RANGE, "the heap's own start is caught");
	all_wrong(start + break_at(), HEAP_FAULT_RANGE, "a pointer to the break is caught");
	all_wrong(start + break_at() + 64, HEAP_FAULT_RANGE, "a pointer above the break is caught");
	all_wrong((char *)header(five[4]) + length(five[4]) + HEAP_WORD, HEAP_FAULT_NOT_USED,
		  "the top is caught");
	heap_free(&heap, five[4]);
	silent("the last block before it is not a fault");
}

/* What would be the header is the last block's owner's, what would be behind it beyond the end. */
static void test_last_bytes(void)
{
	size_t *words;

	fresh();
	block(4);
	b = block(top_size() / HEAP_WORD);
	words = b;
	for (size_t i = 0; i < heap_usable_size(&heap, b) / HEAP_WORD; i++)
		words[i] = HEAP_MIN_BLOCK | IN_USE | PREV_IN_USE;
	all_wrong(start + break_at() - HEAP_ALIGN, HEAP_FAULT_RANGE,
		  "a pointer to the last bytes of the heap is caught");
	heap_free(&heap, b);
	silent("the block that they belong to is not a fault");
}

static void test_two_heaps(void)
{
	static struct heap other;
	void *theirs;

	five_blocks();
	attic_end = attic + sizeof(attic);
	heap_init(&other, attic_hook);
	theirs = heap_malloc(&other, 100);
	TAP_MUST(theirs);
	all_wrong(theirs, HEAP_FAULT_RANGE, "a block of another heap is caught");
	heap_free(&other, theirs);
	free_binned(b);
	tap_ok(heap_check(&other, NULL) && is("[ u6 u8 f10 u12 u14 t ]"),
	       "each block in its own heap is not a fault");
}

static void test_other_entrances(void)
{
	five_blocks();
	free_binned(b);
	freeze();
	tap_ok(!heap_realloc(&heap, b, 1000), "heap_realloc() of a freed block returns NULL");
	caught(HEAP_FAULT_NOT_USED, "and is caught");
	tap_ok(heap_usable_size(&heap, b) == 0, "heap_usable_size() of a freed block is 0");
	caught(HEAP_FAULT_NOT_USED, "and is caught");
	tap_ok(!heap_realloc(&heap, (char *)c + HEAP_WORD, 1000),
	       "so is heap_realloc() misaligned");
	caught(HEAP_FAULT_ALIGNMENT, "and is caught");
	tap_ok(heap_realloc(&heap, c, 1000) && heap_usable_size(&heap, a) == 7 * HEAP_WORD,
	       "blocks in use are resized and measured");
	silent("without a fault");
}

/* A block that waits is none to be freed, resized or measured. */
static void test_cached_is_not_used(void)
{
	five_blocks();
	heap_free(&heap, b);
	free_wrong(b, HEAP_FAULT_NOT_USED, "a block that waits in a quick list cannot be freed");
	freeze();
	tap_ok(!heap_realloc(&heap, b, 1000), "nor resized");
	caught(HEAP_FAULT_NOT_USED, "and is caught");
	tap_ok(!heap_realloc(&heap, b, 1), "nor shrunk");
	caught(HEAP_FAULT_NOT_USED, "and is caught");
	tap_ok(heap_usable_size(&heap, b) == 0, "nor measured");
	caught(HEAP_FAULT_NOT_USED, "and is caught");
	tap_ok(block(10) == b && heap_usable_size(&heap, b) == 9 * HEAP_WORD,
	       "handed out again it is a block like others");
	silent("without a fault");
}

/* What heap_free() says: bytes, header included. */
static void test_freed_bytes(void)
{
	five_blocks();
	tap_ok(heap_free(&heap, b) == 10 * HEAP_WORD && heap_free(&heap, b) == 0 && faults == 1,
	       "heap_free() returns the length of a small block, 0 at a fault");
	five_large();
	heap_free(&heap, a);
	tap_ok(heap_free(&heap, b) == LARGE * HEAP_WORD && heap_free(&heap, b) == 0 && faults == 1,
	       "and of a large one, not of what it is merged with");
	faults = 0;
	tap_ok(heap_free(&heap, NULL) == 0 && faults == 0, "and 0 for NULL");
}

/* heap_realloc() looks at what it may be about to take, and only at that. */
static void test_resize_beside_damage(void)
{
	five_large();
	guard = block(4);
	heap_free(&heap, c);
	*footer(c) = 0;
	freeze();
	tap_ok(!resize(b, LARGE + 20), "a block does not grow into one that is damaged");
	caught(HEAP_FAULT_FOOTER, "which is caught, and nothing has changed");
	tap_ok(!resize(b, LARGE - 20), "nor is it cut before one");
	caught(HEAP_FAULT_FOOTER, "which is caught, and nothing has changed");
	tap_ok(!resize(five[4], LARGE + 80), "nor does one slide down into it");
	caught(HEAP_FAULT_FOOTER, "which is caught, and nothing has changed");
	tap_ok(resize(b, LARGE) == b && heap_usable_size(&heap, b) == (LARGE - 1) * HEAP_WORD &&
		       heap_usable_size(&heap, five[4]) == (LARGE + 3) * HEAP_WORD,
	       "what touches neither does not look there");
	tap_ok(faults == 0, "and is silent");
	*footer(c) = length(c);
	tap_ok(resize(b, LARGE + 20) == b && resize(b, LARGE - 20) == b &&
		       resize(five[4], LARGE + 80),
	       "put right, all of it is done");
	silent("without a fault");
	five_large();
	guard = block(4);
	heap_free(&heap, c);
	*(void **)c = a;
	freeze();
	tap_ok(!resize(five[4], LARGE + 80), "nor does one slide down over a wild link");
	caught(HEAP_FAULT_LINK, "which is caught, and nothing has changed");
	for (size_t i = 0; i < 3; i++) {
		const size_t wrong[] = { 1 << 24, LARGE * HEAP_WORD | 1, SIZE_MAX & ~FLAGS };

		five_large();
		guard = block(4);
		heap_free(&heap, c);
		*footer(c) = wrong[i];
		freeze();
		tap_ok(!resize(five[4], LARGE + 80), "nor after a footer that leads elsewhere");
		caught(HEAP_FAULT_FOOTER, "which is caught, and nothing has changed");
	}
}

/* A block that is moved has to be freed, and so is verified with both sides before. */
static void test_move_looks_before(void)
{
	five_blocks();
	free_binned(a);
	*footer(a) = 0;
	fill(b, 9 * HEAP_WORD);
	freeze();
	tap_ok(!resize(b, 20), "a small block is not moved from behind a damaged one");
	caught(HEAP_FAULT_FOOTER, "which is caught, and nothing has changed");
	*footer(a) = length(a);
	c = resize(b, 20);
	tap_ok(c && c != b && filled(c, 9 * HEAP_WORD) && is("[ u6 f18 u12 u14 u20 t ]"),
	       "put right, it is, and where it was is merged with that");
	five_large();
	heap_free(&heap, a);
	*footer(a) = 0;
	freeze();
	tap_ok(!resize(b, LARGE + 20), "nor does a large one slide down");
	caught(HEAP_FAULT_FOOTER, "and the damage is caught, and nothing has changed");
	*footer(a) = length(a);
	tap_ok(resize(b, LARGE + 20) == a, "put right, it does");
	silent("without a fault");
}

/* Words overwritten: by an overflow, through a stale pointer, by a flipped bit. */

/* @caught: by the call that meets it; @found: by heap_check() */
struct damage {
	const char *what;
	size_t word;
	enum heap_fault_kind caught, found;
};

/* Overwrites a word, frees a block, sees that it is caught; then with the word as it was. */
static void damage_and_free(size_t *word, const struct damage *damage, void *ptr)
{
	size_t saved = *word;
	char name[128];

	*word = damage->word;
	snprintf(name, sizeof(name), "%s is caught", damage->what);
	free_wrong(ptr, damage->caught, name);
	check_finds(damage->found, "and heap_check() finds it");
	*word = saved;
	heap_free(&heap, ptr);
	silent("put right, the block is freed without a fault");
}

/*
 * The same with a small block beside the damage. Behind a free one it is merged, and
 * so is that looked at; else it is freed without a look at its neighbours, and the
 * damage is met when it is merged with them.
 */
static void damage_and_merge(size_t *word, const struct damage *damage, void *ptr)
{
	size_t saved = *word;
	char name[128];

	if (!(*header(ptr) & PREV_IN_USE)) {
		damage_and_free(word, damage, ptr);
		return;
	}
	*word = damage->word;
	tap_ok(heap_free(&heap, ptr) == length(ptr) && faults == 0,
	       "beside damage a small block is freed");
	freeze();
	snprintf(name, sizeof(name), "%s is caught when that is merged", damage->what);
	tap_ok(heap_trim(&heap, SIZE_MAX) == 0, name);
	caught(damage->caught, "and named, and nothing has changed");
	check_finds(damage->found, "and heap_check() finds it");
	*word = saved;
	settle();
	silent("put right, the block is merged without a fault");
}

static void header_damaged(size_t words)
{
	const size_t right = (words + 4) * HEAP_WORD | IN_USE | PREV_IN_USE;
	const enum heap_fault_kind LENGTH = HEAP_FAULT_LENGTH, NEXT = HEAP_FAULT_NEXT,
				   NOT_USED = HEAP_FAULT_NOT_USED, BIN = HEAP_FAULT_BIN;
	const struct damage damages[] = {
		{ "a header of zeros", 0, LENGTH, LENGTH },
		{ "a header of ones", SIZE_MAX, LENGTH, LENGTH },
		{ "a header of text", 0x41414141, LENGTH, LENGTH },
		{ "a header with a length of two words", 2 * HEAP_WORD | 3, LENGTH, LENGTH },
		{ "a header with a length beyond the break", (1 << 21) | 3, LENGTH, LENGTH },
		{ "a header with its third bit flipped", right ^ CACHED, NOT_USED, BIN },
		{ "a header with its fourth bit flipped", right ^ 8,
		  HEAP_ALIGN > 8 ? NOT_USED : NEXT, LENGTH },
		{ "a header longer by 8 words", right + 8 * HEAP_WORD, NEXT, LENGTH },
		{ "a header longer by 2 words", right + 2 * HEAP_WORD, NEXT, LENGTH },
		{ "a header shorter by 2 words", right - 2 * HEAP_WORD, NEXT, LENGTH },
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		five_from(words);
		damage_and_free(header(b), &damages[i], b);
		five_from(words);
		*header(b) = damages[i].word;
		all_wrong(b, damages[i].caught, damages[i].what);
	}
}

static void test_header(void)
{
	header_damaged(6);
	header_damaged(LARGE - 4);
}

/* These bits have a meaning of their own; the walk comes by other blocks first. */
static void header_bits(void (*make)(void))
{
	make();
	*header(b) ^= IN_USE;
	free_wrong(b, HEAP_FAULT_NOT_USED, "a header with its in-use bit flipped is caught");
	check_finds(HEAP_FAULT_FOOTER, "and heap_check() finds no footer");
	*header(b) ^= IN_USE | PREV_IN_USE;
	free_wrong(b, HEAP_FAULT_FOOTER, "a header with its other bit flipped is caught");
	check_finds(HEAP_FAULT_NEXT, "and heap_check() finds that the block before is in use");
	*header(b) ^= PREV_IN_USE;
	heap_free(&heap, b);
	silent("with its bits as they were it is no fault");
}

static void test_header_bits(void)
{
	header_bits(five_large);
	header_bits(five_blocks);
}

static void overflow_caught(size_t words)
{
	const struct damage zeros = { "one word of zeros past the end", 0, HEAP_FAULT_NEXT,
				      HEAP_FAULT_LENGTH };
	const struct damage text = { "one word of text past the end", 0x41414141, HEAP_FAULT_NEXT,
				     HEAP_FAULT_LENGTH };
	unsigned char *behind;

	five_from(words);
	damage_and_free(header(c), &zeros, b);
	five_from(words);
	damage_and_free(header(c), &text, b);
	five_from(words);
	behind = (unsigned char *)b + heap_usable_size(&heap, b);
	*behind = 0;
	all_wrong(b, HEAP_FAULT_NEXT, "one byte of zero past the end is caught");
	tap_ok(last_fault.block == header(c), "and the block that it hit is named");
	five_from(words);
	behind[-1] = 0xFF;
	heap_free(&heap, b);
	silent("the last byte before the end is no fault");
}

static void test_overflow(void)
{
	overflow_caught(6);
	overflow_caught(LARGE - 4);
}

/* What lies behind says as it should that this block is in use, and that it is free itself. */
static void test_overflow_bits(void)
{
	const struct damage text = { "text past the end that can be flags", 0x42424242,
				     HEAP_FAULT_LENGTH, HEAP_FAULT_LENGTH };

	five_large();
	damage_and_free(header(c), &text, b);
	five_blocks();
	damage_and_merge(header(c), &text, b);
}

/* Past the last block: onto the top's header or the fence. */
static void test_overflow_top(void)
{
	size_t saved;

	five_blocks();
	saved = footer(five[4])[1];
	footer(five[4])[1] = 0x41414141;
	free_wrong(five[4], HEAP_FAULT_NEXT,
		   "an overflow onto the top's header is caught by a free");
	check_finds(HEAP_FAULT_LENGTH, "and heap_check() finds it");
	tap_ok(!block(30), "and an allocation from the top returns NULL");
	caught(HEAP_FAULT_LENGTH, "and is caught");
	tap_ok(!block(300), "also a large one");
	caught(HEAP_FAULT_LENGTH, "and is caught");
	heap.large_end = (uintptr_t)heap.top - 8 * HEAP_WORD;
	freeze();
	tap_ok(!heap_malloc(&heap, 300 * HEAP_WORD), "or one behind a gap");
	caught(HEAP_FAULT_LENGTH, "and is caught");
	no_gap();
	start_round(0);
	freeze();
	heap_before.drain_class = 1;
	tap_ok(!block(30), "or one with a step of a round");
	caught(HEAP_FAULT_LENGTH, "and is caught");
	no_rounds();
	freeze();
	tap_ok(heap_trim(&heap, 0) == 0, "and heap_trim() gives nothing back");
	caught(HEAP_FAULT_LENGTH, "and is caught");
	footer(five[4])[1] = saved;
	tap_ok(block(30) && heap_trim(&heap, 0) > 0, "put right, both work");
	silent("without a fault");
}

static void test_overflow_fence(void)
{
	size_t saved;

	fresh();
	a = block(10);
	b = block(top_size() / HEAP_WORD);
	saved = footer(b)[1];
	footer(b)[1] = 0;
	free_wrong(b, HEAP_FAULT_NEXT, "an overflow onto the fence is caught");
	check_finds(HEAP_FAULT_NEXT, "and heap_check() finds it");
	footer(b)[1] = PREV_IN_USE;
	free_wrong(b, HEAP_FAULT_RANGE, "a fence that says it is free is caught");
	footer(b)[1] = saved;
	memset(b, 0xFF, heap_usable_size(&heap, b));
	heap_free(&heap, b);
	silent("the last byte before the fence is no fault");
}

/* The last word of a free block, by an underflow of the one behind it. */
static void footer_damaged(void (*make)(void), size_t right, void (*set_free)(void *),
			   void (*meet)(size_t *, const struct damage *, void *))
{
	const enum heap_fault_kind FOOTER = HEAP_FAULT_FOOTER;
	const struct damage damages[] = {
		{ "a footer of zeros", 0, FOOTER, FOOTER },
		{ "a footer of ones", SIZE_MAX, FOOTER, FOOTER },
		{ "a footer of text", 0x41414141, FOOTER, FOOTER },
		{ "a footer with flags", right | IN_USE, FOOTER, FOOTER },
		{ "a footer with other flags", right | PREV_IN_USE, FOOTER, FOOTER },
		{ "a footer that leads before the heap", 1 << 21, FOOTER, FOOTER },
		{ "a footer longer by 2 words", right + 2 * HEAP_WORD, FOOTER, FOOTER },
		{ "a footer shorter by 2 words", right - 2 * HEAP_WORD, FOOTER, FOOTER },
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		make();
		set_free(b);
		meet(footer(b), &damages[i], c);
		make();
		set_free(b);
		meet(footer(b), &damages[i], a);
	}
}

static void test_footer(void)
{
	footer_damaged(five_large, LARGE * HEAP_WORD, free_binned, damage_and_free);
	footer_damaged(five_blocks, 10 * HEAP_WORD, free_binned, damage_and_merge);
	footer_damaged(five_blocks, 10 * HEAP_WORD, free_merged, damage_and_merge); /* remainder */
}

/* The header of a block that waits, by a write after free or an overflow. */
static void cached_damaged(const struct damage *damage)
{
	const size_t right = 10 * HEAP_WORD | IN_USE | PREV_IN_USE | CACHED;
	char name[128];

	five_blocks();
	heap_free(&heap, b);
	TAP_MUST(*header(b) == right);
	*header(b) = damage->word;
	snprintf(name, sizeof(name), "no block that waits with %s is given", damage->what);
	freeze();
	tap_ok(!block(10), name);
	caught(damage->caught, "and it is caught, and nothing has changed");
	tap_ok(last_fault.block == header(b) && last_fault.expected == (right ^ PREV_IN_USE) &&
		       last_fault.found == damage->word,
	       "with both words");
	tap_ok(heap_trim(&heap, 0) == 0, "nor is it merged, nor anything given back");
	caught(damage->caught, "and it is caught, and nothing has changed");
	check_finds(damage->found, "and heap_check() finds it");
	*header(b) = right;
	tap_ok(block(10) == b, "put right, it is handed out");
	heap_free(&heap, b);
	settle();
	silent("and merged, without a fault");
}

static void test_cached_header(void)
{
	const size_t right = 10 * HEAP_WORD | IN_USE | PREV_IN_USE | CACHED;
	const enum heap_fault_kind LENGTH = HEAP_FAULT_LENGTH, NOT_USED = HEAP_FAULT_NOT_USED;
	const struct damage damages[] = {
		{ "a header of zeros", 0, NOT_USED, LENGTH },
		{ "a header of ones", SIZE_MAX, NOT_USED, LENGTH },
		{ "a header of text", 0x41414141, NOT_USED, LENGTH },
		{ "its in-use bit flipped", right ^ IN_USE, NOT_USED, LENGTH },
		{ "its third bit flipped", right ^ CACHED, NOT_USED, NOT_USED },
		{ "its fourth bit flipped", right ^ 8, NOT_USED, LENGTH },
		{ "a header longer by 2 words", right + 2 * HEAP_WORD, NOT_USED, LENGTH },
		{ "a header shorter by 2 words", right - 2 * HEAP_WORD, NOT_USED, LENGTH },
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++)
		cached_damaged(&damages[i]);
}

/* The bit about the block before is not looked at when it is handed out again. */
static void test_cached_header_bit(void)
{
	five_blocks();
	heap_free(&heap, b);
	*header(b) ^= PREV_IN_USE;
	check_finds(HEAP_FAULT_NEXT, "heap_check() finds a false bit of a block that waits");
	freeze();
	tap_ok(heap_trim(&heap, 0) == 0, "which is not merged");
	caught(HEAP_FAULT_FOOTER, "and is caught, and nothing has changed");
	tap_ok(block(10) == b && faults == 0, "but handed out");
	check_finds(HEAP_FAULT_NEXT, "and heap_check() still finds it");
}

/* A length that was wrong when the block was freed leads to what then becomes another header. */
static void test_cached_unknown_to_next(void)
{
	five_blocks();
	heap_free(&heap, b);
	*header(c) ^= PREV_IN_USE;
	freeze();
	tap_ok(heap_trim(&heap, 0) == 0,
	       "what waits is not merged if the next block does not know it");
	caught(HEAP_FAULT_NEXT, "and is caught, and nothing has changed");
	tap_ok(last_fault.block == header(c), "and that block is named");
	check_finds(HEAP_FAULT_NEXT, "and heap_check() finds it");
	*header(c) ^= PREV_IN_USE;
	settle();
	silent("put right, it is merged without a fault");
}

/* A round through the quick lists comes by. */
static void test_drain_meets_damage(void)
{
	five_blocks();
	heap_free(&heap, b);
	*header(b) = 0;
	heap.drain_at = 0;
	heap.drain_class = (10 - 4) / 2;
	freeze();
	tap_ok(!block(30), "a request that merges what waits and is damaged returns NULL");
	heap.drain_class = heap_before.drain_class; /* it may go on */
	caught(HEAP_FAULT_NOT_USED, "and is caught, and nothing has changed");
	tap_ok(block(200) && faults == 0, "a large one does not come by there");
	*header(b) = 10 * HEAP_WORD | IN_USE | PREV_IN_USE | CACHED;
	tap_ok(block(30) && is("[ u6 u8 f10 u12 u14 u200 u30 t ]"), "put right, it is merged");
}

/* What quick lists say and what blocks say, which must agree. */
static void test_quick_lists_agree(void)
{
	struct heap_quick *quick;
	struct heap_fault fault;

	five_blocks();
	quick = &heap.quick[(10 - 4) / 2];
	heap_free(&heap, b);
	tap_ok(heap_check(&heap, NULL) && quick->block[1] == b, "a block waits in its list");
	quick->next -= HEAP_WORD;
	check_finds(HEAP_FAULT_BIN, "heap_check() finds one that waits in no list");
	quick->next += 2 * HEAP_WORD;
	quick->block[2] = b;
	check_finds(HEAP_FAULT_BIN, "one that is in its list twice");
	tap_ok(!heap_check(&heap, &fault) && fault.block == header(b), "and which one it is");
	quick->block[2] = a;
	check_finds(HEAP_FAULT_NOT_USED, "one in a list that is in use");
	quick->block[2] = (struct heap_block *)(void *)((char *)b + 1);
	check_finds(HEAP_FAULT_RANGE, "a list that leads between words");
	quick->block[2] = (struct heap_block *)(void *)&heap;
	check_finds(HEAP_FAULT_RANGE, "out of the heap");
	quick->block[2] = NULL;
	check_finds(HEAP_FAULT_RANGE, "or nowhere");
	quick->next -= HEAP_WORD;
	silent("and nothing when it is put right");
}

/* The remainder, by a write after free, met by whoever takes it or merges with it. */
static void remainder_damaged(size_t *word, size_t damage, enum heap_fault_kind kind)
{
	size_t saved = *word;

	*word = damage;
	freeze();
	tap_ok(!block(10) && !block(150), "nothing is carved from a remainder that is damaged");
	TAP_MUST(faults == 2);
	faults = 1;
	caught(kind, "and it is caught, and nothing has changed");
	tap_ok(!heap_memalign(&heap, HEAP_ALIGN, 150 * HEAP_WORD), "nor for an aligned block");
	caught(kind, "and it is caught, and nothing has changed");
	*word = saved;
}

static void test_remainder_damaged(void)
{
	size_t *head, *foot;

	five_large();
	heap_free(&heap, b);
	TAP_MUST(block(8) == b);
	head = (size_t *)(void *)heap.remainder - 1;
	foot = head + LARGE - 8 - 1;
	TAP_MUST(*head == ((LARGE - 8) * HEAP_WORD | PREV_IN_USE) && *foot == *head - PREV_IN_USE);
	remainder_damaged(head, 0, HEAP_FAULT_LENGTH);
	remainder_damaged(head, *head ^ IN_USE, HEAP_FAULT_NEXT);
	remainder_damaged(head, *head ^ PREV_IN_USE, HEAP_FAULT_NEXT);
	remainder_damaged(head, *head + 2 * HEAP_WORD, HEAP_FAULT_LENGTH);
	remainder_damaged(foot, 0, HEAP_FAULT_FOOTER);
	remainder_damaged(foot, *foot | 1, HEAP_FAULT_FOOTER);
	remainder_damaged(foot + 1, foot[1] ^ PREV_IN_USE, HEAP_FAULT_NEXT);
	remainder_damaged(foot + 1, foot[1] ^ IN_USE, HEAP_FAULT_NEXT);
	*foot ^= 64;
	free_wrong(c, HEAP_FAULT_FOOTER, "nor is a block merged with one");
	*foot ^= 64;
	heap.remainder_size -= HEAP_ALIGN;
	free_wrong(c, HEAP_FAULT_LENGTH, "nor with one of another length");
	check_finds(HEAP_FAULT_LENGTH, "and heap_check() finds it");
	heap.remainder_size += HEAP_ALIGN;
	heap_free(&heap, c);
	silent("put right, it is");
}

/* The same, met by an allocation. */
static void malloc_refuses(size_t *word, size_t damage, enum heap_fault_kind kind, const char *name)
{
	size_t saved = *word;

	*word = damage;
	freeze();
	tap_ok(!block(10), name);
	caught(kind, "and caught, and nothing has changed");
	*word = saved;
	tap_ok(block(10) == b, "put right, it is handed out");
	silent("without a fault");
	free_binned(b);
}

static void test_malloc_footer(void)
{
	five_blocks();
	free_binned(b);
	malloc_refuses(footer(b), 0, HEAP_FAULT_FOOTER, "no block with a damaged footer is given");
	malloc_refuses(header(b), 12 * HEAP_WORD | PREV_IN_USE, HEAP_FAULT_FOOTER,
		       "no block with a damaged length is given");
	malloc_refuses(header(b), 10 * HEAP_WORD | 3, HEAP_FAULT_NEXT,
		       "no block in a bin that says that it is in use is given");
	malloc_refuses(header(c), 12 * HEAP_WORD | 3, HEAP_FAULT_NEXT,
		       "no block whose next one denies that it is free is given");
	five_blocks();
	free_binned(c);
	*footer(c) = 0;
	freeze();
	tap_ok(!heap_memalign(&heap, 2 * HEAP_ALIGN, HEAP_WORD), "nor is it by heap_memalign()");
	caught(HEAP_FAULT_FOOTER, "and caught, and nothing has changed");
}

/* Links, by a write after free: two blocks of the same length, both free, in one bin. */

static void *binned_first, *binned_next;

static void two_in_a_bin(void)
{
	five_blocks();
	binned_next = block(10);
	five[3] = block(4);
	free_binned(binned_next);
	free_binned(b);
	binned_first = b;
	TAP_MUST(*(size_t **)b == binned_next);
}

/* The same with large ones. */
static void two_large_in_a_bin(void)
{
	five_large();
	binned_next = block(LARGE);
	five[3] = block(4);
	heap_free(&heap, binned_next);
	heap_free(&heap, b);
	binned_first = b;
	TAP_MUST(*(size_t **)b == binned_next);
}

/* Where a wild link may point: nowhere, into the heap, at a block, at itself. */
static size_t wild(size_t i)
{
	const size_t targets[] = {
		0x41414140 - HEAP_WORD,
		0x41414140,
		SIZE_MAX,
		(size_t)header(a),
		(size_t)a,
		(size_t)a + 1,
		(size_t)header(a) + 1,
		(size_t)header(five[4]),
		(size_t)five[4],
		(size_t)header(b),
		(size_t)b,
		(size_t)start,
		(size_t)start - HEAP_WORD,
		(size_t)start + break_at() - HEAP_WORD,
		(size_t)start + break_at(),
		(size_t)&heap.bins[5],
		(size_t)&heap.bins[5] + 1,
		(size_t)&heap.bins[5] - HEAP_WORD,
		(size_t)&heap.bins[HEAP_BINS],
		(size_t)binned_first,
		(size_t)binned_next,
	};

	return i < sizeof(targets) / sizeof(*targets) ? targets[i] : 0;
}

static void damage_link(void *ptr, size_t link, size_t to)
{
	size_t *word = (size_t *)ptr + link;
	const struct damage damage = { link ? "a wild link to where a block is linked from"
					    : "a wild link to the next block in a bin",
				       to, HEAP_FAULT_LINK, HEAP_FAULT_LINK };
	size_t saved = *word;

	malloc_refuses(word, to, HEAP_FAULT_LINK, "no block with a wild link is given");
	TAP_MUST(*word == saved);
	damage_and_merge(word, &damage, c);
}

static void damage_large_link(void *ptr, size_t link, size_t to)
{
	const struct damage damage = { link ? "a large block's wild link to where it is linked from"
					    : "a large block's wild link to the next one",
				       to, HEAP_FAULT_LINK, HEAP_FAULT_LINK };

	damage_and_free((size_t *)ptr + link, &damage, c);
}

static void test_links(void)
{
	two_in_a_bin();
	for (size_t i = 0; wild(i); i++) {
		for (size_t link = 0; link < 2; link++) {
			two_in_a_bin();
			if (((size_t *)binned_first)[link] != wild(i))
				damage_link(binned_first, link, wild(i));
			two_large_in_a_bin();
			if (((size_t *)binned_first)[link] != wild(i))
				damage_large_link(binned_first, link, wild(i));
		}
	}
	two_large_in_a_bin();
	((void **)binned_next)[1] = a;
	free_wrong(c, HEAP_FAULT_LINK, "a bin's second block that does not point back is caught");
	check_finds(HEAP_FAULT_LINK, "and heap_check() finds it");
}

/* The links of the second block of a bin, from which it is taken when its neighbour is freed. */
static void test_second_links(void)
{
	two_large_in_a_bin();
	for (size_t i = 0; wild(i); i++) {
		for (size_t link = 0; link < 2; link++) {
			two_large_in_a_bin();
			if (((size_t *)binned_next)[link] == wild(i))
				continue;
			((size_t *)binned_next)[link] = wild(i);
			free_wrong(five[4], HEAP_FAULT_LINK,
				   "a second block's wild link is caught");
			check_finds(HEAP_FAULT_LINK, "and heap_check() finds it");
		}
	}
}

static bool is_refused(const void *result)
{
	bool refused = !result && faults == 1 && frozen();

	if (!refused)
		printf("# result %p, %u faults, %s\n", result, faults,
		       frozen() ? "frozen" : "changed");
	faults = 0;
	return refused;
}

/* All that may be about to take a block with a wild link, but for merging: small ones and large. */
static bool all_refused(size_t words)
{
	freeze();
	return is_refused(block(words - 2)) && is_refused(block(words)) &&
	       is_refused(resize(a, words)) && is_refused(resize(a, 4)) &&
	       is_refused(resize(c, LARGE + 100));
}

static bool all_refused_at_second(size_t words)
{
	freeze();
	return is_refused(resize(five[4], words + 8)) && is_refused(resize(five[4], words - 2)) &&
	       is_refused(resize(five[3], LARGE + 100));
}

static void test_links_met_by_all(void)
{
	bool first = true, second = true;

	two_in_a_bin();
	for (size_t i = 0; wild(i); i++) {
		for (size_t n = 0; n < 4; n++) {
			size_t words = n < 2 ? 10 : LARGE;
			void (*make)(void) = n < 2 ? two_in_a_bin : two_large_in_a_bin;

			make();
			if (((size_t *)binned_first)[n % 2] != wild(i)) {
				((size_t *)binned_first)[n % 2] = wild(i);
				first &= all_refused(words);
			}
			make();
			block(words + 2); /* so that the last one does not grow into the top */
			if (((size_t *)binned_next)[n % 2] != wild(i)) {
				((size_t *)binned_next)[n % 2] = wild(i);
				second &= all_refused_at_second(words);
			}
		}
	}
	tap_ok(first, "whoever might take the first block of a bin looks at both its links");
	tap_ok(second, "and at those of the second, who resizes a block beside it");
	for (size_t n = 0; n < 2; n++) {
		size_t words = n ? LARGE : 10;
		void (*make)(void) = n ? two_large_in_a_bin : two_in_a_bin;

		make();
		block(words + 2);
		tap_ok(block(words - 2) == b && resize(five[4], words - 2) == five[4],
		       "with right ones all of that is done");
		make();
		block(words + 2);
		tap_ok(resize(five[3], LARGE + 100) && resize(a, 4) == a && resize(c, LARGE + 100),
		       "on both sides");
		silent("without a fault");
	}
}

/* Whoever splits the first block of a bin believes its length no more than the links. */
static void test_length_met_by_who_splits(void)
{
	five_blocks();
	free_binned(b);
	*header(b) = (SIZE_MAX & ~FLAGS) | PREV_IN_USE;
	freeze();
	tap_ok(!block(6), "a block is not split whose length leads out of the heap");
	caught(HEAP_FAULT_LENGTH, "which is caught, and nothing has changed");
	*header(b) = 10 * HEAP_WORD | PREV_IN_USE;
	tap_ok(block(6) == b, "put right, it is");
	silent("without a fault");
}

/* Whoever might take a block that is linked only to itself sees that no bin leads to it. */
static void test_ring_met_by_all(void)
{
	bool refused = true;
	void **links;

	for (size_t n = 0; n < 2; n++) {
		if (n)
			five_large();
		else
			five_blocks();
		free_binned(b);
		links = b;
		links[0] = b;
		links[1] = &links[0];
		refused &= all_refused(n ? LARGE : 10);
	}
	tap_ok(refused, "a ring of one block is not given, grown into or slid over");
}

/* Consistent with itself, but for the list that begins with it. */
static void test_cycle(void)
{
	void **links;

	two_in_a_bin();
	links = b;
	links[0] = b;
	links[1] = &links[0];
	check_finds(HEAP_FAULT_LINK, "heap_check() ends on a bin that is a ring");
	five_blocks();
	free_binned(b);
	links[0] = b;
	links[1] = &links[0];
	check_finds(HEAP_FAULT_LINK, "and on a ring of one block");
	b = block(10);
	tap_ok(!b && faults == 1 && last_fault.kind == HEAP_FAULT_LINK,
	       "whose block is not given, not even once");
	five_large();
	heap_free(&heap, b);
	links = b;
	links[0] = b;
	links[1] = &links[0];
	free_wrong(c, HEAP_FAULT_LINK, "nor merged with the next");
	free_wrong(a, HEAP_FAULT_LINK, "or the one before");
}

/* Bins, bitmaps and blocks, which must agree */

static size_t first_filled(void)
{
	size_t bin = 0;

	while (!heap.bins[bin])
		bin++;
	return bin;
}

static void check_word(size_t *word, size_t damage, enum heap_fault_kind kind, const char *name)
{
	size_t saved = *word;

	TAP_MUST(saved != damage);
	*word = damage;
	check_finds(kind, name);
	*word = saved;
	tap_ok(is("[ u6 u8 f10 u12 u14 t ]"), "and nothing when it is put right");
}

static void test_bins(void)
{
	size_t bin, *filled;

	five_blocks();
	free_binned(b);
	bin = first_filled();
	filled = &heap.filled[bin / HEAP_WORD_BITS];
	check_word(filled, 0, HEAP_FAULT_BIN, "heap_check() finds a bin without its bit");
	check_word(filled, *filled << 1 | *filled, HEAP_FAULT_BIN, "a bit without a bin");
	check_word(&heap.summary, 0, HEAP_FAULT_BIN, "a word of bits without its bit");
	check_word(&heap.summary, heap.summary | 2, HEAP_FAULT_BIN, "a bit without a word");
	check_word((size_t *)&heap.bins[bin], 0, HEAP_FAULT_LINK, "a block that is in no bin");
	check_word((size_t *)&heap.top, 0, HEAP_FAULT_LINK, "a top that is forgotten");
	check_word((size_t *)&heap.top, (size_t)b, HEAP_FAULT_LENGTH, "a false top");
	check_word((size_t *)&heap.fence, (size_t)five[4], HEAP_FAULT_LENGTH, "a false fence");
	check_word((size_t *)&heap.remainder, (size_t)b, HEAP_FAULT_LENGTH, "a false remainder");
}

/* A block moved to the bin of another length: with it, that bin's bit. */
static void wrong_bin(size_t words)
{
	size_t bin, *filled;

	five_from(words);
	free_binned(b);
	bin = first_filled();
	filled = &heap.filled[bin / HEAP_WORD_BITS];
	heap.bins[bin + 1] = heap.bins[bin];
	heap.bins[bin] = NULL;
	*filled <<= 1;
	check_finds(HEAP_FAULT_LINK, "heap_check() finds a block in the wrong bin");
	((void **)b)[1] = &heap.bins[bin + 1];
	check_finds(HEAP_FAULT_BIN, "also if it says so itself");
	heap.bins[bin] = heap.bins[bin + 1];
	heap.bins[bin + 1] = NULL;
	*filled >>= 1;
	((void **)b)[1] = &heap.bins[bin];
	silent("and nothing when it is in the right one");
}

static void test_wrong_bin(void)
{
	wrong_bin(6);
	wrong_bin(LARGE - 4);
}

/* A bin that leads on into another length, with links that are consistent. */
static void test_mixed_bin(void)
{
	size_t bin;
	void *bin_of_c;

	five_blocks();
	free_binned(a);
	bin = first_filled();
	free_binned(c);
	bin_of_c = ((void **)c)[1];
	((void **)a)[0] = c;
	((void **)c)[1] = a;
	heap.bins[bin + 2] = NULL;
	heap.filled[0] &= ~((size_t)1 << (bin + 2));
	check_finds(HEAP_FAULT_BIN, "heap_check() finds two lengths in a bin for one");
	((void **)a)[0] = NULL;
	((void **)c)[1] = bin_of_c;
	heap.bins[bin + 2] = c;
	heap.filled[0] |= (size_t)1 << (bin + 2);
	silent("and nothing when each has its own");
}

/* A bin that begins outside the heap, and a block linked only to itself. */
static void test_bin_heads(void)
{
	size_t bin;

	five_blocks();
	free_binned(a);
	bin = first_filled();
	heap.bins[bin + 1] = (struct heap_block *)(uintptr_t)0x41414140;
	heap.filled[0] |= (size_t)1 << (bin + 1);
	check_finds(HEAP_FAULT_RANGE, "heap_check() finds a bin that begins outside the heap");
	two_in_a_bin();
	((void **)b)[0] = NULL;
	((void **)binned_next)[0] = binned_next;
	((void **)binned_next)[1] = binned_next;
	check_finds(HEAP_FAULT_BIN, "heap_check() finds a block linked only to itself");
}

/* An emptied bin whose bit is still set: the heap takes memory from elsewhere. */
static void test_stale_bit(void)
{
	five_blocks();
	heap.filled[0] |= 1U << 20;
	heap.summary |= 1;
	tap_ok(block(10) != NULL && faults == 0, "a bit without a bin does not keep heap_malloc()");
	five_blocks();
	heap.filled[HEAP_BIN_WORDS - 1] |= 1;
	heap.summary |= (size_t)1 << (HEAP_BIN_WORDS - 1);
	tap_ok(block(200) != NULL && faults == 0, "nor if the request is not small");
	five_blocks();
	heap.summary |= ((size_t)1 << HEAP_BIN_WORDS) - 2;
	tap_ok(block(10) && block(200) && faults == 0, "nor does a bit without a word of bits");
}

/* A visitor that takes whatever it is shown. */
static bool accept(void *context, const struct heap_piece *piece)
{
	return !context && piece;
}

/* Of the record, free follows the end alone, and only to lower the break from there. */
static void test_segment_end(void)
{
	size_t *end = (size_t *)start + 2, before, saved;

	fresh();
	a = heap_malloc(&heap, 300000);
	before = break_at();
	saved = *end;
	*end -= PAGE;
	heap_free(&heap, a);
	tap_ok(faults == 1 && last_fault.kind == HEAP_FAULT_RANGE && break_at() == before,
	       "the break is not lowered from an end that is not the fence's");
	*end = saved;
	faults = 0;
	heap_free(&heap, heap_malloc(&heap, 300000));
	tap_ok(faults == 0 && break_at() < before && heap_check(&heap, NULL),
	       "from the right one it is");
}

/* The record at a segment's start, and walks that end. */
static void test_segment_record(void)
{
	size_t *record, saved;
	bool ended = true;

	five_blocks();
	record = (size_t *)start;
	for (size_t i = 0; i < RECORD; i++) {
		saved = record[i];
		for (size_t j = 0; wild(j); j++) {
			struct picture picture = { .length = 0 };

			record[i] = wild(j) == saved ? 1 : wild(j);
			if (i < 2)
				ended &= !heap_walk(&heap, draw, &picture);
			ended &= !heap_check(&heap, NULL);
		}
		record[i] = saved;
	}
	for (size_t bytes = 0; bytes < (RECORD + 1) * HEAP_WORD; bytes++) {
		saved = record[2];
		record[2] = (size_t)start + bytes;
		ended &= !heap_walk(&heap, accept, NULL) && !heap_check(&heap, NULL);
		record[2] = saved;
	}
	tap_ok(ended, "heap_check() and heap_walk() end on a damaged segment");
	tap_ok(is("[ u6 u8 u10 u12 u14 t ]"), "and see nothing wrong with it put right");
}

static void test_walk_ends(void)
{
	struct picture picture = { .length = 0 };

	five_blocks();
	*header(b) = 0;
	tap_ok(!heap_walk(&heap, draw, &picture) && !strcmp(picture.text, "[ u6 u8 "),
	       "heap_walk() ends where a length makes no sense");
	*header(b) = SIZE_MAX & ~FLAGS;
	picture.length = 0;
	tap_ok(!heap_walk(&heap, draw, &picture) && !strcmp(picture.text, "[ u6 u8 "),
	       "or leads out of the heap");
}

/* A free block at the end of an older segment, and a newest one that heap_trim() gives back. */
static void free_at_older_end(void)
{
	fresh();
	a = block(6);
	arena_sbrk(PAGE);
	b = heap_malloc(&heap, 100000);
	TAP_MUST(is("[ u* t ] [ u6 f* ]"));
	heap_free(&heap, b);
	c = (char *)a + 6 * HEAP_WORD;
	memset((size_t *)c + 2, 0, length(c) - 4 * HEAP_WORD);
}

/* Giving back the newest segment leads to the end of the one before it, which may be damaged. */
static void test_trim_into_damage(void)
{
	const size_t damages[] = { 0, 8 * HEAP_WORD, 8 * HEAP_WORD | IN_USE, 1 << 24, SIZE_MAX };

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		free_at_older_end();
		*footer(c) = damages[i];
		heap_trim(&heap, 0);
		tap_ok(faults == 1 && last_fault.kind == HEAP_FAULT_FOOTER,
		       "heap_trim() does not follow a damaged footer");
	}
	free_at_older_end();
	((void **)c)[0] = a;
	heap_trim(&heap, 0);
	tap_ok(faults == 1 && last_fault.kind == HEAP_FAULT_LINK, "nor a wild link");
	free_at_older_end();
	tap_ok(heap_trim(&heap, 0) > 0 && is("[ u6 t ]"), "and with both right does as it should");
}

/* A length that leads from one segment into another, past the fence between them. */
static void test_length_across(void)
{
	free_at_older_end();
	*header(a) += (size_t)((char *)b - (char *)a);
	check_finds(HEAP_FAULT_LENGTH, "heap_check() finds a length across segments");
	*header(a) -= (size_t)((char *)b - (char *)a);
	silent("and nothing when it ends where it should");
}

/* Damage at random: whatever it hits, every call must come to an end, and within the heap. */

static uint32_t state = 1;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

#define SOWN_BLOCKS 64

static void *sown[SOWN_BLOCKS];

static void sow_heap(void)
{
	fresh();
	for (size_t i = 0; i < SOWN_BLOCKS; i++)
		sown[i] = heap_malloc(&heap, next_random() % 120);
	for (size_t i = 0; i < SOWN_BLOCKS; i += 1 + next_random() % 3) {
		heap_free(&heap, sown[i]);
		sown[i] = NULL;
	}
	refusing = true;
	freeze();
}

static size_t random_word(size_t old)
{
	switch (next_random() % 6) {
	case 0:
		return next_random();
	case 1:
		return old ^ (size_t)1 << next_random() % HEAP_WORD_BITS;
	case 2:
		return old + HEAP_ALIGN * (next_random() % 16) - 8 * HEAP_ALIGN;
	case 3:
		return (size_t)start + next_random() % 8192;
	case 4:
		return (size_t)header(start) + next_random() % 512 * HEAP_ALIGN;
	default:
		return ((size_t *)start)[next_random() % 512];
	}
}

static void use_all(void)
{
	for (size_t i = 0; i < 8; i++)
		heap_free(&heap, heap_malloc(&heap, next_random() % 200));
	for (size_t i = 0; i < SOWN_BLOCKS; i++) {
		if (i % 4 == 0)
			heap_realloc(&heap, sown[i], next_random() % 200);
		else
			heap_free(&heap, sown[i]);
	}
	heap_trim(&heap, 0);
}

static void test_damage_at_random(void)
{
	unsigned int noticed = 0, reported = 0;
	struct picture picture;

	sow_heap();
	for (unsigned int round = 0; round < 20000; round++) {
		size_t *word = (size_t *)start + RECORD + next_random() % 800;

		memcpy(start, memory_before, break_before);
		heap = heap_before;
		faults = 0;
		*word = random_word(*word);
		noticed += !heap_check(&heap, NULL);
		picture.length = 0;
		heap_walk(&heap, draw, &picture);
		use_all();
		heap_check(&heap, NULL);
		reported += faults > 0;
	}
	printf("# of 20000, heap_check() found %u, calls reported %u\n", noticed, reported);
	tap_ok(noticed > 1000 && reported > 1000, "damage at random crashes nothing");
}

/* The twin: contents are their owner's, and none of the heap's business. */
static void test_contents_at_random(void)
{
	sow_heap();
	for (size_t i = 0; i < SOWN_BLOCKS; i++)
		for (size_t n = heap_usable_size(&heap, sown[i]); n > 0; n--)
			((unsigned char *)sown[i])[n - 1] = (unsigned char)next_random();
	silent("contents at random are no fault");
	use_all();
	silent("nor when their blocks are freed");
}

/* Without a hook for faults */

static bool dies_by_trap(void *ptr)
{
	int status = 0;
	pid_t child = fork();

	TAP_MUST(child >= 0);
	if (child == 0) {
		const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGILL, SIG_DFL);
		heap_free(&heap, ptr);
		_exit(EXIT_SUCCESS);
	}
	TAP_MUST(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGILL;
}

static void test_no_hook(void)
{
	five_blocks();
	heap_set_fault(&heap, NULL);
	fflush(stdout);
	tap_ok(dies_by_trap((char *)b + 1), "without a hook for faults the machine stops");
	tap_ok(!dies_by_trap(b), "at a fault, that is");
}

static void test_names(void)
{
	bool named = true;

	for (unsigned int i = HEAP_SOUND; i <= HEAP_FAULT_BIN; i++)
		for (unsigned int j = HEAP_SOUND; j <= HEAP_FAULT_BIN; j++)
			named &= (i == j) == !strcmp(heap_fault_name(i), heap_fault_name(j));
	tap_ok(named, "every kind of fault has a name of its own");
}

static void (*const tests[])(void) = {
	test_layout_used,
	test_layout_free,
	test_payload_is_ours,
	test_merge_none,
	test_merge_prev,
	test_merge_next,
	test_merge_both,
	test_merge_top,
	test_reuse,
	test_split,
	test_good_fit,
	test_fit_within_bin,
	test_fit_next_bin,
	test_top_is_lowered,
	test_only_the_missing,
	test_no_wobble,
	test_trim_step,
	test_trim,
	test_trim_used,
	test_trim_anywhere,
	test_trim_steps_end,
	test_refused,
	test_refused_later,
	test_refused_shrinking,
	test_refused_slack,
	test_absurd_sizes,
	test_largest_sizes,
	test_absurd_alignments,
	test_memalign,
	test_memalign_lead,
	test_memalign_tight,
	test_shrink,
	test_shrink_at_top,
	test_grow_in_place,
	test_grow_at_fence,
	test_grow_by_copy,
	test_slide,
	test_slide_into_remainder,
	test_move,
	test_move_small,
	test_move_from_end,
	test_slide_at_end,
	test_foreign,
	test_foreign_realloc,
	test_foreign_trim,
	test_foreign_continued,
	test_foreign_continued_full,
	test_scattered,
	test_descending,
	test_regions,
	test_quick,
	test_quick_neighbours,
	test_quick_order,
	test_quick_room,
	test_quick_gets_room,
	test_quick_most,
	test_quick_limit,
	test_quick_borrows,
	test_quick_borrows_from_damaged,
	test_quick_full,
	test_trim_merges_only,
	test_remainder,
	test_remainder_replaced,
	test_remainder_large,
	test_freed_is_remainder,
	test_freed_by_round_is_remainder,
	test_freed_too_large_for_remainder,
	test_lead_is_remainder,
	test_gap,
	test_no_gap,
	test_large_lie_together,
	test_gap_before_lead,
	test_remainder_merges,
	test_remainder_merges_both,
	test_remainder_resized,
	test_remainder_at_older_end,
	test_drain,
	test_drain_after_shrinking,
	test_drain_steps,
	test_drain_merges_nothing,
	test_drain_takes_no_room_in_use,
	test_drain_not_by_others,
	test_drain_order,
	test_drain_takes_room_back,
	test_drain_takes_room_of_empty_lists,
	test_trim_takes_room_back,
	test_last_resort,
	test_last_resort_at_top,
	test_double_free,
	test_double_free_merged,
	test_double_free_given_back,
	test_wrong_place,
	test_outside,
	test_last_bytes,
	test_two_heaps,
	test_other_entrances,
	test_cached_is_not_used,
	test_freed_bytes,
	test_resize_beside_damage,
	test_move_looks_before,
	test_header,
	test_header_bits,
	test_overflow,
	test_overflow_bits,
	test_overflow_top,
	test_overflow_fence,
	test_footer,
	test_cached_header,
	test_cached_header_bit,
	test_cached_unknown_to_next,
	test_drain_meets_damage,
	test_quick_lists_agree,
	test_remainder_damaged,
	test_malloc_footer,
	test_links,
	test_second_links,
	test_links_met_by_all,
	test_length_met_by_who_splits,
	test_ring_met_by_all,
	test_cycle,
	test_bins,
	test_wrong_bin,
	test_mixed_bin,
	test_bin_heads,
	test_stale_bit,
	test_segment_end,
	test_segment_record,
	test_walk_ends,
	test_trim_into_damage,
	test_length_across,
	test_damage_at_random,
	test_contents_at_random,
	test_no_hook,
	test_names,
};

int main(void)
{
	alarm(120); /* a heap that hangs is one that fails */
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		tests[i]();
	return tap_end();
}
