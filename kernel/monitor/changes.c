/* SPDX-License-Identifier: MIT */
/* Two walks of the same heap, merged by address like two sorted lists. */
#include "kernel/monitor/changes.h"
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/inspect.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/cpu.h"

#include <stdbool.h>

#define MOST_LINES 16U

struct changes_piece {
	uintptr_t address;
	size_t size : 29;
	size_t kind : 3;
};

/* Where the comparison is in what was. */
struct comparison {
	const struct changes *changes;
	size_t at;
	unsigned int lines;
};

static bool count(void *context, const struct heap_piece *piece)
{
	(void)piece;
	++*(size_t *)context;
	return true;
}

static bool keep(void *context, const struct heap_piece *piece)
{
	struct changes *changes = context;

	changes->pieces[changes->n++] =
		(struct changes_piece){ (uintptr_t)piece->address, piece->size, piece->kind };
	return true;
}

void changes_begin(struct changes *changes)
{
	unsigned long flags = irq_save(); /* between the walks nobody may allocate */
	size_t n = 0;

	*changes = (struct changes){ .end = kernel_brk.end };
	heap_walk(&kernel_heap, count, &n);
	while (n * sizeof(struct changes_piece) > (size_t)PAGE_SIZE << changes->order)
		changes->order++;
	changes->first = frame_alloc_low(changes->order, FRAME_OTHER);
	if (changes->first) {
		changes->pieces = phys_to_virt(changes->first << PAGE_SHIFT);
		heap_walk(&kernel_heap, keep, changes);
	}
	irq_restore(flags);
}

static void print(struct comparison *comparison, char sign, uintptr_t address, size_t size,
		  enum heap_piece_kind kind)
{
	if (++comparison->lines <= MOST_LINES)
		kprintf("  %c 0x%08lx  %8zu bytes  %s\n", sign, (unsigned long)address, size,
			inspect_piece_name(kind));
}

static void print_was(struct comparison *comparison)
{
	const struct changes_piece *was = &comparison->changes->pieces[comparison->at++];

	print(comparison, '-', was->address, was->size, was->kind);
}

/* Prints what was before this piece and is gone, and the piece if it is not as it was. */
static bool compare(void *context, const struct heap_piece *piece)
{
	struct comparison *comparison = context;
	const struct changes *changes = comparison->changes;
	const struct changes_piece *was;

	while (comparison->at < changes->n &&
	       changes->pieces[comparison->at].address < (uintptr_t)piece->address)
		print_was(comparison);
	was = &changes->pieces[comparison->at];
	if (comparison->at < changes->n && was->address == (uintptr_t)piece->address) {
		if (was->size == piece->size && was->kind == piece->kind) {
			comparison->at++;
			return true;
		}
		print_was(comparison);
	}
	print(comparison, '+', (uintptr_t)piece->address, piece->size, piece->kind);
	return true;
}

void changes_print(struct changes *changes)
{
	struct comparison comparison = { .changes = changes };

	if (!changes->pieces) {
		kprintf("  no page frames to keep the heap as it was; what changed is not shown\n");
		return;
	}
	if (heap_walk(&kernel_heap, compare, &comparison))
		while (comparison.at < changes->n)
			print_was(&comparison);
	else
		kprintf("  the heap cannot be followed to its end; check says why\n");
	if (comparison.lines > MOST_LINES)
		kprintf("  and %u more\n", comparison.lines - MOST_LINES);
	if (changes->end != kernel_brk.end)
		kprintf("  break  0x%08lx, was 0x%08lx\n", (unsigned long)kernel_brk.end,
			(unsigned long)changes->end);
	frame_free(changes->first, changes->order);
}
