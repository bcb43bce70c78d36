/* SPDX-License-Identifier: MIT */
/* Commands that show the kernel's heap. */
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/inspect.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/handles.h"
#include "kernel/x86/cpu.h"

static void print_calls(const struct heap_stats *heap)
{
	struct kmalloc_stats stats;
	unsigned int slack;

	kmalloc_stats(&stats);
	slack = kmalloc_slack(&stats);
	kprintf("  peak         %zu bytes in use, %zu bytes of break\n", stats.peak_granted,
		heap->peak);
	kprintf("  slack        %u.%u%% of the bytes granted were not asked for\n", slack / 10,
		slack % 10);
	kprintf("  calls        %zu allocations, %zu reallocations, %zu frees, %zu failures\n",
		stats.allocations, stats.reallocations, stats.frees, stats.failures);
}

static void print_sizes(const struct heap_stats *stats)
{
	for (size_t i = 0; i < HEAP_WORD_BITS; i++)
		if (stats->sizes[i])
			kprintf("  from %-7zu %zu blocks\n", (size_t)1 << i, stats->sizes[i]);
}

static bool command_heap(const struct call *call)
{
	struct heap_stats stats;
	struct heap_fault fault;
	unsigned long flags = irq_save();
	bool sound = heap_check(&kernel_heap, &fault);

	(void)call;
	heap_stats(&kernel_heap, &stats);
	irq_restore(flags);
	kprintf("  break        0x%08lx, %lu bytes above the base\n", (unsigned long)kernel_brk.end,
		(unsigned long)(kernel_brk.end - kernel_brk.base));
	kprintf("  in use       %zu blocks, %zu bytes and %zu bytes of headers\n",
		stats.granted_blocks, stats.granted, stats.headers);
	kprintf("  free         %zu blocks, %zu bytes; top %zu bytes; largest %zu bytes\n",
		stats.binned_blocks, stats.binned, stats.top, stats.largest_free);
	kprintf("  cached       %zu blocks, %zu bytes\n", stats.cached_blocks, stats.cached);
	kprintf("  bookkeeping  %zu bytes in %zu segments\n", stats.bookkeeping, stats.segments);
	kprintf("  fragmented   %zu.%zu%% of what is free is not in the largest free block\n",
		stats.fragmentation / 10, stats.fragmentation % 10);
	print_calls(&stats);
	print_sizes(&stats);
	if (sound)
		kprintf("  sound\n");
	else
		kprintf("  block 0x%08lx: %s\n", (unsigned long)(uintptr_t)fault.block,
			heap_fault_name(fault.kind));
	return sound;
}

static bool command_check(const struct call *call)
{
	struct heap_fault fault;
	struct ledger ledger;
	const char *disagreement;

	(void)call;
	if (heap_check(&kernel_heap, &fault)) {
		kprintf("  the heap is sound\n");
	} else {
		kprintf("  block 0x%08lx: %s (0x%08zx, 0x%08zx)\n",
			(unsigned long)(uintptr_t)fault.block, heap_fault_name(fault.kind),
			fault.expected, fault.found);
		inspect_block(&kernel_heap, fault.block);
	}
	ledger_read(&ledger);
	disagreement = ledger_disagreement(&ledger);
	kprintf("  ledger: %s%s\n", disagreement ? disagreement : "all counts agree",
		disagreement ? " disagree" : "");
	return fault.kind == HEAP_SOUND && !disagreement;
}

/* The header of a block in use, or of a free one. */
static void print_header(size_t header)
{
	kprintf("  header   0x%08zx\n", header);
	kprintf("    length   0x%08zx  %zu bytes, %zu of them payload\n",
		header & ~(HEAP_ALIGN - 1), header & ~(HEAP_ALIGN - 1),
		(header & ~(HEAP_ALIGN - 1)) - HEAP_WORD);
	kprintf("    bit 2    %u           %s\n", (header & HEAP_CACHED) != 0,
		header & HEAP_CACHED ? "waits in a quick list" : "does not wait in a quick list");
	kprintf("    bit 1    %u           the block before it is %s\n",
		(header & HEAP_PREV_IN_USE) != 0, header & HEAP_PREV_IN_USE ? "in use" : "free");
	kprintf("    bit 0    %u           %s\n", (header & HEAP_IN_USE) != 0,
		header & HEAP_IN_USE ? "in use, or taken for it" : "free");
}

/* Where a block is kept: its list, and how many of that were seen before it. */
struct place {
	const void *block;
	struct heap_listed found;
	size_t before;
	bool has_found;
};

static bool find_place(void *context, const struct heap_listed *listed)
{
	struct place *place = context;

	if (listed->list != place->found.list || listed->number != place->found.number)
		place->before = 0;
	place->found = *listed;
	place->has_found = listed->block == place->block;
	place->before += !place->has_found;
	return !place->has_found;
}

static void print_place(const struct heap_piece *piece)
{
	struct place place = { .block = piece->address };

	heap_walk_lists(&kernel_heap, find_place, &place);
	if (piece->kind == HEAP_PIECE_TOP)
		kprintf("  list     none: the top is used last, and gives memory back\n");
	else if (!place.has_found)
		kprintf("  list     none\n");
	else if (place.found.list == HEAP_LIST_REMAINDER)
		kprintf("  list     none: the remainder, which small requests carve up\n");
	else
		kprintf("  list     %s %zu, behind %zu others\n",
			place.found.list == HEAP_LIST_QUICK ? "quick list" : "bin",
			place.found.number, place.before);
}

