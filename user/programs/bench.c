/* SPDX-License-Identifier: MIT */
/*
 * What memory costs a program: the fewest ticks of the time stamp counter in
 * many tries. Under QEMU's -icount these are instructions, the kernel's too.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE   4096
#define TRIES  64
#define BLOCKS 64

typedef void work(void);

static uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* The break is moved up and down a page from here. */
static char *base;
static void *blocks[BLOCKS];

static void nothing(void)
{
}

static void ask_for_process(void)
{
	syscall(SYS_getpid);
}

static void ask_for_break(void)
{
	syscall(SYS_brk, 0);
}

static void raise_break(void)
{
	syscall(SYS_brk, base + PAGE);
}

static void lower_break(void)
{
	syscall(SYS_brk, base);
}

static void touch_page(void)
{
	*(volatile char *)base = 1;
}

static void give_touched_page(void)
{
	raise_break();
	touch_page();
}

static void pairs(size_t size)
{
	for (int i = 0; i < BLOCKS; i++)
		free(malloc(size));
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
		blocks[i] = malloc(64);
}

static void free_all(void)
{
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
}

static const struct row {
	const char *what;
	work *before, *measured, *after;
} rows[] = {
	{ "system call: getpid", nothing, ask_for_process, nothing },
	{ "system call: brk, asked", nothing, ask_for_break, nothing },
	{ "system call: brk, a page up", lower_break, raise_break, lower_break },
	{ "system call: brk, a page down", raise_break, lower_break, nothing },
	{ "system call: brk, a touched page down", give_touched_page, lower_break, nothing },
	{ "first touch of a page", raise_break, touch_page, lower_break },
	{ "64 times malloc(16) and free", nothing, pairs_16, nothing },
	{ "64 times malloc(1000) and free", nothing, pairs_1000, nothing },
	{ "64 times malloc(10000) and free", nothing, pairs_10000, nothing },
	{ "64 times malloc(64)", nothing, allocate_all, free_all },
	{ "64 times free of 64", allocate_all, free_all, nothing },
};

/* Interrupts only ever add: the smallest of many is without. */
static uint64_t fewest(const struct row *row)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t start, taken;

		row->before();
		start = ticks();
		row->measured();
		taken = ticks() - start;
		row->after();
		least = taken < least ? taken : least;
	}
	return least;
}

int main(void)
{
	const struct row empty = { "", nothing, nothing, nothing };
	uint64_t cost_of_measuring = fewest(&empty);

	free(malloc(100));
	base = sbrk(0);
	sbrk(PAGE -
	     (intptr_t)((uintptr_t)base % PAGE)); /* stays: what is beyond it is whole pages */
	base = sbrk(0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t taken = fewest(&rows[i]);

		taken = taken > cost_of_measuring ? taken - cost_of_measuring : 0;
		printf("%-40s %8llu\n", rows[i].what, (unsigned long long)taken);
	}
	return EXIT_SUCCESS;
}
