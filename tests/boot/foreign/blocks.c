/* SPDX-License-Identifier: MIT */
/* Blocks so large that malloc() gives them mappings of their own, and mappings asked for directly. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCKS 24U
#define PAGE   4096U

static unsigned char *blocks[BLOCKS];
static size_t sizes[BLOCKS];
static uint32_t state = 1;

static uint32_t next_random(void)
{
	state = state * 1664525U + 1013904223U;
	return state >> 8;
}

static void fail(const char *what)
{
	printf("failed: %s\n", what);
	exit(2);
}

/* A byte in each page, so that each of them is there. */
static void mark(uint32_t i)
{
	for (size_t at = 0; at < sizes[i]; at += PAGE)
		blocks[i][at] = (unsigned char)(i + at / PAGE);
	blocks[i][sizes[i] - 1] = (unsigned char)i;
}

static void verify(uint32_t i, size_t size)
{
	for (size_t at = 0; at < size; at += PAGE)
		if (blocks[i][at] != (unsigned char)(i + at / PAGE))
			fail("a block has changed");
}

static void one_step(uint32_t i)
{
	size_t size = 100000 + next_random() % 2000000, both;
	unsigned char *ptr;

	if (next_random() % 3 == 0) {
		free(blocks[i]);
		blocks[i] = NULL;
		sizes[i] = 0;
		return;
	}
	both = size < sizes[i] ? size : sizes[i];
	ptr = realloc(blocks[i], size);
	if (!ptr)
		fail("realloc");
	blocks[i] = ptr;
	sizes[i] = size;
	if (both > 0)
		verify(i, both - 1);
	mark(i);
}

static void at_random(void)
{
	uint64_t total = 0;

	for (uint32_t step = 0; step < 2000; step++) {
		uint32_t i = next_random() % BLOCKS;

		one_step(i);
		total += sizes[i];
	}
	for (uint32_t i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	printf("%llu bytes in all\n", (unsigned long long)total);
}

static void cleared(void)
{
	for (size_t size = PAGE; size < 8 * 1024 * 1024; size *= 3) {
		unsigned char *ptr = calloc(1, size);
		size_t sum = 0;

		if (!ptr)
			fail("calloc");
		for (size_t at = 0; at < size; at++)
			sum += ptr[at];
		memset(ptr, 0xFF, size);
		free(ptr);
		printf("%zu bytes of 0: sum %zu\n", size, sum);
	}
}

static unsigned char *map(void *hint, size_t size, int flags)
{
	void *ptr = mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
			 -1, 0);

	return ptr == MAP_FAILED ? NULL : ptr;
}

static void say(const char *what, bool true_of_it)
{
	printf("%s: %s\n", what, true_of_it ? "yes" : "no");
}

/* A mapping with a hole, in which another one is put. */
static void mapped(void)
{
	unsigned char *ptr = map(NULL, 16 * PAGE, 0);

	if (!ptr)
		fail("mmap");
	memset(ptr, 1, 16 * PAGE);
	say("a hole is made", munmap(ptr + 4 * PAGE, 4 * PAGE) == 0);
	say("a mapping is put in it", map(ptr + 5 * PAGE, 2 * PAGE, MAP_FIXED) == ptr + 5 * PAGE);
	say("which is clear, and nothing else", ptr[0] && !ptr[5 * PAGE] && ptr[8 * PAGE]);
	say("a page is protected", mprotect(ptr, PAGE, PROT_READ) == 0);
	say("and still read", ptr[0] == 1);
	say("what is not there is not", mprotect(ptr, 5 * PAGE, PROT_READ) && errno == ENOMEM);
	say("all of it goes", munmap(ptr, 16 * PAGE) == 0);
	say("a mapping of nothing is refused", !map(NULL, 0, 0) && errno == EINVAL);
}

int main(void)
{
	volatile size_t most = SIZE_MAX - PAGE;
	void *ptr;

	at_random();
	cleared();
	mapped();
	ptr = malloc(most);
	say("a block of everything is refused", !ptr && errno == ENOMEM);
	free(ptr);
	return 99;
}
