/* SPDX-License-Identifier: MIT */
/* Looking at an address from all floors at once. */
#include "kernel/mm/inspect.h"
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/mm/paging.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern const char __text_start[], __text_end[], __rodata_end[], __image_end[];
extern const char boot_stack_guard[], fault_stack_guard[];

/* Ascending; an address lies in the last of them that begins at or below it. */
static const char *region_name(uintptr_t page)
{
	const uintptr_t behind = (kernel_brk.end + PAGE_MASK) & ~(uintptr_t)PAGE_MASK;
	const struct {
		uintptr_t begin;
		const char *name;
	} regions[] = {
		{ 0, "page 0, never mapped" },
		{ PAGE_SIZE, "user space" },
		{ DIRECT_BASE, "direct map" },
		{ (uintptr_t)__text_start, "kernel text" },
		{ (uintptr_t)__text_end, "constants" },
		{ (uintptr_t)__rodata_end, "kernel data" },
		{ (uintptr_t)boot_stack_guard, "guard below the stack" },
		{ (uintptr_t)boot_stack_guard + PAGE_SIZE, "stack" },
		{ (uintptr_t)fault_stack_guard, "guard below the double fault's stack" },
		{ (uintptr_t)fault_stack_guard + PAGE_SIZE, "the double fault's stack" },
		{ (uintptr_t)__image_end, "direct map" },
		{ HEAP_BASE, "heap" },
		{ behind, "the page behind the break" },
		{ behind + PAGE_SIZE, "above the break" },
		{ HEAP_LIMIT, "temporary mappings" },
		{ KERNEL_STACKS_BASE, "kernel stacks of processes" },
		{ KERNEL_STACKS_END, "temporary mappings" },
	};
	const char *name = regions[0].name;

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		if (page >= regions[i].begin)
			name = regions[i].name;
	return name;
}

static void print_page(const char *which, uintptr_t page)
{
	unsigned int prot;
	uint32_t frame;

	kprintf("  %-6s page 0x%08lx  ", which, (unsigned long)page);
	if (paging_translate(&kernel_space, page, &frame, &prot))
		kprintf("frame %7u, %s", frame, prot & PAGE_WRITE ? "writable " : "read-only");
	else
		kprintf("not mapped              ");
	kprintf("  %s\n", region_name(page));
}

static void print_pages(uintptr_t page)
{
	if (page >= PAGE_SIZE)
		print_page("before", page - PAGE_SIZE);
	print_page("the", page);
	if (page + PAGE_SIZE > page)
		print_page("after", page + PAGE_SIZE);
}

/* What a walk of a heap looks for, and has found. */
struct search {
	uintptr_t address;
	struct inspect_found *found;
};

static bool find_piece(void *context, const struct heap_piece *piece)
{
	const struct search *search = context;
	struct inspect_found *found = search->found;
	uintptr_t at = (uintptr_t)piece->address;

	if (found->has_piece) {
		found->after = *piece;
		found->has_after = true;
		return false;
	}
	if (search->address - at < piece->size) { /* below @at the difference is huge */
		found->piece = *piece;
		found->has_piece = true;
	} else {
		found->before = *piece;
		found->has_before = true;
	}
	return true;
}

bool inspect_find(const struct heap *heap, const void *address, struct inspect_found *found)
{
	struct search search;

	memset(found, 0, sizeof(*found));
	search = (struct search){ (uintptr_t)address, found };
	heap_walk(heap, find_piece, &search);
	return found->has_piece;
}

const char *inspect_piece_name(enum heap_piece_kind kind)
{
	static const char *const names[] = {
		[HEAP_PIECE_SEGMENT] = "start of a segment",
		[HEAP_PIECE_USED] = "in use",
		[HEAP_PIECE_CACHED] = "cached",
		[HEAP_PIECE_BINNED] = "free",
		[HEAP_PIECE_TOP] = "top",
		[HEAP_PIECE_FENCE] = "fence",
	};

	return names[kind];
}

static void print_piece(const char *which, const struct heap_piece *piece)
{
	kprintf("  %-6s block 0x%08lx  %8zu bytes  %s\n", which,
		(unsigned long)(uintptr_t)piece->address, piece->size,
		inspect_piece_name(piece->kind));
}

void inspect_block(const struct heap *heap, const void *address)
{
	struct inspect_found found;

	inspect_find(heap, address, &found);
	if (found.has_before)
		print_piece("before", &found.before);
	if (found.has_piece)
		print_piece("the", &found.piece);
	else
		kprintf("  no block can be followed to there\n");
	if (found.has_after)
		print_piece("after", &found.after);
}

void inspect_address(const void *address)
{
	uintptr_t at = (uintptr_t)address;

	kprintf("address 0x%08lx\n", (unsigned long)at);
	print_pages(at & ~(uintptr_t)PAGE_MASK);
	if (at >= kernel_brk.base && at < kernel_brk.end)
		inspect_block(&kernel_heap, address);
}

void inspect_report(const void *concern)
{
	static struct ledger ledger; /* the stack may be short by now */

	if (concern)
		inspect_address(concern);
	ledger_read(&ledger);
	ledger_print(&ledger);
}
