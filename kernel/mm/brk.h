/* SPDX-License-Identifier: MIT */
/*
 * The program break: where a region of memory that grows upwards ends.
 *
 *	base               end                        limit
 *	 |  mapped, zeroed  |..rest of its page|  unmapped  |
 *
 * The break is counted in bytes, memory is mapped by pages. The region's last
 * page is never used, so that the page behind the break is always unmapped.
 *
 * The kernel's pages are there as soon as they are below its break. A process's
 * come when they are first touched: its page fault asks brk_touch() for them.
 */
#ifndef KERNEL_MM_BRK_H
#define KERNEL_MM_BRK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/frame.h"
#include "kernel/mm/paging.h"

/**
 * struct brk - one break
 * @base: where it began, and below which it never goes; page-aligned
 * @end: where it is
 * @limit: the end of the region; page-aligned
 * @space: the address space the region lies in, which must be the current one
 * @on_touch: pages come with brk_touch(), and are for ring 3
 * @owner: who is counted as having its page frames: FRAME_HEAP at first, FRAME_USER with @on_touch
 */
struct brk {
	uintptr_t base, end, limit;
	struct address_space *space;
	bool on_touch;
	enum frame_owner owner;
};

#define BRK_FAILED ((void *)-1)

/* The kernel heap's break; only kmalloc moves it. */
extern struct brk kernel_brk;

/**
 * brk_init() - set up a break over an empty region
 * @base: page-aligned
 * @limit: page-aligned, at least a page above @base
 *
 * Return: 0, or -EINVAL.
 */
int brk_init(struct brk *brk, struct address_space *space, uintptr_t base, uintptr_t limit);

/* The same for a process: with pages that come on first touch. */
int brk_init_on_touch(struct brk *brk, struct address_space *space, uintptr_t base,
		      uintptr_t limit);

/**
 * brk_set() - move the break to an address, as brk(2)
 * @end: any byte from base up to the limit less a page
 *
 * Growing maps zeroed frames, which need not follow on each other; bytes in
 * the last page that were in use before keep what they held. Shrinking gives
 * back each page that lies wholly behind the new end. Takes time for each page.
 *
 * With pages on first touch, growing maps nothing, and whatever was in the last
 * page above the old end is cleared as far as it comes below the new one.
 *
 * Return: 0; -EINVAL if @end lies outside of the region, -ENOMEM if frames ran
 * out, or would if every page were touched though no other process had any.
 * Then nothing has changed.
 */
int brk_set(struct brk *brk, uintptr_t end);

/**
 * brk_touch() - provide the page that an address is in
 * @brk: one with pages on first touch
 * @address: in a page that has none yet
 *
 * Return: 0; -EFAULT if no byte of the page is below the break, -ENOMEM if frames
 * ran out. Then nothing has changed.
 */
int brk_touch(struct brk *brk, uintptr_t address);

/**
 * brk_move() - move the break by a number of bytes, as sbrk(2)
 * @increment: may be negative, or 0 to ask where the break is
 *
 * Return: the break as it was before, BRK_FAILED where brk_set() would fail.
 */
void *brk_move(struct brk *brk, intptr_t increment);

/* Both for the kernel's own break, with interrupts off. */
int kbrk(void *end);
void *ksbrk(intptr_t increment);

#endif
