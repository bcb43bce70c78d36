/* SPDX-License-Identifier: MIT */
/* malloc() and its kin: each does what it should, and says so when it cannot. */
#include "tests/user/check.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGN	8
#define HALF	(SIZE_MAX / 2 + 1) /* twice this is 0, and it is more than PTRDIFF_MAX */
#define MINUS_1 SIZE_MAX

/* Volatile, or a compiler may know better than to call, and may know what is too large. */
static void *volatile block, *volatile other;
static volatile size_t half = HALF, most = MINUS_1;

static bool aligned(const void *ptr, size_t to)
{
	return ptr && (uintptr_t)ptr % to == 0;
}

static bool all(const void *bytes, int value, size_t n)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < n; i++)
		if (at[i] != value)
			return false;
	return true;
}

static bool fails(const void *ptr, int error)
{
	return !ptr && errno == error;
}

#define CHECK_NULL(call, error)                                                                    \
	do {                                                                                       \
		errno = 0;                                                                         \
		check(fails(call, error), #call ": " #error, __LINE__);                            \
	} while (0)

static void check_malloc(void)
{
	static char *blocks[300];

	for (size_t size = 0; size < 300; size++) {
		blocks[size] = malloc(size);
		if (!aligned(blocks[size], ALIGN) || malloc_usable_size(blocks[size]) < size)
			break;
		memset(blocks[size], (int)size & 0xFF, malloc_usable_size(blocks[size]));
	}
	for (size_t size = 0; size < 300; size++)
		CHECK(blocks[size] && all(blocks[size], (int)size & 0xFF, size));
	for (size_t size = 0; size < 300; size++)
		free(blocks[size]);
}

static void check_malloc_of_nothing(void)
{
	block = malloc(0);
	other = malloc(0);
	CHECK(block && other && block != other);
	free(block);
	free(other);
	block = calloc(0, 10);
	CHECK(block);
	free(block);
	CHECK(malloc_usable_size(NULL) == 0);
	free(NULL);
}

static void check_calloc(void)
{
	block = malloc(5000);
	CHECK(block && memset(block, 1, 5000));
	free(block);
	block = calloc(50, 100);
	CHECK(block && all(block, 0, 5000));
	free(block);
	CHECK_NULL(calloc(half, 2), ENOMEM);
	CHECK_NULL(calloc(2, half), ENOMEM);
	CHECK_NULL(calloc(half / 2 + 1, 4), ENOMEM);
	CHECK_NULL(calloc(1, half), ENOMEM);
}

static bool resize(size_t size)
{
	void *now = realloc(block, size);

	if (now)
		block = now;
	return now && malloc_usable_size(block) >= size;
}

static void check_realloc(void)
{
	block = realloc(NULL, 100);
	CHECK(block && memset(block, 7, 100));
	CHECK(resize(10000) && all(block, 7, 100));
	other = malloc(1); /* so that it cannot grow where it is */
	CHECK(resize(100000) && all(block, 7, 100));
	CHECK(resize(10) && all(block, 7, 10));
	free(other);
	errno = 0;
	other = realloc(block, 0);
	CHECK(!other && errno == 0);
}

static void check_reallocarray(void)
{
	block = reallocarray(NULL, 10, 10);
	CHECK(block && memset(block, 9, 100));
	other = reallocarray(block, 100, 30);
	CHECK(other && all(other, 9, 100));
	block = other;
	CHECK_NULL(reallocarray(block, half, 2), ENOMEM);
	CHECK_NULL(reallocarray(block, 2, half), ENOMEM);
	CHECK_NULL(reallocarray(block, 1, half), ENOMEM);
	CHECK_NULL(reallocarray(NULL, most, most), ENOMEM);
	CHECK(all(block, 9, 100));
	free(block);
}

static void check_too_much(void)
{
	block = malloc(1000);
	CHECK(block && memset(block, 3, 1000));
	CHECK_NULL(malloc(most), ENOMEM);
	CHECK_NULL(malloc(half), ENOMEM);
	CHECK_NULL(malloc(half - 1), ENOMEM);
	CHECK_NULL(realloc(block, most), ENOMEM);
	CHECK_NULL(realloc(block, half), ENOMEM);
	CHECK_NULL(realloc(NULL, half), ENOMEM);
	CHECK_NULL(aligned_alloc(64, most), ENOMEM);
	CHECK_NULL(aligned_alloc(half, 1), ENOMEM);
	CHECK(all(block, 3, 1000));
	free(block);
}

static void check_aligned_alloc(void)
{
	for (size_t to = 1; to <= 1 << 16; to *= 2) {
		block = aligned_alloc(to, 3);
		other = aligned_alloc(to, to);
		CHECK(aligned(block, to) && aligned(other, to));
		CHECK(aligned(block, ALIGN) && malloc_usable_size(other) >= to);
		free(block);
		free(other);
	}
#ifndef __GLIBC__ /* which rounds up what is no power of two */
	CHECK_NULL(aligned_alloc(0, 8), EINVAL);
	CHECK_NULL(aligned_alloc(3, 8), EINVAL);
	CHECK_NULL(aligned_alloc(24, 24), EINVAL);
	CHECK_NULL(aligned_alloc(most, 8), EINVAL);
#else
	checks += 4;
#endif
}

static void check_posix_memalign(void)
{
	void *ptr = &ptr;

	errno = 0;
	CHECK(posix_memalign(&ptr, 0, 8) == EINVAL && ptr == &ptr);
	CHECK(posix_memalign(&ptr, 1, 8) == EINVAL && ptr == &ptr);
	CHECK(posix_memalign(&ptr, 2, 8) == EINVAL && ptr == &ptr);
	CHECK(posix_memalign(&ptr, 24, 8) == EINVAL && ptr == &ptr);
	CHECK(posix_memalign(&ptr, 64, most) == ENOMEM && ptr == &ptr);
	CHECK(posix_memalign(&ptr, half, 8) == ENOMEM && ptr == &ptr);
#ifndef __GLIBC__ /* which says it there as well */
	CHECK(errno == 0);
#else
	checks += 1;
#endif
	for (size_t to = sizeof(void *); to <= 1 << 16; to *= 2) {
		CHECK(posix_memalign(&ptr, to, 100) == 0 && aligned(ptr, to));
		CHECK(malloc_usable_size(ptr) >= 100);
		free(ptr);
	}
	CHECK(posix_memalign(&ptr, 64, 0) == 0 && aligned(ptr, 64));
	free(ptr);
}

/* Enough for memory to go back to the system, by calls that leave errno alone. */
static void check_errno_and_free(void)
{
	enum { BLOCKS = 64, SIZE = 100000 };
	static char *blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(SIZE);
		CHECK(blocks[i] && memset(blocks[i], i, SIZE));
	}
	for (int i = 0; i < BLOCKS; i++)
		CHECK(all(blocks[i], i, SIZE));
	errno = EINVAL;
	for (int i = BLOCKS; i-- > 0;)
		free(blocks[i]);
	CHECK(errno == EINVAL);
}

