/* SPDX-License-Identifier: MIT */
/* What the recorded programs' requests take, each call counted. */
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/monitor/replay.h"
#include "kernel/monitor/trace.h"
#include "tests/bench/bench.h"

static void operate(struct bench_block *block, const struct trace_op *op)
{
	switch (op->kind) {
	case TRACE_ALIGNED:
		bench_take_aligned(block, op->align, op->size);
		break;
	case TRACE_REALLOC:
		bench_resize(block, op->size);
		break;
	case TRACE_FREE:
		bench_give(block);
		break;
	default:
		bench_take(block, op->size);
	}
}

static void replay(const char *name, struct trace *trace)
{
	struct bench_block *blocks = bench_blocks(trace->slots);
	struct trace_op op;

	bench_fresh();
	bench_scene("trace %s", name);
	for (uint32_t i = 0; i < trace->operations && !trace_next(trace, &op); i++)
		operate(&blocks[op.slot], &op);
	bench_print_all("operation", 1);
	bench_print_means();
	bench_print_worsts();
	bench_print_use();
}

BENCH(quick_traces)
{
	struct trace trace;

	for (size_t i = 0; i < bootinfo.nmodules; i++) {
		const char *reason = replay_open(&trace, &bootinfo.modules[i]);

		if (reason)
			kprintf("# %s: %s\n", bootinfo.modules[i].name, reason);
		else
			replay(bootinfo.modules[i].name, &trace);
	}
}
