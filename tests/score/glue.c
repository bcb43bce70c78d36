/* SPDX-License-Identifier: MIT */
/* Somebody's heap, HEAP_FILE, under names that nobody else has. */
#include HEAP_FILE

#include "subject.h"

static struct heap subject;

void subject_init(subject_sbrk *sbrk)
{
	heap_init(&subject, sbrk);
}

void *subject_malloc(size_t size)
{
	return heap_malloc(&subject, size);
}

void *subject_memalign(size_t align, size_t size)
{
	return heap_memalign(&subject, align, size);
}

void *subject_realloc(void *ptr, size_t size)
{
	return heap_realloc(&subject, ptr, size);
}

void subject_free(void *ptr)
{
	heap_free(&subject, ptr);
}

size_t subject_usable_size(const void *ptr)
{
	return heap_usable_size(&subject, ptr);
}