/* What is freed at the end of the heap lowers the break: in steps, and not for every little bit. */
static void check_free_lowers_the_break(void)
{
	enum { BLOCKS = 64, SIZE = 100000 };
	static char *blocks[BLOCKS];
	char *highest;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(SIZE);
	highest = sbrk(0);
	for (int i = BLOCKS; i-- > 0;)
		free(blocks[i]);
	CHECK((char *)sbrk(0) < highest - BLOCKS / 2 * SIZE);
}

/* A program that moves the break itself keeps what it has so, and malloc() what it has. */
static void check_sbrk_beside(void)
{
	enum { ROUNDS = 50, OURS = 3001, BLOCK = 700, LARGE = 70000 };
	static char *ours[ROUNDS], *small[ROUNDS], *large[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		small[i] = malloc(BLOCK);
		large[i] = malloc(LARGE);
		ours[i] = sbrk(OURS);
		CHECK(small[i] && large[i] && ours[i] != (void *)-1);
		memset(small[i], i, BLOCK);
		memset(large[i], i + 1, LARGE);
		memset(ours[i], i + 2, OURS);
		small[i] = realloc(small[i], 2 * BLOCK);
		CHECK(small[i]);
	}
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(all(small[i], i, BLOCK) && all(large[i], i + 1, LARGE));
		free(small[i]);
		free(large[i]);
	}
	for (int i = 0; i < ROUNDS; i++)
		CHECK(all(ours[i], i + 2, OURS));
	block = malloc((size_t)ROUNDS * LARGE);
	CHECK(block);
	free(block);
}

int main(void)
{
	check_plan();
	check_malloc();
	check_malloc_of_nothing();
	check_calloc();
	check_realloc();
	check_reallocarray();
	check_too_much();
	check_aligned_alloc();
	check_posix_memalign();
	check_errno_and_free();
	check_free_lowers_the_break();
	check_sbrk_beside();
	return check_result("malloc() and its kin");
}
