/* SPDX-License-Identifier: MIT */
/*
 * The memory map.
 *
 * Claims are never sorted. We walk upwards from edge to edge, an edge being
 * where any claim begins or ends; between two edges every byte has the same
 * claims on it, and so the same use:
 *
 *	claims      [usable.............................)
 *	                     [image...)     [reserved........)
 *	edges       |        |        |     |           |    |
 *	use          usable    image   usable  reserved
 *
 * Pieces of usable memory side by side make one run, and only the run is
 * rounded inward to whole frames. With n claims this takes n steps of n
 * comparisons, at boot, once.
 */
#include "kernel/mm/memmap.h"
#include "kernel/mm/layout.h"

#include <printf.h>
#include <stdbool.h>
#include <string.h>

#define REACH 0x100000000ULL /* 32 bits of address */

static const char *const names[MEMMAP_USES] = {
	[MEMMAP_NOTHING] = "nothing",	 [MEMMAP_USABLE] = "usable", [MEMMAP_MODULE] = "modules",
	[MEMMAP_IMAGE] = "kernel image", [MEMMAP_PAGE0] = "page 0",  [MEMMAP_ROM] = "ROM",
	[MEMMAP_RESERVED] = "reserved",
};

const char *memmap_use_name(enum memmap_use use)
{
	return (unsigned int)use < MEMMAP_USES ? names[use] : names[MEMMAP_RESERVED];
}

static enum memmap_use claimed_use(const struct memmap_claim *claim)
{
	return (unsigned int)claim->use < MEMMAP_USES ? claim->use : MEMMAP_RESERVED;
}

/* The first byte behind a claim. One that wraps is believed only where that costs memory. */
static uint64_t claim_end(const struct memmap_claim *claim)
{
	if (claim->length <= UINT64_MAX - claim->base)
		return claim->base + claim->length;
	return claimed_use(claim) == MEMMAP_USABLE ? claim->base : UINT64_MAX;
}

/* What the bytes at @at are for, and in @next the edge up to which that holds. */
static enum memmap_use use_at(const struct memmap_claim *claims, size_t n, uint64_t at,
			      bool *usable, uint64_t *next)
{
	enum memmap_use use = MEMMAP_NOTHING;

	*next = UINT64_MAX;
	*usable = false;
	for (size_t i = 0; i < n; i++) {
		uint64_t end = claim_end(&claims[i]);

		if (claims[i].base > at) {
			if (end > claims[i].base && claims[i].base < *next)
				*next = claims[i].base;
		} else if (end > at) {
			if (end < *next)
				*next = end;
			if (claimed_use(&claims[i]) > use)
				use = claimed_use(&claims[i]);
			*usable |= claimed_use(&claims[i]) == MEMMAP_USABLE;
		}
	}
	return use;
}

static void add_range(struct memmap *map, uint32_t first, uint32_t frames)
{
	if (frames == 0)
		return;
	if (map->nranges == MEMMAP_MAX_RANGES) {
		map->crowded += (uint64_t)frames << PAGE_SHIFT;
		return;
	}
	map->ranges[map->nranges++] = (struct memmap_range){ first, frames };
}

/* Adds the usable run from @start up to @end, both below or at REACH. */
static void add_run(struct memmap *map, uint64_t start, uint64_t end)
{
	uint64_t first = (start + PAGE_MASK) >> PAGE_SHIFT;
	uint64_t behind = end >> PAGE_SHIFT;
	uint64_t bytes = first < behind ? (behind - first) << PAGE_SHIFT : 0;

	map->ragged += end - start - bytes;
	add_range(map, (uint32_t)first, (uint32_t)(bytes >> PAGE_SHIFT));
}

void memmap_build(struct memmap *map, const struct memmap_claim *claims, size_t n)
{
	uint64_t run = 0; /* where the usable run began that ends at `at` */
	uint64_t at = 0, next;

	memset(map, 0, sizeof(*map));
	for (; at < REACH; at = next) {
		bool usable;
		enum memmap_use use = use_at(claims, n, at, &usable, &next);

		if (next > REACH)
			next = REACH;
		if (use == MEMMAP_USABLE)
			continue;
		if (usable)
			map->lost[use] += next - at;
		add_run(map, run, at);
		run = next;
	}
	add_run(map, run, at);
	for (; at < UINT64_MAX; at = next) {
		bool usable;

		if (use_at(claims, n, at, &usable, &next) == MEMMAP_USABLE)
			map->above_4g += next - at;
	}
}

static void count_absent(struct memmap *map, uint32_t first, uint32_t frames)
{
	if (map->absent == 0)
		map->absent_at = (uint64_t)first << PAGE_SHIFT;
	map->absent += (uint64_t)frames << PAGE_SHIFT;
}

/* Where the frames from @first on, all RAM or all not, end; at most at @behind. */
static uint32_t end_of_same(uint32_t first, uint32_t behind, bool (*is_ram)(uint32_t frame))
{
	bool there = is_ram(first);
	uint32_t frame = first + 1;

	while (frame < behind) {
		uint32_t next = (frame | (MEMMAP_PROBE_STEP - 1)) + 1;

		if (next > behind)
			next = behind;
		if (is_ram(next - 1) != there || is_ram(frame) != there)
			next = frame + 1; /* the border is near: frame by frame */
		if (is_ram(next - 1) != there)
			break;
		frame = next;
	}
	return frame;
}

/* Adds again what there is of a range, in as many pieces as it takes. */
static void probe_range(struct memmap *map, const struct memmap_range *range,
			bool (*is_ram)(uint32_t frame))
{
	uint32_t behind = range->first + range->frames;

	for (uint32_t frame = range->first, end; frame < behind; frame = end) {
		end = end_of_same(frame, behind, is_ram);
		if (is_ram(frame))
			add_range(map, frame, end - frame);
		else
			count_absent(map, frame, end - frame);
	}
}

void memmap_probe(struct memmap *map, bool (*is_ram)(uint32_t frame))
{
	static struct memmap_range claimed[MEMMAP_MAX_RANGES];
	size_t n = map->nranges;

	memcpy(claimed, map->ranges, n * sizeof(claimed[0]));
	map->nranges = 0;
	for (size_t i = 0; i < n; i++)
		probe_range(map, &claimed[i], is_ram);
}

uint32_t memmap_frames(const struct memmap *map)
{
	uint32_t frames = 0;

	for (size_t i = 0; i < map->nranges; i++)
		frames += map->ranges[i].frames;
	return frames;
}

static size_t explain_one(char *text, size_t size, size_t at, uint64_t bytes, const char *why)
{
	size_t used = at < size ? at : size;

	if (bytes == 0)
		return at;
	return at + (size_t)snprintf(text + used, size - used, "%s%llu KiB %s", at > 0 ? ", " : "",
				     (unsigned long long)((bytes + 1023) >> 10), why);
}

size_t memmap_explain(const struct memmap *map, char *text, size_t size)
{
	size_t at = 0;

	for (unsigned int use = MEMMAP_USABLE + 1; use < MEMMAP_USES; use++)
		at = explain_one(text, size, at, map->lost[use],
				 use == MEMMAP_RESERVED ? "also reserved" : names[use]);
	at = explain_one(text, size, at, map->above_4g, "above 4 GiB");
	at = explain_one(text, size, at, map->ragged, "no whole frame");
	return explain_one(text, size, at, map->crowded, "in too many pieces");
}
