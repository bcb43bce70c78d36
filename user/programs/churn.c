/* SPDX-License-Identifier: MIT */
/*
 * Allocates, resizes and frees at random, and looks whether each block still
 * holds what it was filled with.
 *
 *	churn [operations [blocks [largest size [seed]]]]
 *
 * The checksum is of sizes and contents, not of addresses: it is the same
 * wherever malloc() does what it should.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BLOCKS 4096

static struct {
	unsigned char *bytes;
	size_t size;
	unsigned char seed; /* the contents count up from it */
} blocks[MOST_BLOCKS];

static uint32_t random_state, checksum;

/* Marsaglia's xorshift. */
static uint32_t random_below(uint32_t end)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % end;
}

/* Small sizes are asked for more often than large ones, as programs do. */
static size_t random_size(size_t largest)
{
	return 1 + random_below(1 + random_below((uint32_t)largest));
}

static void fill(size_t n, size_t from)
{
	for (size_t i = from; i < blocks[n].size; i++)
		blocks[n].bytes[i] = (unsigned char)(blocks[n].seed + i);
}

/* Whether the first bytes are as they were; they go into the checksum. */
static bool verify(size_t n, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (blocks[n].bytes[i] != (unsigned char)(blocks[n].seed + i)) {
			printf("block %zu at %p, byte %zu of %zu: %d\n", n, (void *)blocks[n].bytes,
			       i, size, blocks[n].bytes[i]);
			return false;
		}
		checksum = (checksum << 5 | checksum >> 27) ^ blocks[n].bytes[i];
	}
	checksum += (uint32_t)size;
	return true;
}

static void *allocate(size_t size)
{
	switch (random_below(8)) {
	case 0:
		return calloc(size, 1);
	case 1:
		return aligned_alloc((size_t)1 << random_below(9), size);
	default:
		return malloc(size);
	}
}

static bool renew(size_t n, size_t size)
{
	if (!verify(n, blocks[n].size))
		return false;
	free(blocks[n].bytes);
	blocks[n].bytes = allocate(size);
	blocks[n].size = size;
	blocks[n].seed = (unsigned char)random_below(256);
	if (!blocks[n].bytes)
		return false;
	fill(n, 0);
	return true;
}

static bool resize(size_t n, size_t size)
{
	size_t before = blocks[n].size;
	unsigned char *bytes = realloc(blocks[n].bytes, size);

	if (!bytes)
		return false;
	blocks[n].bytes = bytes;
	blocks[n].size = size;
	if (!verify(n, before < size ? before : size))
		return false;
	fill(n, before);
	return true;
}

static bool churn(unsigned long operations, size_t count, size_t largest)
{
	for (unsigned long i = 0; i < operations; i++) {
		size_t n = random_below((uint32_t)count), size = random_size(largest);

		if (random_below(4) == 0 ? !resize(n, size) : !renew(n, size))
			return false;
	}
	for (size_t n = 0; n < count; n++) {
		if (!verify(n, blocks[n].size))
			return false;
		free(blocks[n].bytes);
	}
	return true;
}

static unsigned long argument(char **argv, int argc, int n, unsigned long otherwise)
{
	return n < argc ? strtoul(argv[n], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	unsigned long operations = argument(argv, argc, 1, 20000);
	size_t count = argument(argv, argc, 2, 256), largest = argument(argv, argc, 3, 4000);

	random_state = (uint32_t)argument(argv, argc, 4, 1);
	if (count < 1 || count > MOST_BLOCKS || largest < 1 || random_state == 0) {
		printf("churn [operations [blocks to %d [largest size [seed]]]], none of them 0\n",
		       MOST_BLOCKS);
		return EXIT_FAILURE;
	}
	if (!churn(operations, count, largest)) {
		puts("churn: memory is not as it should be, or there is none");
		return EXIT_FAILURE;
	}
	printf("churn: %lu operations, checksum %08x\n", operations, (unsigned int)checksum);
	return EXIT_SUCCESS;
}
