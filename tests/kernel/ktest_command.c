/* SPDX-License-Identifier: MIT */
/* Tests and benchmarks from the monitor, in the images that have them. */
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/sandbox.h"
#include "tests/kernel/ktest.h"

#include <printf.h>

/* What tests count on: nobody else has anything of the heap, or of where they map pages. */
static bool alone(void)
{
	const struct brk *brk = sandbox_brk();
	struct heap_stats stats;

	heap_stats(&kernel_heap, &stats);
	if (stats.granted_blocks)
		kprintf("tests begin with an empty heap: kfree what handles lists, kill what ps "
			"lists, step end\n");
	if (brk->end != brk->base)
		kprintf("tests map pages of their own there: brk 0x%08lx first\n",
			(unsigned long)brk->base);
	return stats.granted_blocks == 0 && brk->end == brk->base;
}

static bool run(const char *prefix, const struct call *call)
{
	static char part[64];
	const char *before = cmdline.only;
	unsigned int failures;

	if (!alone())
		return false;
	snprintf(part, sizeof(part), "%s%s", prefix, call->n > 0 ? call->argument[0] : "");
	cmdline.only = part;
	kheap_trim(0); /* nor is anything there from before */
	failures = ktest_run();
	cmdline.only = before;
	return failures == 0;
}

static bool command_test(const struct call *call)
{
	return run("", call);
}

static bool command_bench(const struct call *call)
{
	return run("bench_", call);
}

static const struct command commands[] = {
	{ "test", "[PART]", "run the tests whose names contain PART",
	  "In a random order, each with a look at the ledger after it.\n", 0, 1, false,
	  command_test },
	{ "bench", "[PART]", "run the benchmarks whose names begin so",
	  "Figures are a sum and how many calls it is of. They are instructions where the\n"
	  "emulator counts those, as for make lab; else they are time, and mean little.\n",
	  0, 1, false, command_bench },
};

const struct command_group test_commands = COMMAND_GROUP(commands);
