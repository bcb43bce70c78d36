/* SPDX-License-Identifier: MIT */
/*
 * Page frames: a binary buddy allocator.
 *
 * A request is for 2^order frames side by side, aligned to their own number.
 * Frames are known by their number (physical address / 4096); 0 is none.
 * What is known about a frame is kept apart from it: a free frame is never
 * written to, or even mapped. Every operation takes at most 10 steps.
 */
#ifndef KERNEL_MM_FRAME_H
#define KERNEL_MM_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/memmap.h"

#define FRAME_MAX_ORDER 10U
#define FRAME_NONE	0U

enum frame_owner {
	FRAME_FREE,
	FRAME_RESERVED, /* not RAM, or not ours */
	FRAME_IMAGE,	/* the kernel */
	FRAME_MODULE,	/* loaded beside it */
	FRAME_STATE,	/* this allocator's own table */
	FRAME_TABLES,	/* page directories and tables */
	FRAME_HEAP,	/* mapped below the kernel's break */
	FRAME_USER,	/* mapped in a process's half of its space */
	FRAME_STACK,	/* a kernel stack of a process */
	FRAME_OTHER,
	FRAME_OWNERS,
};

/* Why frame_free() refused. */
enum frame_refusal {
	FRAME_FREED,	   /* no objection */
	FRAME_OUTSIDE,	   /* beyond the last frame, or frame 0 */
	FRAME_IS_RESERVED, /* never handed out by frame_alloc() */
	FRAME_IS_FREE,	   /* freed twice, or never allocated */
	FRAME_INSIDE,	   /* not the first frame of its block */
	FRAME_WRONG_ORDER, /* the block has another order */
	FRAME_UNALIGNED,   /* no block of this order begins here */
};

/**
 * frame_init() - take over the usable memory
 * @map: what may be used
 * @claims: what else lies in memory, for the counters by owner
 * @nclaims: how many of those
 *
 * Places its own table, 8 bytes for each frame up to the highest usable one,
 * in the lowest range that has room for it below DIRECT_SIZE. O(frames).
 *
 * Return: 0, or -ENOMEM if no range has the room; then nothing can be allocated.
 */
int frame_init(const struct memmap *map, const struct memmap_claim *claims, size_t nclaims);

/**
 * frame_alloc_below() - allocate 2^order frames below a highest address
 * @order: 0 to FRAME_MAX_ORDER
 * @owner: who is counted as having them, FRAME_TABLES or later
 * @limit: the frame number that the block must end at or before
 *
 * There are three zones: below 16 MiB, where devices of old can reach it, below
 * DIRECT_SIZE, and above. Zones are taken whole, so a limit between two borders
 * counts as the lower one. Higher zones, which fewer can use, are tried first.
 * Contents are arbitrary. Interrupts are off for O(log) steps: one for a block
 * of @order that is free, and one more for each order that a larger is above it.
 *
 * Return: the first frame's number; FRAME_NONE if there is no such block, if
 * @order is too large, or if @limit is below FRAME_DMA_LIMIT.
 */
uint32_t frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit);

#define FRAME_DMA_LIMIT 0x1000U	 /* 16 MiB */
#define FRAME_LOW_LIMIT 0x10000U /* DIRECT_SIZE: phys_to_virt() reaches what is below */
#define FRAME_NO_LIMIT	0x100000U

/* The same, wherever they are. */
static inline uint32_t frame_alloc(unsigned int order, enum frame_owner owner)
{
	return frame_alloc_below(order, owner, FRAME_NO_LIMIT);
}

static inline uint32_t frame_alloc_low(unsigned int order, enum frame_owner owner)
{
	return frame_alloc_below(order, owner, FRAME_LOW_LIMIT);
}

/**
 * frame_free() - give back what frame_alloc() gave
 * @first: the number it returned
 * @order: the order it was asked for
 *
 * Merges with free buddies. A wrong call changes nothing. O(log).
 *
 * Return: FRAME_FREED, or what is wrong.
 */
enum frame_refusal frame_free(uint32_t first, unsigned int order);

const char *frame_refusal_name(enum frame_refusal refusal);
const char *frame_owner_name(enum frame_owner owner);

/* Frames from 0 up to the highest usable one. */
uint32_t frame_total(void);

/* Frames that @owner has, from a counter. */
uint32_t frame_count(enum frame_owner owner);

/* Frames that @owner has, by looking at every frame's state: for the ledger. O(frames). */
uint32_t frame_count_by_state(enum frame_owner owner);

/* Free frames by walking the free lists, checking every link: for the ledger. O(blocks). */
uint32_t frame_count_by_lists(void);

/* Free blocks of one order, in all zones. */
uint32_t frame_free_blocks(unsigned int order);

/**
 * frame_fail_at() - have requests refused, to see what the caller does then
 * @n: the first of them, counted from now on, 1 being the next; 0 calls it off
 * @times: how many one after the other
 */
void frame_fail_at(uint32_t n, uint32_t times);

/* Whether that has happened since frame_fail_at(). */
bool frame_has_failed(void);

#endif
