/* SPDX-License-Identifier: MIT */
/*
 * The contract of heap.h, example by example.
 *
 * A heap is written down as a walk sees it, newest segment first: '[' for its
 * record, 'u' a block in use, 'f' a free one in a list, 't' the top, ']' the
 * fence; numbers are sizes in words, which makes them the same at 32 and 64
 * bits. The top's size goes without saying: all pieces add up to what the hook
 * gave.
 *
 * Of faults, both halves: the fault is caught and nothing moved, and the legal
 * thing next to it is silent.
 */
#include "arena.h"
#include "kernel/mm/heap.h"
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
#define FLAGS	    (HEAP_ALIGN - 1)

static struct heap heap;
static char *start;
static void *a, *b, *c, *guard;

/* The hook: the arena's, which can be told to refuse or to give memory from further up. */
static bool refusing;
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
	if (increment != 0 && refusing)
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
	refusing = false;
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

/* A block of so many words, header included. */
static void *block(size_t words)
{
	return heap_malloc(&heap, (words - 1) * HEAP_WORD);
}

static size_t *header(void *ptr)
{
	return (size_t *)ptr - 1;
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
	if (piece->kind == HEAP_PIECE_USED || piece->kind == HEAP_PIECE_BINNED)
		snprintf(to, room, "%c%zu ", "[uft]"[piece->kind], words);
	else
		snprintf(to, room, "%c ", "[uft]"[piece->kind]);
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
	return stats.total == stats.granted + stats.headers + stats.binned + stats.top +
				      stats.bookkeeping &&
	       stats.binned == heap_count_bins(&heap);
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
	void **first, **second;

	fresh();
	first = block(8);
	block(4);
	second = block(8);
	block(4);
	heap_free(&heap, first);
	tap_ok(!first[0] && !first[1], "the only free block of its list has no neighbours there");
	heap_free(&heap, second);
	tap_ok(second[0] == header(first) && !second[1] && !first[0] && first[1] == header(second),
	       "a freed block holds its links where its payload was: next, then prev");
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
	heap_free(&heap, a);
	heap_free(&heap, b);
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
	heap_free(&heap, b);
	tap_ok(is("[ u6 f8 u10 u4 t ]"), "a block freed between used ones stays by itself");
}

/*
 *	[ free ][ b ][ c ]  ->  [    free   ][ c ]
 */
static void test_merge_prev(void)
{
	three_blocks();
	heap_free(&heap, a);
	tap_ok(is("[ f6 u8 u10 u4 t ]"), "the first block can be freed");
	heap_free(&heap, b);
	tap_ok(is("[ f14 u10 u4 t ]"), "a freed block merges with the free one before it");
}

/*
 *	[ a ][ b ][ free ]  ->  [ a ][   free    ]
 */
static void test_merge_next(void)
{
	three_blocks();
	heap_free(&heap, c);
	tap_ok(is("[ u6 u8 f10 u4 t ]"), "a later block can be freed first");
	heap_free(&heap, b);
	tap_ok(is("[ u6 f18 u4 t ]"), "a freed block merges with the free one after it");
}

/*
 *	[ free ][ b ][ free ]  ->  [      free      ]
 */
static void test_merge_both(void)
{
	three_blocks();
	heap_free(&heap, a);
	heap_free(&heap, c);
	tap_ok(is("[ f6 u8 f10 u4 t ]"), "two blocks free, one between them");
	heap_free(&heap, b);
	tap_ok(is("[ f24 u4 t ]"), "a freed block merges with both sides at once");
}

/*
 *	[ free ][ guard ][ top ... ]  ->  [ top ...           ]
 */
static void test_merge_top(void)
{
	three_blocks();
	heap_free(&heap, guard);
	tap_ok(is("[ u6 u8 u10 t ]"), "a block freed before the top becomes the top");
	heap_free(&heap, b);
	heap_free(&heap, c);
	tap_ok(is("[ u6 t ]"), "and what was free before it with it");
	heap_free(&heap, a);
	tap_ok(is("[ t ]"), "with nothing in use, all is top");
}

