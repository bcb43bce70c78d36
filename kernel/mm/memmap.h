/* SPDX-License-Identifier: MIT */
/*
 * Which page frames may be used.
 *
 * The firmware's map is unsorted, overlaps itself and lies at times. Here it
 * becomes a list of ranges of whole page frames, in order and apart from each
 * other. Pure: nothing is read but the arguments, so that it is tested on the
 * host as well.
 */
#ifndef KERNEL_MM_MEMMAP_H
#define KERNEL_MM_MEMMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMMAP_MAX_RANGES 128

/* 16 MiB, in frames: under an emulator each look costs 2 MiB of the host's memory. */
#define MEMMAP_PROBE_STEP 4096U

/* One byte of memory is in the last of these that claims it: the least usable wins. */
enum memmap_use {
	MEMMAP_NOTHING, /* no entry names it */
	MEMMAP_USABLE,
	MEMMAP_MODULE,	 /* loaded beside the kernel */
	MEMMAP_IMAGE,	 /* the kernel itself */
	MEMMAP_PAGE0,	 /* the BIOS keeps its data here */
	MEMMAP_ROM,	 /* 0xA0000 to 1 MiB: screen, adapters, BIOS */
	MEMMAP_RESERVED, /* the firmware says so, or says something unknown */
	MEMMAP_USES,
};

/* Bytes claimed for one use; a length that would wrap ends at the top of all addresses. */
struct memmap_claim {
	uint64_t base, length;
	enum memmap_use use;
};

/* @frames page frames from number @first on. */
struct memmap_range {
	uint32_t first, frames;
};

/**
 * struct memmap - what came of the claims
 * @nranges: ranges that may be used
 * @ranges: ascending, never touching each other, all below 4 GiB; frame 0 only
 *          if nothing claims it
 * @lost: RAM that the firmware calls usable and that is left unused, in bytes,
 *        by what else claims it
 * @above_4g: usable RAM beyond what 32 bits of address reach, in bytes
 * @ragged: usable bytes that do not make up a whole page frame
 * @crowded: usable bytes in ranges for which there was no room in @ranges
 * @absent: bytes claimed as RAM where memmap_probe() found none
 * @absent_at: where the first of them lie
 */
struct memmap {
	size_t nranges;
	struct memmap_range ranges[MEMMAP_MAX_RANGES];
	uint64_t lost[MEMMAP_USES];
	uint64_t above_4g, ragged, crowded, absent, absent_at;
};

/**
 * memmap_build() - sort out the claims on memory
 * @map: receives the result
 * @claims: in any order, overlapping, empty or wrapping as they like
 * @n: how many there are
 *
 * A usable claim whose length wraps is worth nothing. Any @use beyond the
 * known ones counts as MEMMAP_RESERVED. O(n^2). Never fails: what does not fit
 * is counted in @map->crowded.
 */
void memmap_build(struct memmap *map, const struct memmap_claim *claims, size_t n);

/**
 * memmap_probe() - leave out what is claimed as RAM and is none
 * @map: as built; frames that are not RAM leave its ranges and count as @absent
 * @is_ram: tells it of one frame, by writing and reading back
 *
 * Looks at the first and last frame of each MEMMAP_PROBE_STEP, and at every frame
 * where those differ from what came before: a hole within such a step is not
 * seen. What no longer fits in the ranges once they have holes counts as @crowded.
 */
void memmap_probe(struct memmap *map, bool (*is_ram)(uint32_t frame));

/* All frames of all ranges. */
uint32_t memmap_frames(const struct memmap *map);

/* The use in words. */
const char *memmap_use_name(enum memmap_use use);

/**
 * memmap_explain() - say in one line what is left unused, and why
 * @map: as built
 * @text: receives the line without a newline, cut to fit
 * @size: bytes at @text
 *
 * Return: the line's whole length; 0 if nothing is left unused.
 */
size_t memmap_explain(const struct memmap *map, char *text, size_t size);

#endif
