/* SPDX-License-Identifier: MIT */
/*
 * Paging: pages of 4 KiB, two levels, in a higher-half address space.
 *
 * Page tables lie below DIRECT_SIZE and are reached through the direct map.
 * One is taken when the first page in its 4 MiB is mapped, and given back with
 * the last.
 *
 *	              kernel_space    a process's space    another's
 *	0x00000000    nothing         its own tables       its own tables
 *	DIRECT_BASE   the kernel's    the same tables      the same tables
 *
 * The kernel's half is that of kernel_space, and only mapped and unmapped there:
 * a table that comes or goes does so in all spaces at once.
 */
#ifndef KERNEL_MM_PAGING_H
#define KERNEL_MM_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/frame.h"

#define PAGE_WRITE 1U /* may be written, else only read */
#define PAGE_USER  2U /* user mode may use it, else only the kernel */

#define PAGING_DIR_ENTRIES 1024U

/**
 * struct address_space - one page directory and what hangs on it
 * @dir: the directory, in the direct map
 * @used: for each page table of its own, how many of its pages are mapped
 * @next: in the list of all spaces but the kernel's
 */
struct address_space {
	uint32_t *dir;
	uint16_t used[PAGING_DIR_ENTRIES];
	struct address_space *next;
};

extern struct address_space kernel_space;

/**
 * paging_probe() - whether there is RAM behind a frame number
 * @frame: any frame that nothing lies in
 *
 * Writes two words of the frame, reads them back, and restores what was there.
 * Works on boot's tables, so only before paging_init(). O(1).
 */
bool paging_probe(uint32_t frame);

/**
 * paging_init() - replace boot's tables by the kernel's own
 * @ram_frames: frames from 0 up to the highest usable one
 *
 * Maps the direct map's frames, as far as there is RAM, and the first MiB;
 * takes away the write permission from text and read-only data, and maps
 * nothing at address 0, at page 0's place in the direct map, and below each
 * stack. CR0.WP is set, so that this binds the kernel too.
 *
 * Return: 0, or -ENOMEM; then boot's tables stay.
 */
int paging_init(uint32_t ram_frames);

/**
 * paging_create() - a space in which nothing is mapped but the kernel's half
 * @space: is filled
 *
 * Return: 0, or -ENOMEM if there is no frame for the directory; then nothing has
 * changed.
 */
int paging_create(struct address_space *space);

/* Gives back a space that is not the current one, with all that is mapped in it. O(pages). */
void paging_destroy(struct address_space *space);

/* Makes @space the current one. Return: the one that was. O(1). */
struct address_space *paging_switch(struct address_space *space);

/**
 * paging_map_span() - map pages side by side
 * @space: where
 * @virt: the address of the first, a multiple of PAGE_SIZE
 * @frames: the frame that shall lie there, for each page
 * @n: how many pages
 * @prot: PAGE_WRITE, PAGE_USER, or both
 *
 * O(n), with one walk from the directory for each page table; a new one is
 * cleared.
 *
 * Return: 0; -EINVAL if @virt is not aligned or the span reaches beyond the last
 * address, or that of a process's half, -EEXIST if something is mapped within it,
 * -ENOMEM if there is no frame for a page table. Then nothing has changed.
 */
int paging_map_span(struct address_space *space, uintptr_t virt, const uint32_t *frames, uint32_t n,
		    unsigned int prot);

/**
 * paging_unmap_span() - unmap pages side by side
 * @virt: the address of the first
 * @frames: receives the frames that lay there, which now are the caller's
 * @n: how many pages
 *
 * O(n), with one walk from the directory for each page table. One that becomes
 * empty is given back.
 *
 * Return: how many were unmapped, which are the first of the span: less than @n if
 * nothing is mapped at the next, 0 if @virt is not aligned.
 */
uint32_t paging_unmap_span(struct address_space *space, uintptr_t virt, uint32_t *frames,
			   uint32_t n);

/* A span of a single page. O(1). */
int paging_map(struct address_space *space, uintptr_t virt, uint32_t frame, unsigned int prot);

/**
 * paging_unmap() - unmap one page
 * @frame: receives the frame that lay there, which now is the caller's; may be NULL
 *
 * O(1).
 *
 * Return: 0; -EINVAL if @virt is not aligned, -ENOENT if nothing is mapped there.
 */
int paging_unmap(struct address_space *space, uintptr_t virt, uint32_t *frame);

/* Changes the protection of a mapped page. Return: as paging_unmap(). */
int paging_protect(struct address_space *space, uintptr_t virt, unsigned int prot);

/* The same for all pages of a span that are mapped; both ends page-aligned. */
void paging_protect_span(struct address_space *space, uintptr_t from, uintptr_t to,
			 unsigned int prot);

/**
 * paging_translate() - what is mapped at an address
 * @frame: receives the frame; may be NULL
 * @prot: receives the protection; may be NULL
 *
 * Return: whether anything is.
 */
bool paging_translate(const struct address_space *space, uintptr_t virt, uint32_t *frame,
		      unsigned int *prot);

/**
 * paging_provide() - map a page with a cleared frame of its own
 * @space: the current space, or the kernel's
 * @owner: whose frame it shall be
 *
 * Return: 0, or as paging_map(); then nothing has changed.
 */
int paging_provide(struct address_space *space, uintptr_t virt, enum frame_owner owner,
		   unsigned int prot);

/**
 * paging_release() - unmap what there is of a span, and give back its frames
 * @from: page-aligned
 * @to: page-aligned, not above the end of a process's half
 *
 * O(pages), but for page tables that are not there.
 */
void paging_release(struct address_space *space, uintptr_t from, uintptr_t to);

/* Pages mapped from @from up to, not including, @to, by walking the tables. */
uint32_t paging_count(const struct address_space *space, uintptr_t from, uintptr_t to);

/* The directories and page tables of all spaces, by walking: for the ledger. */
uint32_t paging_count_tables(void);

/* The pages that all processes have, by walking: for the ledger. */
uint32_t paging_count_user_pages(void);

#endif
