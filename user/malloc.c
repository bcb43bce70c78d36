/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its kin: the heap of the kernel over the break of the program.
 * What the standards say beyond what the heap does itself is all there is here.
 */
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/mm/heap.h"

static struct heap heap;

/* Tells who looks at the process from outside where its heap is. */
static const struct {
	uint32_t name_size, size, type;
	char name[12];
	struct heap *heap;
} note __attribute__((section(".note.fencepost"), used, aligned(4))) = {
	.name_size = sizeof("Fencepost"),
	.size = sizeof(struct heap *),
	.type = 1,
	.name = "Fencepost",
	.heap = &heap,
};

static void *payload(const void *block)
{
	return (void *)((uintptr_t)block + HEAP_WORD);
}

/* Where a length in a header was overwritten, the block before is the one to look at. */
static void violated(struct heap *of, const struct heap_fault *fault)
{
	char before[32] = "";

	(void)of;
	if (fault->before)
		snprintf(before, sizeof(before), "; before it %p", payload(fault->before));
	dprintf(STDERR_FILENO, "heap: pointer %p: %s (0x%08zx, 0x%08zx)%s\n", payload(fault->block),
		heap_fault_name(fault->kind), fault->expected, fault->found, before);
	abort();
}

/* Before main(), so that no call has to ask whether it is the first. */
__attribute__((constructor)) static void set_up(void)
{
	heap_init(&heap, sbrk);
	heap_set_fault(&heap, violated);
}

static void *or_errno(void *ptr)
{
	if (!ptr)
		errno = ENOMEM;
	return ptr;
}

void *malloc(size_t size)
{
	return or_errno(heap_malloc(&heap, size));
}

void free(void *ptr)
{
	int before = errno; /* the break may have to be moved for it */

	heap_free(&heap, ptr);
	errno = before;
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &bytes))
		return or_errno(NULL);
	ptr = malloc(bytes);
	return ptr ? memset(ptr, 0, bytes) : NULL;
}

void *realloc(void *ptr, size_t size)
{
	if (ptr && size == 0) {
		free(ptr);
		return NULL;
	}
	return or_errno(heap_realloc(&heap, ptr, size));
}

void *reallocarray(void *ptr, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return or_errno(NULL);
	return realloc(ptr, bytes);
}

static bool is_power_of_two(size_t n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	if (!is_power_of_two(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	return or_errno(heap_memalign(&heap, alignment, size));
}

int posix_memalign(void **memptr, size_t alignment, size_t size)
{
	int before = errno;
	void *ptr;

	if (alignment % sizeof(void *) != 0 || !is_power_of_two(alignment))
		return EINVAL;
	ptr = aligned_alloc(alignment, size);
	errno = before;
	if (!ptr)
		return ENOMEM;
	*memptr = ptr;
	return 0;
}

size_t malloc_usable_size(void *ptr)
{
	return heap_usable_size(&heap, ptr);
}
