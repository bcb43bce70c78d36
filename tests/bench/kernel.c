/* SPDX-License-Identifier: MIT */
/*
 * What a kernel's author sees: kmalloc() and its kin with all that is around the
 * core, the break and its pages included where it is moved.
 */
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"
#include "tests/bench/bench.h"

#define CALLS 1000U
#define IRQ   5 /* a line that nothing is connected to; its vector is 32 + 5 */

/* A call of kmalloc() or the like; the block is the caller's. */
static uint32_t count_new(bench_fn *fn, uintptr_t a, uintptr_t b, void **ptr)
{
	uintptr_t result;
	uint32_t cost = bench_count(fn, a, b, 0, &result);

	*ptr = (void *)result;
	return cost;
}

static uint32_t count_kfree(void *ptr)
{
	return bench_count((bench_fn *)kfree, (uintptr_t)ptr, 0, 0, NULL);
}

/* Sums over pairs of a call that makes a block and kfree(). */
static void print_pairs(const char *what, bench_fn *fn, uintptr_t a, uintptr_t b)
{
	uint64_t made = 0, freed = 0;
	void *ptr;

	kfree(kmalloc(100000)); /* the break is where it may stay */
	for (unsigned int i = 0; i < CALLS; i++) {
		made += count_new(fn, a, b, &ptr);
		freed += count_kfree(ptr);
	}
	bench_print("pair", made + freed, CALLS, "instructions");
	bench_print(what, made, CALLS, "instructions");
	bench_print("kfree", freed, CALLS, "instructions");
}

BENCH(quick_kernel)
{
	for (size_t size = 16; size <= 4096; size *= 4) {
		bench_scene("kernel %zu", size);
		print_pairs("kmalloc", (bench_fn *)kmalloc, size, 0);
	}
	bench_scene("kernel 64, cleared");
	print_pairs("kzalloc", (bench_fn *)kzalloc, 64, 0);
	bench_scene("kernel 64, at a multiple of 64");
	print_pairs("kmemalign", (bench_fn *)kmemalign, 64, 64);
}

/* One and the same block, made longer and shorter. */
BENCH(quick_kernel_realloc)
{
	void *ptr = kmalloc(100), *wall;
	uint64_t in_place = 0, moved = 0;

	for (unsigned int i = 0; i < CALLS; i++)
		in_place +=
			count_new((bench_fn *)krealloc, (uintptr_t)ptr, i % 2 ? 100 : 200, &ptr);
	for (unsigned int i = 0; i < CALLS; i++) {
		wall = kmalloc(16);
		moved += count_new((bench_fn *)krealloc, (uintptr_t)ptr, i % 2 ? 100 : 2000, &ptr);
		kfree(wall);
	}
	kfree(ptr);
	bench_scene("kernel 100 to 200 and back");
	bench_print("krealloc", in_place, CALLS, "instructions");
	bench_scene("kernel 100 to 2000 and back, beside others");
	bench_print("krealloc", moved, CALLS, "instructions");
}

/* The break moves: pages are mapped and cleared, and given back. */
BENCH(quick_kernel_break)
{
	void *ptr;

	kheap_trim(0);
	bench_scene("kernel 16, and the heap begins");
	bench_print("kmalloc", count_new((bench_fn *)kmalloc, 16, 0, &ptr), 1, "instructions");
	bench_print("kfree", count_kfree(ptr), 1, "instructions");
	kheap_trim(0);
	bench_scene("kernel 1000000, and the break moves");
	bench_print("kmalloc", count_new((bench_fn *)kmalloc, 1000000, 0, &ptr), 1, "instructions");
	bench_print("kfree", count_kfree(ptr), 1, "instructions");
}

static uint64_t irq_kmalloc, irq_kfree;

static void irq_handler(void)
{
	void *ptr;

	irq_kmalloc += count_new((bench_fn *)kmalloc, 64, 0, &ptr);
	irq_kfree += count_kfree(ptr);
}

static void irq_empty(void)
{
}

static void raise(void)
{
	__asm__ volatile("int %0" : : "i"(32 + IRQ) : "memory");
}

/* In a handler interrupts are off already. */
BENCH(quick_interrupt)
{
	uint64_t around = 0;

	irq_kmalloc = irq_kfree = 0;
	kfree(kmalloc(100000));
	irq_set_handler(IRQ, irq_handler);
	for (unsigned int i = 0; i < CALLS; i++)
		raise();
	irq_set_handler(IRQ, irq_empty);
	for (unsigned int i = 0; i < CALLS; i++)
		around += bench_count(raise, 0, 0, 0, NULL) - 2; /* int and return are raise()'s */
	bench_scene("interrupt 64");
	bench_print("kmalloc", irq_kmalloc, CALLS, "instructions");
	bench_print("kfree", irq_kfree, CALLS, "instructions");
	bench_print("around it", around, CALLS, "instructions");
}

static uint32_t closed, longest; /* instructions with interrupts off, now and at most */
static size_t asked;
static void *block;

static void look(const struct trap_frame *frame)
{
	closed = frame->eflags & EFLAGS_IF ? 0 : closed + 1;
	longest = closed > longest ? closed : longest;
}

static void call_kmalloc(void *unused)
{
	(void)unused;
	block = kmalloc(asked);
}

static void call_krealloc(void *unused)
{
	(void)unused;
	block = krealloc(block, asked);
}

static void call_kfree(void *unused)
{
	(void)unused;
	kfree(block);
}

static void print_longest(const char *what, void (*call)(void *), size_t size)
{
	asked = size;
	closed = longest = 0;
	trap_step(call, NULL, look);
	bench_print(what, longest, 1, "instructions");
}

/* For how long nobody else is heard, instruction by instruction, while a call is under way. */
BENCH(quick_interrupts_off)
{
	kfree(kmalloc(100000));
	bench_scene("interrupts off, nothing moves");
	print_longest("kmalloc", call_kmalloc, 64);
	print_longest("krealloc", call_krealloc, 128);
	print_longest("kfree", call_kfree, 0);
	kheap_trim(0);
	bench_scene("interrupts off, the break moves");
	print_longest("kmalloc", call_kmalloc, 64);
	print_longest("krealloc", call_krealloc, 1000000);
	print_longest("kfree", call_kfree, 0);
}
