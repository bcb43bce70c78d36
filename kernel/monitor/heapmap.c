/* SPDX-License-Identifier: MIT */
/* The trace is replayed twice: once to see how large a cell must be, once to be seen. */
#include "kernel/monitor/heapmap.h"
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/monitor/map.h"
#include "kernel/monitor/replay.h"

#include <stddef.h>
#include <stdint.h>

#define PICTURES 320U

static struct map map;

static bool see(void *context, const struct heap_piece *piece)
{
	map_add(context, piece);
	return true;
}

static void send_cells(void)
{
	size_t cells =
		(kernel_brk.end - kernel_brk.base + ((size_t)1 << map.shift) - 1) >> map.shift;
	size_t run;

	for (size_t i = 0; i < cells; i += run) {
		for (run = 1; i + run < cells && map.kind[i + run] == map.kind[i]; run++)
			;
		kprintf("%c%zu", (char)map_cell(map.kind[i]), run);
	}
}

static void send_map(const struct replay *replay, unsigned int shift)
{
	map_begin(&map, kernel_brk.base, shift);
	heap_walk(&kernel_heap, see, &map);
	map_end(&map);
	kprintf("heapmap: at %u %lu %zu ", replay->operations,
		(unsigned long)(kernel_brk.end - kernel_brk.base), replay->live);
	send_cells();
	kprintf("\n");
}

/* The least shift of a cell with which the heap at its largest is on the map. */
static unsigned int shift_for_peak(void)
{
	struct heap_stats stats;
	unsigned int shift = MAP_HEADERS_TO + 1;

	heap_stats(&kernel_heap, &stats);
	while (shift < MAP_MOST_SHIFT && stats.peak > (size_t)MAP_CELLS << shift)
		shift++;
	return shift;
}

static const char *replay_and_send(struct replay *replay, struct trace *trace, unsigned int shift)
{
	uint32_t step = trace->operations / PICTURES + 1;
	const char *reason = NULL, *at_end;
	struct trace_op op;

	while (!reason && replay->operations < trace->operations) {
		if (replay->operations % step == 0)
			send_map(replay, shift);
		reason = trace_next(trace, &op);
		if (!reason)
			reason = replay_operation(replay, &op);
	}
	send_map(replay, shift);
	at_end = replay_end(replay);
	return reason ? reason : at_end;
}

static const char *send(const struct boot_module *module)
{
	struct trace trace, again;
	struct replay replay;
	unsigned int shift;
	const char *reason = replay_open(&trace, module);

	if (reason)
		return reason;
	again = trace;
	reason = replay_trace(&replay, &trace, NULL);
	if (!reason)
		reason = replay_begin(&replay, &again);
	if (reason)
		return reason;
	shift = shift_for_peak();
	kprintf("heapmap: begin %s %u 0x%08lx %u\n", module->name, again.operations,
		(unsigned long)kernel_brk.base, 1U << shift);
	return replay_and_send(&replay, &again, shift);
}

bool heapmap_send(const char *name)
{
	const struct boot_module *module = replay_find(name);
	const char *reason = module ? send(module) : NULL;

	if (reason)
		kprintf("heapmap: %s: %s\n", name, reason);
	else if (module)
		kprintf("heapmap: end\n");
	return module && !reason;
}
