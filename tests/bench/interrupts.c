/* SPDX-License-Identifier: MIT */
/* Ten million operations on the heap, while the timer's interrupts work on it too. */
#include "kernel/dev/console.h"
#include "kernel/dev/timer.h"
#include "kernel/mm/kmalloc.h"
#include "tests/kernel/ktest.h"

#include <string.h>

#define OPERATIONS 10000000U
#define BLOCKS	   64
#define HELD	   16

struct owned {
	unsigned char *ptr;
	uint32_t size;
};

static struct owned blocks[BLOCKS], held[HELD];
static uint32_t state = 1; /* of the interrupt's own random numbers */
static volatile uint32_t damaged, handled;
static timer_hook *watch;

/* First and last byte tell whose block it is. */
static void mark(struct owned *owned, uint32_t size, unsigned char tag)
{
	owned->size = size;
	if (owned->ptr)
		owned->ptr[0] = owned->ptr[size - 1] = tag;
}

static bool marked(const struct owned *owned, unsigned char tag)
{
	return !owned->ptr || (owned->ptr[0] == tag && owned->ptr[owned->size - 1] == tag);
}

/* One of: take, give back, resize. */
static void operate(struct owned *owned, uint32_t random, unsigned char tag)
{
	uint32_t size = random % 16 ? 1 + (random >> 8) % 300 : 1 + (random >> 8) % 20000;
	unsigned char *moved;

	damaged += !marked(owned, tag);
	if (!owned->ptr) {
		owned->ptr = kmalloc(size);
		mark(owned, size, tag);
	} else if (random & 32) {
		kfree(owned->ptr);
		owned->ptr = NULL;
	} else {
		moved = krealloc(owned->ptr, size);
		if (moved) {
			damaged += moved[0] != tag;
			owned->ptr = moved;
			mark(owned, size, tag);
		}
	}
}

static void in_interrupt(void)
{
	state = state * 1664525 + 1013904223;
	operate(&held[state >> 16 & (HELD - 1)], state >> 8, 0xA5);
	handled++;
	watch();
}

KTEST(timer_that_allocates_beside_ten_million_operations)
{
	watch = timer_set_hook(NULL);
	timer_set_hook(in_interrupt);
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		uint32_t random = ktest_random();

		operate(&blocks[random % BLOCKS], random >> 4, 0x5A);
	}
	timer_set_hook(watch);
	kprintf("# %u operations, %u interrupts among them\n", OPERATIONS, handled);
	CHECK(heap_check(&kernel_heap, NULL));
	for (unsigned int i = 0; i < BLOCKS; i++)
		kfree(blocks[i].ptr);
	for (unsigned int i = 0; i < HELD; i++)
		kfree(held[i].ptr);
	CHECK_EQ(damaged, 0);
	CHECK(handled > 100);
}
