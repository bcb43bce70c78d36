/* SPDX-License-Identifier: MIT */
/*
 * What a heap of your own has to be: the six functions of kernel/mm/heap.h that
 * hand memory out. `make test HEAP=path/to/mine.c` says how good it is.
 *
 * Your file includes this one, says what a `struct heap` is, and defines the six.
 * It knows nothing but <stddef.h>, <stdint.h>, <stdbool.h>, and memcpy() and its
 * kin from <string.h>; and it calls no malloc() but its own.
 */
#ifndef DOCS_EXERCISES_HEAP_H
#define DOCS_EXERCISES_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Every payload begins at a multiple of this. */
#define HEAP_ALIGN (2 * sizeof(size_t))

/* Yours: all that the heap must know. It lies outside of the memory that it hands out. */
struct heap;

/**
 * heap_sbrk - where memory comes from
 * @increment: bytes to move the end of memory by; negative gives back, 0 asks
 *
 * Return: where the end was before; HEAP_SBRK_FAILED if it cannot be moved, and
 * then nothing has changed. New memory may hold anything, may begin at any
 * address, and need not follow on what was given before: others may have moved
 * the end too.
 */
typedef void *heap_sbrk(intptr_t increment);
#define HEAP_SBRK_FAILED ((void *)-1)

/* An empty heap. What @heap held is forgotten. */
void heap_init(struct heap *heap, heap_sbrk *sbrk);

/**
 * heap_malloc() - allocate
 * @size: bytes; 0 gives a block of its own too
 *
 * Return: a multiple of HEAP_ALIGN; NULL if there is not so much to be had, and
 * then nothing has changed.
 */
void *heap_malloc(struct heap *heap, size_t size);

/* The same at a multiple of @align. NULL also if that is no power of two. */
void *heap_memalign(struct heap *heap, size_t align, size_t size);

/**
 * heap_realloc() - change the size of an allocation
 * @ptr: from this heap; NULL makes this heap_malloc()
 * @size: the new size; 0 gives a block of no bytes
 *
 * The contents stay, up to the smaller of both sizes.
 *
 * Return: as heap_malloc(). On NULL the old block is still there, unchanged.
 */
void *heap_realloc(struct heap *heap, void *ptr, size_t size);

/* Gives an allocation back. NULL does nothing. */
void heap_free(struct heap *heap, void *ptr);

/* Bytes that may be used at @ptr: as many as were asked for, or a few more. */
size_t heap_usable_size(struct heap *heap, const void *ptr);

#endif
