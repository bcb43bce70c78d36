/* SPDX-License-Identifier: MIT */
/*
 * A heap over real pages with a break of its own: what is damaged is thrown
 * away, and what touches memory beyond the break faults. There is one; it
 * belongs to the test that has opened it.
 *
 * Violations are noted, and go on: they do not stop the machine.
 */
#ifndef TESTS_KERNEL_SCRATCH_H
#define TESTS_KERNEL_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/brk.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/layout.h"

#define SCRATCH_BASE  (TEMP_BASE + 0x400000)
#define SCRATCH_LIMIT (SCRATCH_BASE + 0x100000)

extern struct heap scratch_heap;
extern struct brk scratch_brk;

/* Violations since the heap was opened, or since scratch_caught(); and the newest of them. */
extern unsigned int scratch_faults;
extern struct heap_fault scratch_fault;

/* An empty heap in an empty region, whatever was there. */
void scratch_open(void);

/* The same, whose break can be moved by so many pages. */
void scratch_open_pages(size_t pages);

/* Whatever state the heap is in, its memory goes. */
void scratch_throw_away(void);

/* Moves the break: the heap's hook, also for a second heap over the same break. */
heap_sbrk scratch_sbrk;

/* A new block of so many words, header included, its payload cleared; NULL if there is none. */
void *scratch_block(size_t words);

/* Merges all blocks that wait in quick lists, and gives nothing back. */
void scratch_merge(void);

/* Frees a block and merges it, whether it has waited for that or not. It is the remainder then, if
 * it is not too long for that. */
void scratch_release(void *ptr);

/* The same with a block of less than a page, and it is in a bin then. Moves the break, down at last. */
void scratch_release_to_bin(void *ptr);

/* The header of a block, by its pointer. */
size_t *scratch_header(const void *ptr);

/* The last word of a block: its second length while it is free. */
size_t *scratch_footer(const void *ptr);

/**
 * scratch_is() - whether the heap is as in a picture
 * @picture: as a walk sees it, newest segment first: '[' its record, 'u' a
 *	block in use, 'c' one in a quick list, 'f' a free one in a bin or the
 *	remainder, 't' the top, ']' the fence; with sizes in words but for the
 *	top, '*' for any: "[ u6 f* c8 t ]"
 *
 * Return: true if it is, heap_check() finds nothing, and nothing was reported.
 * Prints what it is if not.
 */
bool scratch_is(const char *picture);

/* Whether there was exactly one violation, of that @kind at that @block. Forgets it. */
bool scratch_caught(enum heap_fault_kind kind, const void *block);

/* Whether heap_check() finds a violation of that @kind at that @block. */
bool scratch_check_finds(enum heap_fault_kind kind, const void *block);

/* A number made of every byte of the heap and of its memory, to be compared with later; but for
 * the two fields that say when to merge next: they move with every call that takes from the top. */
uint32_t scratch_sum(void);

/* Frees each block and trims. Return: whether nothing is left and nothing was reported. */
bool scratch_comes_to_nothing(void);

#endif
