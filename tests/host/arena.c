/* SPDX-License-Identifier: MIT */
#include "arena.h"
#include "poison.h"

#include <stdbool.h>
#include <string.h>

#define ARENA_SIZE   (256UL << 20)
#define FOREIGN_MOST 70000

static _Alignas(64) unsigned char memory[ARENA_SIZE];
static unsigned char *base, *end, *limit;
static unsigned char *unpoisoned = memory + ARENA_SIZE; /* nothing from here on is */
static enum arena_company company;
static uint32_t state;
static unsigned long moves;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static bool one_in(uint32_t n)
{
	return next_random() % n == 0;
}

void arena_reset(enum arena_company how, size_t size, size_t skew, uint32_t seed)
{
	company = how;
	state = seed | 1;
	base = end = memory + skew;
	limit = base + size;
	moves = 0;
	/* All of it only once: there may be many thousands of short lives. */
	ASAN_POISON_MEMORY_REGION(memory, (size_t)(unpoisoned - memory));
	unpoisoned = memory;
}

static void skip_some(void)
{
	size_t n = next_random() % FOREIGN_MOST;

	if (n < (size_t)(limit - end))
		end += n;
}

static void *grow(size_t n)
{
	unsigned char *before;

	if (company == ARENA_POOR && one_in(4))
		return (void *)-1;
	if (company == ARENA_SCATTERED && one_in(3))
		skip_some();
	if (n > (size_t)(limit - end))
		return (void *)-1;
	before = end;
	ASAN_UNPOISON_MEMORY_REGION(before, n);
	memset(before, 0xA5, n); /* the hook promises nothing about contents */
	end += n;
	if (end > unpoisoned)
		unpoisoned = end;
	return before;
}

void *arena_sbrk(intptr_t increment)
{
	unsigned char *before = end;

	if (increment == 0) {
		if (company == ARENA_FOREIGN && one_in(3))
			skip_some();
		return end;
	}
	moves++;
	if (increment > 0)
		return grow((size_t)increment);
	if ((size_t)-increment > (size_t)(end - base))
		return (void *)-1;
	end += increment;
	ASAN_POISON_MEMORY_REGION(end, (size_t)-increment);
	return before;
}

uintptr_t arena_base(void)
{
	return (uintptr_t)base;
}

int arena_is_empty(void)
{
	return end == base;
}

unsigned long arena_moves(void)
{
	return moves;
}
