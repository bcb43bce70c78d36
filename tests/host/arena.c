/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdbool.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(from, n)   ((void)(from), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(from, n) ((void)(from), (void)(n))
#endif

#define ARENA_SIZE   (256UL << 20)
#define FOREIGN_MOST 70000

static _Alignas(64) unsigned char memory[ARENA_SIZE];
static unsigned char *base, *end, *limit;
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
	ASAN_POISON_MEMORY_REGION(memory, ARENA_SIZE);
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

int arena_is_empty(void)
{
	return end == base;
}

unsigned long arena_moves(void)
{
	return moves;
}