/* The words that a free block has of its own, if it is in a bin. */
static void print_links(const struct heap_piece *piece)
{
	const size_t *words = piece->address;
	size_t n = piece->size / HEAP_WORD;

	if (piece->kind != HEAP_PIECE_BINNED)
		return;
	kprintf("  next     0x%08zx  the payload of the block behind it in its bin\n", words[1]);
	kprintf("  prev     0x%08zx  the link that leads to it\n", words[2]);
	kprintf("  footer   0x%08zx  its length again, at 0x%08lx\n", words[n - 1],
		(unsigned long)(uintptr_t)&words[n - 1]);
}

static bool command_block(const struct call *call)
{
	struct inspect_found found;
	uintptr_t at;

	if (!handles_address(call->argument[0], &at))
		return false;
	if (at < kernel_brk.base || at >= kernel_brk.end) {
		kprintf("0x%08lx is not in the heap, which lies from 0x%08lx to 0x%08lx\n",
			(unsigned long)at, (unsigned long)kernel_brk.base,
			(unsigned long)kernel_brk.end);
		return false;
	}
	inspect_block(&kernel_heap, (const void *)at);
	if (!inspect_find(&kernel_heap, (const void *)at, &found))
		return false;
	if (found.piece.kind == HEAP_PIECE_SEGMENT || found.piece.kind == HEAP_PIECE_FENCE)
		return true;
	print_header(*(const size_t *)found.piece.address);
	print_links(&found.piece);
	print_place(&found.piece);
	return true;
}

/* One list as it is gone through. */
struct tally {
	struct heap_listed of;
	size_t blocks, bytes;
};

static void print_tally(const struct tally *tally)
{
	size_t bin = tally->of.number, from = tally->of.size, to = from;

	if (tally->blocks == 0)
		return;
	if (tally->of.list == HEAP_LIST_BIN) {
		from = heap_bin_size(bin);
		to = bin < HEAP_BINS - 1 ? heap_bin_size(bin + 1) - HEAP_ALIGN : HEAP_MAX_REQUEST;
	}
	kprintf("  %-10s %4zu  of %8zu", tally->of.list == HEAP_LIST_QUICK ? "quick list" : "bin",
		bin, from);
	if (to > from)
		kprintf(" to %8zu", to);
	else
		kprintf("%12s", "");
	kprintf(" bytes: %6zu blocks, %9zu bytes\n", tally->blocks, tally->bytes);
}

static bool count_listed(void *context, const struct heap_listed *listed)
{
	struct tally *tally = context;

	if (listed->list == HEAP_LIST_REMAINDER)
		return true;
	if (listed->list != tally->of.list || listed->number != tally->of.number) {
		print_tally(tally);
		*tally = (struct tally){ .of = *listed };
	}
	tally->of = *listed;
	tally->blocks++;
	tally->bytes += listed->size;
	return true;
}

static void print_bitmaps(void)
{
	for (size_t i = 0; i < HEAP_BIN_WORDS; i++)
		if (kernel_heap.filled[i])
			kprintf("  bitmap     0x%08zx  bins %zu to %zu with something in them\n",
				kernel_heap.filled[i], i * HEAP_WORD_BITS,
				(i + 1) * HEAP_WORD_BITS - 1);
	kprintf("  summary    0x%08zx  words of the bitmap that are not 0\n", kernel_heap.summary);
}

/* Where the header of a block lies, 0 if there is no block. */
static unsigned long header_of(const struct heap_block *block)
{
	return block ? (unsigned long)(uintptr_t)block - HEAP_WORD : 0;
}

static bool command_lists(const struct call *call)
{
	struct tally tally = { .blocks = 0 };
	bool whole = heap_walk_lists(&kernel_heap, count_listed, &tally);

	(void)call;
	print_tally(&tally);
	if (!whole)
		kprintf("  a bin cannot be followed further; check says why\n");
	print_bitmaps();
	kprintf("  remainder  0x%08lx, %zu bytes\n", header_of(kernel_heap.remainder),
		kernel_heap.remainder_size);
	kprintf("  top        0x%08lx, %zu bytes\n", header_of(kernel_heap.top),
		(size_t)((uintptr_t)kernel_heap.fence - (uintptr_t)kernel_heap.top));
	return whole;
}

static const struct command commands[] = {
	{ "heap", "", "what the heap holds, and whether it is sound", NULL, 0, 0, false,
	  command_heap },
	{ "check", "", "whether the heap is sound and all counts agree", NULL, 0, 0, false,
	  command_check },
	{ "block", "ADDRESS", "a block: its header bit by bit, its list, its neighbours",
	  "ADDRESS is a number or a name, with +N or -N behind it; anywhere in the block.\n", 1, 1,
	  false, command_block },
	{ "lists", "", "the lists of free blocks, and the bitmap over them", NULL, 0, 0, false,
	  command_lists },
};

const struct command_group heap_commands = COMMAND_GROUP(commands);
