/* SPDX-License-Identifier: MIT */
/*
 * A heap that is not what its program says it is: `claims WHAT` makes it so, says
 * "claimed" and waits until its input ends. `claims list` tells what it can claim.
 *
 * Who looks at it from outside (tests/boot/processes.t) must not be led astray.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/mm/heap.h"

#define SMALL	0x10000
#define LARGE	(20U << 20)
#define SECTION __attribute__((section(".note.fencepost"), used, aligned(4)))

static struct heap heap;
static _Alignas(16) char arena[LARGE];
static size_t given;

static const struct {
	uint32_t name_size, size, type;
	char name[12];
	struct heap *heap;
} note SECTION = { sizeof("Fencepost"), sizeof(&heap), 1, "Fencepost", &heap };

static void *hook(intptr_t increment)
{
	char *before = arena + given;

	if (increment > (intptr_t)(sizeof(arena) - given))
		return HEAP_SBRK_FAILED;
	given += (size_t)increment;
	return before;
}

/* A heap with something of every kind in it, the first block of which is used. */
static size_t *first;

static void make_sound(void)
{
	void *ptrs[6];

	heap_init(&heap, hook);
	for (int i = 0; i < 6; i++)
		ptrs[i] = heap_malloc(&heap, i < 3 ? 1000 : 20);
	heap_free(&heap, ptrs[1]);
	heap_free(&heap, ptrs[3]);
	first = (size_t *)ptrs[0] - 1;
}

static void lead_to(uintptr_t segment)
{
	heap.segment = (struct heap_segment *)segment;
}

static void nothing(void)
{
	memset(&heap, 0, sizeof(heap));
}

static void more_than_is_followed(void)
{
	while (heap_malloc(&heap, 1))
		;
}

static void the_kernel(void)
{
	lead_to(0xC0100000);
}

static void the_last_address(void)
{
	lead_to(0xFFFFFFF8);
}

static void across_into_the_kernel(void)
{
	lead_to(0xBFFFFFF8);
}

static void unmapped(void)
{
	lead_to(0x20000000);
}

static void unaligned(void)
{
	lead_to((uintptr_t)heap.segment + 4);
}

static void older_than_itself(void)
{
	heap.segment->older = heap.segment;
}

/* Segments of nothing but their records, the last of which leads to the third. */
static void circle(void)
{
	struct heap_segment *segment = NULL, *at = (struct heap_segment *)(void *)arena + 100;

	at = (struct heap_segment *)(((uintptr_t)at + 7) & ~(uintptr_t)7);
	for (int i = 0; i < 7; i++, at = (struct heap_segment *)((uintptr_t)at + 64)) {
		*at = (struct heap_segment){ segment, (uintptr_t)at, (uintptr_t)at + 24, 0, 0 };
		segment = at;
	}
	((struct heap_segment *)((uintptr_t)at - 7 * 64))->older =
		(struct heap_segment *)((uintptr_t)at - 3 * 64);
	heap.segment = segment;
}

static void end_in_the_kernel(void)
{
	heap.segment->end = 0xC0000010;
}

static void end_before_start(void)
{
	heap.segment->end = heap.segment->start + 8;
}

static void end_at_zero(void)
{
	heap.segment->end = 0;
}

static void start_elsewhere(void)
{
	heap.segment->start -= 16;
}

static void end_too_far(void)
{
	heap.segment->end = 0xBFFFFFF8;
}

static void no_length(void)
{
	*first = HEAP_IN_USE | HEAP_PREV_IN_USE;
}

static void endless_length(void)
{
	*first = (size_t)-8 | HEAP_IN_USE | HEAP_PREV_IN_USE;
}

static void another_length(void)
{
	*first += 8;
}

static void freed_for_one_only(void)
{
	*first &= ~HEAP_IN_USE;
}

static void another_footer(void)
{
	size_t *free = first + (*first & ~(HEAP_ALIGN - 1)) / HEAP_WORD;

	free[(*free & ~(HEAP_ALIGN - 1)) / HEAP_WORD - 1] += 8;
}

static void top_in_the_kernel(void)
{
	heap.top = (struct heap_block *)0xC0100000;
}

static const struct claim {
	const char *name;
	void (*make)(void);
} claims[] = {
	{ "sound", make_sound },
	{ "nothing", nothing },
	{ "more-than-is-followed", more_than_is_followed },
	{ "the-kernel", the_kernel },
	{ "the-last-address", the_last_address },
	{ "across-into-the-kernel", across_into_the_kernel },
	{ "unmapped", unmapped },
	{ "unaligned", unaligned },
	{ "older-than-itself", older_than_itself },
	{ "circle", circle },
	{ "end-in-the-kernel", end_in_the_kernel },
	{ "end-before-start", end_before_start },
	{ "end-at-zero", end_at_zero },
	{ "start-elsewhere", start_elsewhere },
	{ "end-too-far", end_too_far },
	{ "no-length", no_length },
	{ "endless-length", endless_length },
	{ "another-length", another_length },
	{ "freed-for-one-only", freed_for_one_only },
	{ "another-footer", another_footer },
	{ "top-in-the-kernel", top_in_the_kernel },
};

#define CLAIMS (sizeof(claims) / sizeof(claims[0]))

static void wait_for_end(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	for (size_t i = 0; i < CLAIMS; i++) {
		if (strcmp(what, "list") == 0)
			printf("%s\n", claims[i].name);
		if (strcmp(what, claims[i].name) != 0)
			continue;
		make_sound();
		claims[i].make();
		printf("claimed\n");
		wait_for_end();
	}
	return 0;
}
