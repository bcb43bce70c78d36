/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator.
 *
 * Blocks of 2^order frames begin at multiples of 2^order, so the two halves
 * ("buddies") of a block differ in one bit of their number. A request takes
 * the smallest block that is large enough and halves it until it fits, an
 * upper half going to the list of its order each time:
 *
 *	order 3   [               8               ]
 *	order 2   [       8       |      12       ]  -> 12 is listed
 *	order 1   [   8   |  10   ]                  -> 10 is listed
 *	order 0   [ 8 | 9 ]                          -> 9 is listed, 8 handed out
 *
 * Freeing goes the other way, for as long as the buddy is free and whole.
 *
 * Only the first frame of a block carries its state; all others say INSIDE.
 * So one step of splitting or merging writes one state, and a few links.
 *
 * There are three zones, by how many can use them. Their borders are multiples
 * of the largest block, so that no block lies across one.
 *
 * Source of the idea: Knowlton, "A fast storage allocator", CACM 8(10), 1965.
 */
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"

#include <errno.h>
#include <string.h>

#define ZONES  3
#define ORDERS (FRAME_MAX_ORDER + 1)

/* The four bits below are for the order. */
enum state {
	INSIDE = 0x00,	 /* not the first of its block; without an order */
	RESERVED = 0x10, /* never in a list; of order 0 */
	FREE = 0x20,
	ALLOCATED = 0x30,
};

#define ORDER_MASK 0x0F

/*
 * Frame numbers have 20 bits: 8 bytes for each frame hold it all. State and
 * order make one byte, so that "is a free block of this order" is one comparison.
 */
struct frame {
	uint32_t next : 24; /* if free: the block behind it in its list */
	uint32_t tag : 8;   /* enum state | order */
	union {
		uint32_t prev;	/* if free: the block before it */
		uint32_t owner; /* if not */
	};
};

struct zone {
	uint32_t limit;		/* the first frame behind it */
	uint32_t filled;	/* bit for each order whose list is not empty */
	uint32_t lists[ORDERS]; /* first block of each order, or FRAME_NONE */
} __attribute__((aligned(64))); /* a cache line for each */

static struct frame *frames;
static uint32_t total;
static struct zone zones[ZONES] = {
	{ .limit = FRAME_DMA_LIMIT },
	{ .limit = FRAME_LOW_LIMIT },
	{ .limit = FRAME_NO_LIMIT },
};
static uint32_t counts[FRAME_OWNERS];
static uint32_t fail_countdown, fail_times;
static bool failed;

static const char *const owner_names[FRAME_OWNERS] = {
	[FRAME_FREE] = "free",	    [FRAME_RESERVED] = "reserved",  [FRAME_IMAGE] = "kernel image",
	[FRAME_MODULE] = "modules", [FRAME_STATE] = "frame states", [FRAME_TABLES] = "page tables",
	[FRAME_HEAP] = "heap",	    [FRAME_USER] = "processes",	    [FRAME_STACK] = "kernel stacks",
	[FRAME_OTHER] = "other",
};

static const char *const refusal_names[] = {
	[FRAME_FREED] = "freed",
	[FRAME_OUTSIDE] = "no such frame",
	[FRAME_IS_RESERVED] = "the frame is reserved",
	[FRAME_IS_FREE] = "the frame is free: freed twice, or never allocated",
	[FRAME_INSIDE] = "not the first frame of its block",
	[FRAME_WRONG_ORDER] = "the block has another order",
	[FRAME_UNALIGNED] = "no block of this order begins here",
};

const char *frame_owner_name(enum frame_owner owner)
{
	return owner_names[owner];
}

const char *frame_refusal_name(enum frame_refusal refusal)
{
	return refusal_names[refusal];
}

_Static_assert(FRAME_LOW_LIMIT == DIRECT_SIZE >> PAGE_SHIFT, "the direct map ends there");

static struct zone *zone_of(uint32_t frame)
{
	return &zones[(frame >= FRAME_DMA_LIMIT) + (frame >= FRAME_LOW_LIMIT)];
}

static bool is_block(uint32_t first, enum state state, unsigned int order)
{
	return first < total && frames[first].tag == (state | order);
}

static inline void list_add(struct zone *zone, uint32_t first, unsigned int order)
{
	uint32_t next = zone->lists[order];
	struct frame *frame = &frames[first];

	frame->tag = FREE | order;
	frame->next = next;
	frame->prev = FRAME_NONE;
	zone->lists[order] = first;
	zone->filled |= 1U << order;
	if (next)
		frames[next].prev = first;
}

