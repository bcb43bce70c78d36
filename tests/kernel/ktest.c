/* SPDX-License-Identifier: MIT */
/*
 * Running the tests and reporting in KTAP.
 *
 * Whatever a test allocates it must have given back when it returns: after
 * each, the heap is trimmed, checked, and the ledger compared with what it was
 * before. The host judges; it counts what is compiled in by itself.
 */
#include "tests/kernel/ktest.h"
#include "tests/kernel/ktest_select.h"
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/dev/timer.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/ledger.h"
#include "kernel/monitor/monitor.h"
#include "kernel/panic.h"
#include "kernel/run.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exit.h"

#include <string.h>

#define MAX_TESTS 512

const bool kernel_under_test = true;

static const struct ktest *chosen[MAX_TESTS];
static const struct ktest *volatile running;
static volatile uint32_t started_at;
static bool failed;
static const char *skipped; /* why */
static uint32_t random_state;
static struct ledger before, after;

void ktest_fail(const char *file, int line, const char *what)
{
	failed = true;
	kprintf("# %s:%d: CHECK(%s)\n", file, line, what);
}

void ktest_fail_equal(const char *file, int line, const char *what, unsigned long a,
		      unsigned long b)
{
	failed = true;
	kprintf("# %s:%d: CHECK_EQ(%s): %lu (0x%lx) and %lu (0x%lx)\n", file, line, what, a, a, b,
		b);
}

bool ktest_failed(void)
{
	return failed;
}

void ktest_skip(const char *reason)
{
	skipped = reason;
}

uint32_t ktest_random(void)
{
	return ktest_next_random(&random_state);
}

/* In every timer interrupt. */
static void watch_for_hang(void)
{
	if (!running || timer_ticks() - started_at < ktest_budget())
		return;
	kprintf("Bail out! %s exceeded its %u ticks\n", running->name, ktest_budget());
	machine_exit(EXIT_HANG);
}

static void check_same(const char *what, unsigned long was, unsigned long is)
{
	if (was == is)
		return;
	failed = true;
	kprintf("# leak: %s: %lu before the test, %lu after it\n", what, was, is);
}

/* The heap is sound, all counts agree, and nothing is lost or left behind. */
static void check_ledger(void)
{
	struct heap_fault fault;
	const char *disagreement;

	kheap_trim(0);
	if (!heap_check(&kernel_heap, &fault)) {
		failed = true;
		kprintf("# heap: block 0x%08lx: %s\n", (unsigned long)(uintptr_t)fault.block,
			heap_fault_name(fault.kind));
	}
	ledger_read(&after);
	disagreement = ledger_disagreement(&after);
	if (disagreement) {
		failed = true;
		kprintf("# ledger: %s disagree\n", disagreement);
	}
	check_same("heap blocks in use", before.heap.granted_blocks, after.heap.granted_blocks);
	check_same("break", before.break_bytes, after.break_bytes);
	for (unsigned int owner = 0; owner < FRAME_OWNERS; owner++)
		check_same(frame_owner_name(owner), before.counted[owner], after.counted[owner]);
	before = after; /* what one test has lost is not held against the next */
}

/* Each test has numbers of its own, whichever ran before it. */
static uint32_t seed_for(const char *name, uint32_t seed)
{
	while (*name)
		seed = seed * 31 + (unsigned char)*name++;
	return seed | 1;
}

static void run_one(const struct ktest *test, uint32_t seed)
{
	failed = false;
	skipped = NULL;
	random_state = seed_for(test->name, seed);
	started_at = timer_ticks();
	running = test;
	test->run();
	running = NULL;
	frame_fail_at(0, 0);
	if (!(irq_save() & EFLAGS_IF)) {
		failed = true;
		kprintf("# interrupts are off after the test\n");
	}
	irq_enable();
	check_ledger();
}

unsigned int ktest_run(void)
{
	uint32_t seed = cmdline.has_seed ? cmdline.seed : (uint32_t)rdtsc();
	size_t n = ktest_select(chosen, MAX_TESTS, seed);
	unsigned int passes = 0, failures = 0, skips = 0;

	kprintf("KTAP version 1\n1..%zu\n", n);
	ledger_read(&before);
	timer_set_hook(watch_for_hang);
	for (size_t i = 0; i < n; i++) {
		run_one(chosen[i], seed);
		kprintf("%s %zu %s%s%s\n", failed ? "not ok" : "ok", i + 1, chosen[i]->name,
			skipped ? " # SKIP " : "", skipped ? skipped : "");
		failures += failed;
		skips += !failed && skipped;
		passes += !failed && !skipped;
	}
	kprintf("# end of tests: %u passed, %u failed, %u skipped, seed 0x%08x\n", passes, failures,
		skips, seed);
	return failures;
}

void kernel_run(void)
{
	if (cmdline.monitor)
		monitor_run();
	machine_exit(ktest_run() ? EXIT_FAIL : EXIT_PASS);
}
