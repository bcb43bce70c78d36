/* SPDX-License-Identifier: MIT */
/* Commands that show the kernel's heap. */
#include "kernel/dev/console.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/replay.h"
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
	kprintf("  break        0x%08zx, %zu bytes above the base\n", HEAP_BASE + stats.total,
		stats.total);
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

static bool command_replay(const struct call *call)
{
	(void)call;
	return replay_all();
}

static const struct command commands[] = {
	{ "heap", "", "what the heap holds, and whether it is sound", NULL, 0, 0, false,
	  command_heap },
	{ "replay", "", "real programs' allocations through kmalloc and kfree", NULL, 0, 0, false,
	  command_replay },
};

const struct command_group heap_commands = COMMAND_GROUP(commands);