static inline void list_remove(struct zone *zone, uint32_t first, unsigned int order)
{
	uint32_t next = frames[first].next, prev = frames[first].prev;

	if (prev)
		frames[prev].next = next;
	else
		zone->lists[order] = next;
	if (next)
		frames[next].prev = prev;
	else if (!prev)
		zone->filled &= ~(1U << order);
}

/* Lists a block, merged with its buddies as far as they are free. */
static void give(uint32_t first, unsigned int order)
{
	struct zone *zone = zone_of(first);

	while (order < FRAME_MAX_ORDER) {
		uint32_t buddy = first ^ (1U << order);

		if (!is_block(buddy, FREE, order))
			break;
		list_remove(zone, buddy, order);
		frames[first | buddy].tag = INSIDE;
		first &= buddy;
		order++;
	}
	list_add(zone, first, order);
}

/*
 * Halves a block that is in no list, down to @to, and lists the upper halves. It
 * was the smallest that would do, so the lists that they come to are empty.
 */
static void split(struct zone *zone, uint32_t first, unsigned int from, unsigned int to)
{
	while (from > to) {
		uint32_t size = 1U << --from;

		frames[first + size] = (struct frame){ .tag = FREE | from };
		zone->lists[from] = first + size;
		zone->filled |= size;
	}
}

/* A block from @zone, which has one, halved to @order. */
static uint32_t take(struct zone *zone, unsigned int order)
{
	unsigned int found = order + (unsigned int)__builtin_ctz(zone->filled >> order);
	uint32_t first = zone->lists[found], next = frames[first].next;

	zone->lists[found] = next;
	if (next)
		frames[next].prev = FRAME_NONE;
	else
		zone->filled &= ~(1U << found);
	split(zone, first, found, order);
	return first;
}

static bool must_fail(void)
{
	if (fail_times == 0 || --fail_countdown > 0)
		return false;
	fail_times--;
	fail_countdown = 1;
	failed = true;
	return true;
}

static uint32_t take_below(unsigned int order, uint32_t limit)
{
	for (struct zone *zone = &zones[ZONES]; zone-- > zones;)
		if (zone->limit <= limit && zone->filled >> order)
			return take(zone, order);
	return FRAME_NONE;
}

uint32_t frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit)
{
	uint32_t first = FRAME_NONE;
	unsigned long flags;

	if (order > FRAME_MAX_ORDER)
		return FRAME_NONE;
	kassert(owner >= FRAME_TABLES && owner < FRAME_OWNERS);
	flags = irq_save();
	if (!must_fail())
		first = take_below(order, limit);
	if (first) {
		frames[first] = (struct frame){ .tag = ALLOCATED | order, .owner = owner };
		counts[FRAME_FREE] -= 1U << order;
		counts[owner] += 1U << order;
	}
	irq_restore(flags);
	return first;
}

/*
 * An INSIDE frame's block: does it lie in a free one, or in one handed out? Down
 * from the frame all say INSIDE as far as the block's first, which is aligned.
 */
static enum frame_refusal inside_what(uint32_t frame)
{
	for (unsigned int order = 1;; order++) {
		const struct frame *head = &frames[frame & ~((1U << order) - 1)];

		if (head->tag != INSIDE)
			return (head->tag & ~ORDER_MASK) == FREE ? FRAME_IS_FREE : FRAME_INSIDE;
	}
}

/* Why this is no block to be freed; `cold` keeps it out of the way of one that is. */
static __attribute__((cold)) enum frame_refusal objection(uint32_t first, unsigned int order)
{
	if (first == FRAME_NONE || first >= total)
		return FRAME_OUTSIDE;
	switch (frames[first].tag & ~ORDER_MASK) {
	case RESERVED:
		return FRAME_IS_RESERVED;
	case FREE:
		return FRAME_IS_FREE;
	case INSIDE:
		return inside_what(first);
	default:
		break;
	}
	if (order <= FRAME_MAX_ORDER && (first & ((1U << order) - 1)))
		return FRAME_UNALIGNED;
	return FRAME_WRONG_ORDER;
}

enum frame_refusal frame_free(uint32_t first, unsigned int order)
{
	unsigned long flags = irq_save();
	enum frame_refusal refusal = FRAME_FREED;

	if (order <= FRAME_MAX_ORDER && is_block(first, ALLOCATED, order)) {
		counts[frames[first].owner] -= 1U << order;
		counts[FRAME_FREE] += 1U << order;
		give(first, order);
	} else {
		refusal = objection(first, order);
	}
	irq_restore(flags);
	return refusal;
}

uint32_t frame_total(void)
{
	return total;
}

uint32_t frame_count(enum frame_owner owner)
{
	return counts[owner];
}

static enum frame_owner owner_of(const struct frame *block)
{
	return (block->tag & ~ORDER_MASK) == FREE ? FRAME_FREE : block->owner;
}

