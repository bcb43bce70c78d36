/* SPDX-License-Identifier: MIT */
#include "tests/kernel/scratch.h"
#include "kernel/dev/console.h"

#include <printf.h>
#include <string.h>

struct heap scratch_heap;
struct brk scratch_brk;
unsigned int scratch_faults;
struct heap_fault scratch_fault;

void *scratch_sbrk(intptr_t increment)
{
	return brk_move(&scratch_brk, increment);
}

static void note_fault(struct heap *heap, const struct heap_fault *fault)
{
	(void)heap;
	scratch_fault = *fault;
	scratch_faults++;
}

void scratch_open_pages(size_t pages)
{
	scratch_throw_away(); /* what a failed test has left */
	brk_init(&scratch_brk, &kernel_space, SCRATCH_BASE, SCRATCH_BASE + (pages + 1) * PAGE_SIZE);
	heap_init(&scratch_heap, scratch_sbrk);
	heap_set_fault(&scratch_heap, note_fault);
	scratch_faults = 0;
	memset(&scratch_fault, 0, sizeof(scratch_fault));
}

void scratch_open(void)
{
	scratch_open_pages((SCRATCH_LIMIT - SCRATCH_BASE) / PAGE_SIZE - 1);
}

void scratch_throw_away(void)
{
	if (scratch_brk.space)
		brk_set(&scratch_brk, scratch_brk.base);
}

void *scratch_block(size_t words)
{
	void *ptr = heap_malloc(&scratch_heap, (words - 1) * HEAP_WORD);

	return ptr ? memset(ptr, 0, (words - 1) * HEAP_WORD) : NULL;
}

void scratch_merge(void)
{
	heap_trim(&scratch_heap, SIZE_MAX);
}

void scratch_release(void *ptr)
{
	heap_free(&scratch_heap, ptr);
	scratch_merge();
}

/* Another block becomes the remainder, and is taken whole. Then that goes to the top again. */
void scratch_release_to_bin(void *ptr)
{
	void *other, *wall;

	scratch_release(ptr);
	if (!scratch_heap.remainder)
		return;
	other = heap_malloc(&scratch_heap, HEAP_REMAINDER_MOST - HEAP_WORD);
	wall = heap_malloc(&scratch_heap, HEAP_REMAINDER_MOST - HEAP_WORD);
	heap_free(&scratch_heap, other);
	other = heap_malloc(&scratch_heap, HEAP_REMAINDER_MOST - HEAP_WORD);
	heap_free(&scratch_heap, wall);
	heap_free(&scratch_heap, other);
	heap_trim(&scratch_heap, 0);
}

size_t *scratch_header(const void *ptr)
{
	return (size_t *)ptr - 1;
}

size_t *scratch_footer(const void *ptr)
{
	size_t *header = scratch_header(ptr);

	return header + (*header & ~(HEAP_ALIGN - 1)) / HEAP_WORD - 1;
}

struct picture {
	char text[256];
	size_t length;
	uintptr_t at; /* where the next piece of this segment must begin */
};

static bool draw(void *context, const struct heap_piece *piece)
{
	static const char signs[] = "[ucft]";
	struct picture *picture = context;
	size_t room = sizeof(picture->text) - picture->length;
	int n;

	if (piece->kind != HEAP_PIECE_SEGMENT && picture->at != (uintptr_t)piece->address)
		return false;
	picture->at = (uintptr_t)piece->address + piece->size;
	if (piece->kind == HEAP_PIECE_USED || piece->kind == HEAP_PIECE_CACHED ||
	    piece->kind == HEAP_PIECE_BINNED)
		n = snprintf(picture->text + picture->length, room, "%c%zu ", signs[piece->kind],
			     piece->size / HEAP_WORD);
	else
		n = snprintf(picture->text + picture->length, room, "%c ", signs[piece->kind]);
	picture->length += (size_t)n < room ? (size_t)n : room - 1;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
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
		if (!is_digit(*found))
			return false;
		while (is_digit(*found))
			found++;
	}
	return *found == '\0' || strcmp(found, " ") == 0;
}

bool scratch_is(const char *expected)
{
	struct picture picture = { .length = 0 };
	struct heap_fault fault;
	bool walked = heap_walk(&scratch_heap, draw, &picture);
	bool sound = heap_check(&scratch_heap, &fault);

	if (walked && sound && scratch_faults == 0 && matches(picture.text, expected))
		return true;
	kprintf("# expected %s, found %s%s: %s; %u reported\n", expected, picture.text,
		walked ? "" : "...", heap_fault_name(fault.kind), scratch_faults);
	return false;
}

static bool is_at(const struct heap_fault *fault, enum heap_fault_kind kind, const void *block)
{
	if (fault->kind == kind && fault->block == block)
		return true;
	kprintf("# expected at %p: %s; found at %p: %s (0x%zx, 0x%zx)\n", block,
		heap_fault_name(kind), fault->block, heap_fault_name(fault->kind), fault->expected,
		fault->found);
	return false;
}

bool scratch_caught(enum heap_fault_kind kind, const void *block)
{
	unsigned int n = scratch_faults;

	scratch_faults = 0;
	if (n == 1)
		return is_at(&scratch_fault, kind, block);
	kprintf("# expected one violation: %s; %u were reported\n", heap_fault_name(kind), n);
	return false;
}

bool scratch_check_finds(enum heap_fault_kind kind, const void *block)
{
	struct heap_fault fault;

	heap_check(&scratch_heap, &fault);
	return is_at(&fault, kind, block);
}

static uint32_t sum_words(uint32_t sum, const uint32_t *words, size_t n)
{
	while (n-- > 0)
		sum = (sum ^ *words++) * 16777619U;
	return sum;
}

uint32_t scratch_sum(void)
{
	static struct heap copy;
	uint32_t sum;

	copy = scratch_heap;
	copy.drain_at = copy.drain_class = 0;
	sum = sum_words(2166136261U, (const uint32_t *)&copy, sizeof(copy) / sizeof(uint32_t));
	return sum_words(sum, (const uint32_t *)scratch_brk.base,
			 (scratch_brk.end - scratch_brk.base) / sizeof(uint32_t));
}

static bool find_used(void *context, const struct heap_piece *piece)
{
	const void **found = context;

	if (piece->kind == HEAP_PIECE_USED)
		*found = piece->address;
	return !*found;
}

static size_t *first_used(void)
{
	const void *found = NULL;

	heap_walk(&scratch_heap, find_used, &found);
	return (size_t *)found;
}

bool scratch_comes_to_nothing(void)
{
	size_t *block;

	while (scratch_faults == 0 && (block = first_used()))
		heap_free(&scratch_heap, block + 1);
	heap_trim(&scratch_heap, 0);
	return scratch_is("") && scratch_brk.end == scratch_brk.base;
}