/* Fitting */

static void test_reuse(void)
{
	three_blocks();
	heap_free(&heap, b);
	tap_ok(block(8) == b && is("[ u6 u8 u10 u4 t ]"),
	       "a freed block is reused if it just fits");
	heap_free(&heap, b);
	tap_ok(heap_malloc(&heap, 6 * HEAP_WORD + 1) == b, "also if it fits but for rounding");
	heap_free(&heap, b);
	tap_ok(block(10) != b && is("[ u6 f8 u10 u4 u10 t ]"), "a block too small is not used");
}

static void test_split(void)
{
	three_blocks();
	heap_free(&heap, c);
	tap_ok(block(6) == c && is("[ u6 u8 u6 f4 u4 t ]"),
	       "what is left over of a block stays in a list");
	tap_ok(block(4) == (char *)c + 6 * HEAP_WORD && is("[ u6 u8 u6 u4 u4 t ]"),
	       "and can be had");
	three_blocks();
	heap_free(&heap, c);
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
	heap_free(&heap, small);
	heap_free(&heap, large);
	tap_ok(block(30) == large && is("[ f20 u4 u30 f10 u4 t ]"),
	       "a free block in a list is taken before the top");
	tap_ok(block(12) == small && is("[ u12 f8 u4 u30 f10 u4 t ]"),
	       "the next larger list has what the exact one has not");
}

/* The next list of those that hold several lengths. */
static void test_fit_next_list(void)
{
	void *near, *far;

	fresh();
	near = block(68);
	block(4);
	far = block(300);
	block(4);
	heap_free(&heap, near);
	heap_free(&heap, far);
	tap_ok(block(64) == near && is("[ u64 f4 u4 f300 u4 t ]"),
	       "the very next list is looked at");
	tap_ok(block(100) == far && is("[ u64 f4 u4 u100 f200 u4 t ]"), "and those far above");
}

