/* SPDX-License-Identifier: MIT */
/*
 * What memory costs a program: the fewest ticks of the time stamp counter in
 * many tries. Under QEMU's -icount these are instructions, the kernel's too.
 *
 * Each row is a sum and how many operations it is of. What the measuring itself
 * and the loop around the operations take is measured as well, and taken off.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE   4096U
#define TRIES  64
#define BLOCKS 64
#define PAGES  64

typedef void work(void);

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* What the loops call to be measured without what they are for: a return and nothing else. */
void *take_nothing(size_t size);
void give_nothing(void *ptr);
long call_nothing(long number, ...);
__asm__(".text\ntake_nothing:\ngive_nothing:\ncall_nothing:\n\tret");

/* Called through these, so that the loops are the same; volatile, so that they stay loops. */
static void *(*volatile take)(size_t size);
static void (*volatile give)(void *ptr);
static long (*volatile call)(long number, ...);

/* The break is moved up and down from here. */
static char *base;
static void *blocks[BLOCKS];

static void nothing(void)
{
}

static void ask_for_process(void)
{
	call(SYS_getpid);
}

static void ask_for_break(void)
{
	call(SYS_brk, 0);
}

static void raise_break(void)
{
	call(SYS_brk, base + PAGE);
}

static void lower_break(void)
{
	call(SYS_brk, base);
}

static void raise_by_pages(void)
{
	call(SYS_brk, base + PAGES * PAGE);
}

static void touch_pages(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		((volatile char *)base)[i * PAGE] = 1;
}

static void give_touched_pages(void)
{
	raise_by_pages();
	touch_pages();
}

static void pairs(size_t size)
{
	for (int i = 0; i < BLOCKS; i++)
		give(take(size));
}

static void pairs_16(void)
{
	pairs(16);
}

static void pairs_1000(void)
{
	pairs(1000);
}

static void pairs_10000(void)
{
	pairs(10000);
}

static void allocate_all(void)
{
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = take(64);
}

static void free_all(void)
{
	for (int i = 0; i < BLOCKS; i++)
		give(blocks[i]);
}

static void be_real(void)
{
	take = malloc;
	give = free;
	call = syscall;
}

static void be_empty(void)
{
	take = take_nothing;
	give = give_nothing;
	call = call_nothing;
}

/**
 * struct row - what is measured
 * @what: its name
 * @n: how many operations it does
 * @before: prepares it
 * @measured: does it
 * @after: undoes it, but for the break
 * @without: prepares that it does nothing, to be taken off
 */
static const struct row {
	const char *what;
	unsigned int n;
	work *before, *measured, *after, *without;
} rows[] = {
	{ "getpid: system call", 1, nothing, ask_for_process, nothing, be_empty },
	{ "brk, asked: system call", 1, nothing, ask_for_break, nothing, be_empty },
	{ "brk, a page up: system call", 1, nothing, raise_break, nothing, be_empty },
	{ "brk, a page down: system call", 1, raise_break, lower_break, nothing, be_empty },
	{ "brk, 64 touched pages down: system call", 1, give_touched_pages, lower_break, nothing,
	  be_empty },
	{ "page: first touch", PAGES, raise_by_pages, touch_pages, nothing, give_touched_pages },
	{ "16: pair", BLOCKS, nothing, pairs_16, nothing, be_empty },
	{ "1000: pair", BLOCKS, nothing, pairs_1000, nothing, be_empty },
	{ "10000: pair", BLOCKS, nothing, pairs_10000, nothing, be_empty },
	{ "64 of 64: malloc", BLOCKS, nothing, allocate_all, free_all, be_empty },
	{ "64 of 64: free", BLOCKS, allocate_all, free_all, nothing, be_empty },
};

/* Interrupts only ever add: the smallest of many is without. */
static uint64_t fewest(work *before, work *measured, work *after)
{
	uint64_t least = UINT64_MAX, start, taken;

	for (int i = 0; i < TRIES; i++) {
		before();
		start = ticks();
		measured();
		taken = ticks() - start;
		be_real();
		after();
		lower_break();
		least = taken < least ? taken : least;
	}
	return least;
}

int main(void)
{
	be_real();
	free(malloc(100));
	base = sbrk(0);
	sbrk((intptr_t)(PAGE - (uintptr_t)base % PAGE)); /* stays: beyond it are whole pages */
	base = sbrk(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		uint64_t taken = fewest(row->before, row->measured, row->after);
		uint64_t beside = fewest(row->without, row->measured, nothing);

		printf("%-40s %8llu/%u\n", row->what,
		       (unsigned long long)(taken > beside ? taken - beside : 0), row->n);
	}
	return EXIT_SUCCESS;
}
