/* SPDX-License-Identifier: MIT */
/*
 * The memory of a process: its address space, its areas, its break.
 *
 *	USER_BASE         the program, wherever it is linked to
 *	behind it         the heap, up to the break
 *	...               mappings, from USER_MAP_END downwards
 *	USER_STACK_BASE   the stack
 *	USER_END
 *
 * The heap is no area, but its pages may lie in one: where the process has
 * protected, unmapped or mapped over a part of it. There the area decides.
 *
 * No page is there before it is touched, by the process or in its name; then
 * it reads zero. Addresses and sizes come from the process, and are checked
 * here. Results are those of the system calls on Linux. But for memory_create(),
 * memory_destroy() and memory_peek(), the process's space must be the current one.
 */
#ifndef KERNEL_PROC_MEMORY_H
#define KERNEL_PROC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/brk.h"
#include "kernel/mm/paging.h"
#include "kernel/proc/area.h"

struct memory {
	struct address_space space;
	struct areas areas;
	struct brk brk;
};

/* Whether so many bytes are more than all processes together could have. */
bool memory_too_much(size_t size);

/* Memory with nothing in it. Return: 0, or -ENOMEM; then there is nothing to destroy. */
int memory_create(struct memory *memory);

/* Gives back all of it. The space must not be the current one. O(pages + areas). */
void memory_destroy(struct memory *memory);

/**
 * memory_place() - make a span of pages an area, before the process runs
 * @start: page-aligned, at least USER_BASE
 * @end: page-aligned, at most USER_END; no area begins before it that ends behind @start
 * @prot: as in struct area
 * @name: likewise
 *
 * However many: they come when they are touched.
 *
 * Return: 0, or -ENOMEM as area_set(). Then nothing has changed.
 */
int memory_place(struct memory *memory, uintptr_t start, uintptr_t end, unsigned int prot,
		 const char *name);

/**
 * memory_touch() - provide the page that an address is in, if it is not there
 * @write: it is to be written
 *
 * Return: 0; -EFAULT if the process may not do that there, -ENOMEM if frames ran
 * out. Then nothing has changed.
 */
int memory_touch(struct memory *memory, uintptr_t address, bool write);

/* Whether the process may read, or write, @size bytes at @address. O(areas). */
bool memory_allows(const struct memory *memory, uintptr_t address, size_t size, bool write);

/**
 * memory_read() - copy from the process
 * memory_write() - copy to it
 *
 * Return: 0, or as memory_touch() for any of the bytes; then nothing was copied.
 */
int memory_read(struct memory *memory, void *to, uintptr_t address, size_t size);
int memory_write(struct memory *memory, uintptr_t address, const void *from, size_t size);

/**
 * memory_peek() - look at a process's memory from outside
 * @to: receives the bytes
 *
 * Whatever space is current. Takes no frame: a page that was not touched reads
 * zero. What is there is read even if the process may not.
 *
 * Return: whether all bytes are the process's; else some may have been copied.
 */
bool memory_peek(struct memory *memory, void *to, uintptr_t address, size_t size);

/**
 * memory_brk() - brk(2)
 * @end: where the break shall be
 *
 * Besides what brk_set() refuses, the page behind the break stays free of areas.
 *
 * Return: where the break is now.
 */
uintptr_t memory_brk(struct memory *memory, uintptr_t end);

/**
 * memory_map() - mmap2(2), of anonymous memory
 * @hint: where, if there is room
 * @fixed: there, whatever there is
 *
 * Return: the address; negated, what is wrong.
 */
intptr_t memory_map(struct memory *memory, uintptr_t hint, size_t size, unsigned int prot,
		    bool fixed);

/* munmap(2). Return: 0, or an error; -ENOMEM may come when a part is done. */
int memory_unmap(struct memory *memory, uintptr_t start, size_t size);

/* mprotect(2). Return: the same. Where not all is mapped, it is -ENOMEM and nothing is done. */
int memory_protect(struct memory *memory, uintptr_t start, size_t size, unsigned int prot);

#endif