/* Blocks of 64 and 66 words share a list. */
static void test_fit_within_list(void)
{
	void *smaller, *larger;

	fresh();
	smaller = block(64);
	block(4);
	larger = block(66);
	block(4);
	heap_free(&heap, smaller);
	heap_free(&heap, larger);
	tap_ok(block(64) == smaller && is("[ u64 u4 f66 u4 t ]"),
	       "of a list's blocks the one that fits best is taken, not the first");
	heap_free(&heap, smaller);
	tap_ok(block(66) == larger && is("[ f64 u4 u66 u4 t ]"),
	       "and one in the right list that is too small is passed by");
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
	other = heap_malloc(&heap, 100);
	ptr = heap_malloc(&heap, 4 << 20);
	before = break_at();
	heap_free(&heap, ptr);
	tap_ok(before - break_at() == HEAP_TRIM_STEP, "one free gives back HEAP_TRIM_STEP at most");
	heap_free(&heap, other);
	tap_ok(before - break_at() == 2 * HEAP_TRIM_STEP, "and the next one goes on");
	for (before = break_at(); top_size() > HEAP_TRIM_AT && steps < 100; steps++) {
		heap_free(&heap, heap_malloc(&heap, 100));
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
	tap_ok(heap_malloc(&heap, 1) == start + 4 * HEAP_WORD && is("[ u4 t ]"),
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
	heap_free(&heap, b);
	memset(a, 0x5A, heap_usable_size(&heap, a));
	refusing = true;
	freeze();
	tap_ok(!heap_malloc(&heap, 200000) && frozen() && is("[ u6 f8 u10 u4 t ]"),
	       "no more memory: heap_malloc() returns NULL, and nothing changed");
	tap_ok(!heap_memalign(&heap, 4096, 200000) && frozen(), "nor after heap_memalign()");
	tap_ok(!heap_realloc(&heap, a, 200000) && frozen(),
	       "heap_realloc() returns NULL, and the old block is as it was");
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
	b = heap_malloc(&heap, 1);
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
		size_t lead = (28 - words) % 32 == 2 ? 34 : (28 - words) % 32;
		char expected[64];

		fresh();
		a = block(words);
		b = heap_memalign(&heap, 32 * HEAP_WORD, 1);
		snprintf(expected, sizeof(expected), lead ? "[ u%zu f%zu u* t ]" : "[ u%zu u* t ]",
			 words, lead);
		sound &= (uintptr_t)b % (32 * HEAP_WORD) == 0 && is(expected);
		heap_free(&heap, b);
		heap_free(&heap, a);
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
			heap_free(&heap, b);
			c = heap_memalign(&heap, 32 * HEAP_WORD, 1);
			memset(c, 0xFF, heap_usable_size(&heap, c));
			heap_free(&heap, guard);
			heap_free(&heap, c);
			heap_free(&heap, a);
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
	heap_free(&heap, c);
	tap_ok(resize(b, 4) == b && is("[ u6 u4 f14 u4 t ]"),
	       "what is left over merges with a free block behind");
	tap_ok(resize(guard, 4) == guard && is("[ u6 u4 f14 u4 t ]"),
	       "the same size changes nothing");
	three_blocks();
	tap_ok(heap_realloc(&heap, b, 0) == b && is("[ u6 u4 f4 u10 u4 t ]"),
	       "heap_realloc(ptr, 0) keeps a block of its own");
}

static void test_grow_in_place(void)
{
	three_blocks();
	fill(b, 7 * HEAP_WORD);
	heap_free(&heap, c);
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
	tap_ok(copy && copy != a && filled(copy, 5 * HEAP_WORD) && is("[ f6 u8 u10 u4 u20 t ]"),
	       "growing copies if what is behind is in use, and frees the old block");
	three_blocks();
	fill(a, 5 * HEAP_WORD);
	heap_free(&heap, b);
	copy = resize(a, 20);
	tap_ok(copy && copy != a && filled(copy, 5 * HEAP_WORD) && is("[ f14 u10 u4 u20 t ]"),
	       "or free but too small, and then both merge");
	fresh();
	a = heap_realloc(&heap, NULL, 7 * HEAP_WORD);
	tap_ok(a && is("[ u8 t ]"), "heap_realloc(NULL) is heap_malloc()");
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
	heap_free(&heap, a);
	tap_ok(is("[ u* t ] [ f* ]"), "the old one lives on, its top in a list");
	a = block(6);
	tap_ok(is("[ u* t ] [ u6 f* ]"), "and is allocated from");
	heap_free(&heap, b);
	heap_free(&heap, a);
	tap_ok(is("[ t ] [ f* ]"), "nothing merges across what lies between");
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

/* Wrong pointers */

/* Five blocks, their payloads all zero, none of them free. */
static void *five[5];

static void five_blocks(void)
{
	fresh();
	for (size_t i = 0; i < 5; i++) {
		five[i] = block(6 + 2 * i);
		TAP_MUST(five[i]);
		memset(five[i], 0, heap_usable_size(&heap, five[i]));
	}
	a = five[1];
	b = five[2];
	c = five[3];
}

static void test_double_free(void)
{
	five_blocks();
	heap_free(&heap, b);
	free_wrong(b, HEAP_FAULT_NOT_USED, "a block freed twice is caught");
	tap_ok(last_fault.block == header(b), "and named by the address of its header");
	heap_free(&heap, five[0]);
	heap_free(&heap, block(12));
	free_wrong(b, HEAP_FAULT_NOT_USED, "also after other frees and allocations");
	TAP_MUST(block(10) == b);
	heap_free(&heap, b);
	silent("a block freed, handed out again and freed is not a fault");
}

static void test_double_free_merged(void)
{
	five_blocks();
	heap_free(&heap, a);
	heap_free(&heap, b);
	free_wrong(b, HEAP_FAULT_NOT_USED, "freed twice: merged into the one before, caught");
	five_blocks();
	heap_free(&heap, c);
	heap_free(&heap, b);
	free_wrong(c, HEAP_FAULT_NOT_USED, "freed twice: swallowed by the one before, caught");
	free_wrong(b, HEAP_FAULT_NOT_USED, "freed twice: merged with the one behind, caught");
	five_blocks();
	heap_free(&heap, a);
	heap_free(&heap, c);
	heap_free(&heap, b);
	free_wrong(b, HEAP_FAULT_NOT_USED, "freed twice: merged with both, caught");
	free_wrong(c, HEAP_FAULT_NOT_USED, "and the one behind as well");
	heap_free(&heap, five[0]);
	heap_free(&heap, five[4]);
	silent("each freed once is not a fault");
	free_wrong(five[4], HEAP_FAULT_NOT_USED, "freed twice: merged into the top, caught");
}

static void test_double_free_given_back(void)
{
	fresh();
	a = heap_malloc(&heap, 300000);
	b = block(4);
	heap_free(&heap, a);
	heap_free(&heap, b);
	TAP_MUST((char *)b > start + break_at());
	free_wrong(b, HEAP_FAULT_RANGE, "freed twice: given back to the hook, caught untouched");
	a = heap_malloc(&heap, 300000);
	TAP_MUST(block(4) == b);
	heap_free(&heap, b);
	silent("taken from the hook again and freed is not a fault");
}

static void test_wrong_place(void)
{
	size_t *words;

	five_blocks();
	words = five[4];
	free_wrong((char *)b + 1, HEAP_FAULT_ALIGNMENT, "a pointer off by a byte is caught");
	free_wrong((char *)b + HEAP_WORD, HEAP_FAULT_ALIGNMENT,
		   "a pointer off by a word is caught");
	free_wrong(words + 2, HEAP_FAULT_LENGTH, "a pointer into a block of zeros is caught");
	memset(words, 0x41, 8 * HEAP_WORD);
	free_wrong(words + 2, HEAP_FAULT_LENGTH, "a pointer into a block of text is caught");
	words[1] = 4 * HEAP_WORD | IN_USE | PREV_IN_USE;
	words[5] = 0;
	free_wrong(words + 2, HEAP_FAULT_NEXT,
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
	free_wrong(stack + 2, HEAP_FAULT_RANGE, "anything freed in an empty heap is caught");
	five_blocks();
	free_wrong(stack + 2, HEAP_FAULT_RANGE, "a pointer to the stack is caught");
	free_wrong(perfect + 2, HEAP_FAULT_RANGE, "a perfect block outside the heap is caught");
	free_wrong((void *)(uintptr_t)HEAP_ALIGN, HEAP_FAULT_RANGE,
		   "a pointer near NULL is caught");
	free_wrong((void *)-(uintptr_t)HEAP_ALIGN, HEAP_FAULT_RANGE,
		   "a pointer near the last address is caught");
	free_wrong(start, HEAP_FAULT_RANGE, "the heap's own start is caught");
	free_wrong(start + break_at(), HEAP_FAULT_RANGE, "a pointer to the break is caught");
	free_wrong(start + break_at() + 64, HEAP_FAULT_RANGE,
		   "a pointer above the break is caught");
	free_wrong((char *)header(five[4]) + length(five[4]) + HEAP_WORD, HEAP_FAULT_NOT_USED,
		   "the top is caught");
	heap_free(&heap, five[4]);
	silent("the last block before it is not a fault");
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
	free_wrong(theirs, HEAP_FAULT_RANGE, "a block of another heap is caught");
	heap_free(&other, theirs);
	heap_free(&heap, b);
	tap_ok(heap_check(&other, NULL) && is("[ u6 u8 f10 u12 u14 t ]"),
	       "each block in its own heap is not a fault");
}

static void test_other_entrances(void)
{
	five_blocks();
	heap_free(&heap, b);
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

static void test_header(void)
{
	const size_t right = 10 * HEAP_WORD | IN_USE | PREV_IN_USE;
	const enum heap_fault_kind LENGTH = HEAP_FAULT_LENGTH, NEXT = HEAP_FAULT_NEXT;
	const struct damage damages[] = {
		{ "a header of zeros", 0, LENGTH, LENGTH },
		{ "a header of ones", SIZE_MAX, LENGTH, LENGTH },
		{ "a header of text", 0x41414141, LENGTH, LENGTH },
		{ "a header with a length of two words", 2 * HEAP_WORD | 3, LENGTH, LENGTH },
		{ "a header with a length beyond the break", (1 << 21) | 3, LENGTH, LENGTH },
		{ "a header with its third bit flipped", right ^ 4, LENGTH, LENGTH },
		{ "a header longer by 8 words", right + 8 * HEAP_WORD, NEXT, LENGTH },
		{ "a header longer by 2 words", right + 2 * HEAP_WORD, NEXT, LENGTH },
		{ "a header shorter by 2 words", right - 2 * HEAP_WORD, NEXT, LENGTH },
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		five_blocks();
		damage_and_free(header(b), &damages[i], b);
	}
}

/* These bits have a meaning of their own; the walk comes by other blocks first. */
static void test_header_bits(void)
{
	five_blocks();
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

static void test_overflow(void)
{
	const struct damage zeros = { "one word of zeros past the end", 0, HEAP_FAULT_NEXT,
				      HEAP_FAULT_LENGTH };
	const struct damage text = { "one word of text past the end", 0x41414141, HEAP_FAULT_NEXT,
				     HEAP_FAULT_LENGTH };
	unsigned char *behind;

	five_blocks();
	damage_and_free(header(c), &zeros, b);
	five_blocks();
	damage_and_free(header(c), &text, b);
	five_blocks();
	behind = (unsigned char *)b + heap_usable_size(&heap, b);
	*behind = 0;
	free_wrong(b, HEAP_FAULT_NEXT, "one byte of zero past the end is caught");
	tap_ok(last_fault.block == header(c), "and the block that it hit is named");
	five_blocks();
	behind[-1] = 0xFF;
	heap_free(&heap, b);
	silent("the last byte before the end is no fault");
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
static void test_footer(void)
{
	const enum heap_fault_kind FOOTER = HEAP_FAULT_FOOTER;
	const struct damage damages[] = {
		{ "a footer of zeros", 0, FOOTER, FOOTER },
		{ "a footer of ones", SIZE_MAX, FOOTER, FOOTER },
		{ "a footer of text", 0x41414141, FOOTER, FOOTER },
		{ "a footer with flags", 10 * HEAP_WORD | IN_USE, FOOTER, FOOTER },
		{ "a footer that leads before the heap", 1 << 21, FOOTER, FOOTER },
		{ "a footer longer by 2 words", 12 * HEAP_WORD, FOOTER, FOOTER },
		{ "a footer shorter by 2 words", 8 * HEAP_WORD, FOOTER, FOOTER },
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		five_blocks();
		heap_free(&heap, b);
		damage_and_free(footer(b), &damages[i], c);
		five_blocks();
		heap_free(&heap, b);
		damage_and_free(footer(b), &damages[i], a);
	}
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
	heap_free(&heap, b);
}

static void test_malloc_footer(void)
{
	five_blocks();
	heap_free(&heap, b);
	malloc_refuses(footer(b), 0, HEAP_FAULT_FOOTER, "no block with a damaged footer is given");
	malloc_refuses(header(b), 12 * HEAP_WORD | PREV_IN_USE, HEAP_FAULT_FOOTER,
		       "no block with a damaged length is given");
	malloc_refuses(header(b), 10 * HEAP_WORD | 3, HEAP_FAULT_NEXT,
		       "no block in a list that says that it is in use is given");
	malloc_refuses(header(c), 12 * HEAP_WORD | 3, HEAP_FAULT_NEXT,
		       "no block whose next one denies that it is free is given");
	five_blocks();
	heap_free(&heap, c);
	*footer(c) = 0;
	freeze();
	tap_ok(!heap_memalign(&heap, 2 * HEAP_ALIGN, HEAP_WORD), "nor is it by heap_memalign()");
	caught(HEAP_FAULT_FOOTER, "and caught, and nothing has changed");
}

/* Links, by a write after free: two blocks of the same length, both free, in one list. */

static void *listed_first, *listed_next;

static void two_in_a_list(void)
{
	five_blocks();
	listed_next = block(10);
	five[3] = block(4);
	heap_free(&heap, listed_next);
	heap_free(&heap, b);
	listed_first = b;
	TAP_MUST(*(size_t **)b == header(listed_next));
}

/* Where a wild link may point: nowhere, into the heap, at a block, at itself. */
static size_t wild(size_t i)
{
	const size_t targets[] = {
		0x41414140 - HEAP_WORD,
		SIZE_MAX,
		(size_t)header(a),
		(size_t)header(a) + 1,
		(size_t)header(five[4]),
		(size_t)header(b),
		(size_t)start,
		(size_t)start - HEAP_WORD,
		(size_t)start + break_at() - HEAP_WORD,
		(size_t)&heap.bins[5] - HEAP_WORD,
	};

	return i < sizeof(targets) / sizeof(*targets) ? targets[i] : 0;
}

static void damage_link(void *ptr, size_t link, size_t to)
{
	size_t *word = (size_t *)ptr + link;
	const struct damage damage = { link ? "a wild link to the block before it in its list"
					    : "a wild link to the next block in its list",
				       to, HEAP_FAULT_LINK, HEAP_FAULT_LINK };
	size_t saved = *word;

	malloc_refuses(word, to, HEAP_FAULT_LINK, "no block with a wild link is given");
	TAP_MUST(*word == saved);
	damage_and_free(word, &damage, c);
}

static void test_links(void)
{
	two_in_a_list();
	for (size_t i = 0; wild(i); i++) {
		for (size_t link = 0; link < 2; link++) {
			two_in_a_list();
			if (((size_t *)listed_first)[link] != wild(i))
				damage_link(listed_first, link, wild(i));
		}
	}
	two_in_a_list();
	((void **)listed_next)[1] = header(a);
	free_wrong(c, HEAP_FAULT_LINK, "a list's second block that does not point back is caught");
	check_finds(HEAP_FAULT_LINK, "and heap_check() finds it");
}

/* A list that is searched beyond its first block. */
static void test_search_meets_wild_link(void)
{
	fresh();
	a = block(66);
	block(4);
	b = block(64);
	block(4);
	heap_free(&heap, a);
	heap_free(&heap, b);
	*(size_t *)b = 0x41414140;
	freeze();
	tap_ok(!block(66), "a search does not follow a wild link");
	caught(HEAP_FAULT_ALIGNMENT, "and it is caught");
	*(void **)b = header(a);
	tap_ok(block(66) == a, "and follows the right one");
	silent("without a fault");
}

/* Consistent with itself, but for the list that begins with it. */
static void test_cycle(void)
{
	size_t **links;

	two_in_a_list();
	links = b;
	links[0] = links[1] = header(b);
	check_finds(HEAP_FAULT_LINK, "heap_check() ends on a list that is a ring");
	five_blocks();
	heap_free(&heap, b);
	links[0] = links[1] = header(b);
	check_finds(HEAP_FAULT_LINK, "and on a ring of one block");
	b = block(10);
	tap_ok(!b || block(10) != b, "whose block is not given twice");
	faults = 0;
}

/* Lists, bitmaps and blocks, which must agree */

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
	heap_free(&heap, b);
	bin = first_filled();
	filled = &heap.filled[bin / HEAP_WORD_BITS];
	check_word(filled, 0, HEAP_FAULT_BIN, "heap_check() finds a list without its bit");
	check_word(filled, *filled << 1 | *filled, HEAP_FAULT_BIN, "a bit without a list");
	check_word(&heap.summary, 0, HEAP_FAULT_BIN, "a word of bits without its bit");
	check_word(&heap.summary, heap.summary | 2, HEAP_FAULT_BIN, "a bit without a word");
	check_word((size_t *)&heap.bins[bin], 0, HEAP_FAULT_LINK, "a block that is in no list");
	check_word((size_t *)&heap.top, 0, HEAP_FAULT_LINK, "a top that is forgotten");
	check_word((size_t *)&heap.fence, (size_t)header(five[4]), HEAP_FAULT_NEXT,
		   "a false fence");
}

/* A block moved to the list of another length: with it, that list's bit. */
static void test_wrong_bin(void)
{
	size_t bin;

	five_blocks();
	heap_free(&heap, b);
	bin = first_filled();
	heap.bins[bin + 1] = heap.bins[bin];
	heap.bins[bin] = NULL;
	heap.filled[0] <<= 1;
	check_finds(HEAP_FAULT_LINK, "heap_check() finds a block in the wrong list");
	heap.bins[bin] = heap.bins[bin + 1];
	heap.bins[bin + 1] = NULL;
	heap.filled[0] >>= 1;
	silent("and nothing when it is in the right one");
}

/* A list that leads on into another length, with links that are consistent. */
static void test_mixed_list(void)
{
	size_t bin;

	five_blocks();
	heap_free(&heap, a);
	bin = first_filled();
	heap_free(&heap, c);
	((void **)a)[0] = header(c);
	((void **)c)[1] = header(a);
	heap.bins[bin + 2] = NULL;
	heap.filled[0] &= ~((size_t)1 << (bin + 2));
	check_finds(HEAP_FAULT_BIN, "heap_check() finds two lengths in a list for one");
	((void **)a)[0] = ((void **)c)[1] = NULL;
	heap.bins[bin + 2] = (struct heap_block *)header(c);
	heap.filled[0] |= (size_t)1 << (bin + 2);
	silent("and nothing when each has its own");
}

/* A list that begins outside the heap, and a block linked only to itself. */
static void test_list_heads(void)
{
	size_t bin;

	five_blocks();
	heap_free(&heap, a);
	bin = first_filled();
	heap.bins[bin + 1] = (struct heap_block *)(uintptr_t)(0x41414140 - HEAP_WORD);
	heap.filled[0] |= (size_t)1 << (bin + 1);
	check_finds(HEAP_FAULT_RANGE, "heap_check() finds a list that begins outside the heap");
	two_in_a_list();
	((void **)b)[0] = NULL;
	((void **)listed_next)[0] = ((void **)listed_next)[1] = header(listed_next);
	check_finds(HEAP_FAULT_BIN, "heap_check() finds a block linked only to itself");
}

/* An emptied list whose bit is still set: the heap takes memory from elsewhere. */
static void test_stale_bit(void)
{
	five_blocks();
	heap.filled[0] |= 1U << 20;
	heap.summary |= 1;
	tap_ok(block(10) != NULL && faults == 0,
	       "a bit without a list does not keep heap_malloc()");
	five_blocks();
	heap.summary |= 2;
	tap_ok(block(10) != NULL && faults == 0, "nor does a bit without a word of bits");
}

/* The record at a segment's start, and walks that end. */
static void test_segment_record(void)
{
	size_t *record, saved;
	bool ended = true;

	five_blocks();
	record = (size_t *)start;
	for (size_t i = 0; i < 3; i++) {
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
	free_at_older_end();
	*footer(c) = 8 * HEAP_WORD;
	heap_trim(&heap, 0);
	tap_ok(faults == 1 && last_fault.kind == HEAP_FAULT_FOOTER,
	       "heap_trim() does not follow a damaged footer");
	free_at_older_end();
	((void **)c)[0] = header(a);
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
		size_t *word = (size_t *)start + 3 + next_random() % 800;

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
	test_fit_within_list,
	test_fit_next_list,
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
	test_grow_in_place,
	test_grow_at_fence,
	test_grow_by_copy,
	test_foreign,
	test_foreign_trim,
	test_foreign_continued,
	test_foreign_continued_full,
	test_scattered,
	test_descending,
	test_double_free,
	test_double_free_merged,
	test_double_free_given_back,
	test_wrong_place,
	test_outside,
	test_two_heaps,
	test_other_entrances,
	test_header,
	test_header_bits,
	test_overflow,
	test_overflow_top,
	test_overflow_fence,
	test_footer,
	test_malloc_footer,
	test_links,
	test_search_meets_wild_link,
	test_cycle,
	test_bins,
	test_wrong_bin,
	test_mixed_list,
	test_list_heads,
	test_stale_bit,
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