uint32_t frame_count_by_state(enum frame_owner owner)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < total;) {
		/* We step from block to block, and never on an INSIDE frame. */
		uint32_t size = 1U << (frames[i].tag & ORDER_MASK);

		if (owner_of(&frames[i]) == owner)
			n += size;
		i += size;
	}
	return n;
}

uint32_t frame_free_blocks(unsigned int order)
{
	uint32_t n = 0;

	for (struct zone *zone = zones; zone < &zones[ZONES]; zone++) {
		uint32_t prev = FRAME_NONE;

		for (uint32_t i = zone->lists[order]; i; prev = i, i = frames[i].next) {
			kassert(is_block(i, FREE, order) && frames[i].prev == prev);
			kassert(zone_of(i) == zone && n < total);
			n++;
		}
	}
	return n;
}

uint32_t frame_count_by_lists(void)
{
	uint32_t n = 0;

	for (unsigned int order = 0; order <= FRAME_MAX_ORDER; order++)
		n += frame_free_blocks(order) << order;
	return n;
}

void frame_fail_at(uint32_t n, uint32_t times)
{
	fail_countdown = n;
	fail_times = n > 0 ? times : 0;
	failed = false;
}

bool frame_has_failed(void)
{
	return failed;
}

/*
 * Bring-up: in a table of zeroes every frame is INSIDE some free block, so what
 * costs time is only what is not free. All that lies in no range is reserved,
 * then claims name its owners, then the ranges are cut into blocks.
 */

static void reserve(uint32_t first, uint32_t n, enum frame_owner owner)
{
	/* not covered: a loader that puts modules above all usable frames */
	for (uint32_t i = first; i < first + n && i < total; i++) { /* not covered: see above */
		counts[frames[i].owner]--;
		counts[owner]++;
		frames[i] = (struct frame){ .tag = RESERVED, .owner = owner };
	}
}

static void reserve_gaps(const struct memmap *map)
{
	uint32_t behind = 0;

	for (size_t i = 0; i < map->nranges; i++) {
		reserve(behind, map->ranges[i].first - behind, FRAME_RESERVED);
		behind = map->ranges[i].first + map->ranges[i].frames;
	}
}

/* The range gives its lowest frames to the table. */
static bool place_table(const struct memmap_range *range, uint32_t need)
{
	if (range->frames < need ||
	    range->first + need > FRAME_LOW_LIMIT) /* not covered: RAM with a hole below 256 MiB */
		return false;
	frames = phys_to_virt(range->first << PAGE_SHIFT);
	memset(frames, 0, need << PAGE_SHIFT);
	counts[FRAME_FREE] = total;
	reserve(range->first, need, FRAME_STATE);
	return true;
}

static void claim_owners(const struct memmap_claim *claims, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t first = (uint32_t)(claims[i].base >> PAGE_SHIFT);
		uint64_t behind = (claims[i].base + claims[i].length + PAGE_MASK) >> PAGE_SHIFT;

		if (claims[i].base >> 32)
			continue;
		if (claims[i].use == MEMMAP_IMAGE)
			reserve(first, (uint32_t)(behind - first), FRAME_IMAGE);
		else if (claims[i].use == MEMMAP_MODULE)
			reserve(first, (uint32_t)(behind - first), FRAME_MODULE);
	}
}

/* The largest blocks that fit, from the bottom up. */
static void list_range(uint32_t first, uint32_t n)
{
	while (n > 0) {
		unsigned int order = FRAME_MAX_ORDER;

		while ((first & ((1U << order) - 1)) || n < 1U << order)
			order--;
		list_add(zone_of(first), first, order);
		first += 1U << order;
		n -= 1U << order;
	}
}

int frame_init(const struct memmap *map, const struct memmap_claim *claims, size_t nclaims)
{
	const struct memmap_range *last;
	uint32_t need;
	size_t home = 0;

	if (map->nranges == 0)	/* not covered: boot refuses such a machine before */
		return -ENOMEM; /* not covered: the same */
	last = &map->ranges[map->nranges - 1];
	total = last->first + last->frames;
	need = (uint32_t)((total * sizeof(*frames) + PAGE_MASK) >> PAGE_SHIFT);
	while (home < map->nranges && !place_table(&map->ranges[home], need))
		home++;
	if (home == map->nranges) {
		total = 0;
		return -ENOMEM;
	}
	reserve_gaps(map);
	claim_owners(claims, nclaims);
	for (size_t i = 0; i < map->nranges; i++) {
		uint32_t taken = i == home ? need : 0;

		list_range(map->ranges[i].first + taken, map->ranges[i].frames - taken);
	}
	return 0;
}
