/* SPDX-License-Identifier: MIT */
/*
 * The memory map: real ones and nasty ones against what should come of them,
 * then random ones against an oracle that keeps the use of every single byte.
 */
#include "kernel/mm/memmap.h"
#include "tap.h"

#include <string.h>

#define KIB(n)	((uint64_t)(n) << 10)
#define MIB(n)	((uint64_t)(n) << 20)
#define GIB(n)	((uint64_t)(n) << 30)
#define PAGE	4096U
#define UNKNOWN ((enum memmap_use)77)

static struct memmap map;

/* Maps written down: claims, ranges and their ends are zero entries. */

struct example {
	const char *name, *explained;
	struct memmap_claim claims[24];
	struct memmap_range ranges[16];
};

/* What every kernel claims besides the firmware's map. */
#define KERNEL                                                                                     \
	{ 0, PAGE, MEMMAP_PAGE0 }, { 0xA0000, 0x60000, MEMMAP_ROM },                               \
	{                                                                                          \
		MIB(1), 0x23000, MEMMAP_IMAGE                                                      \
	}

static const struct example examples[] = {
	{ "no claims at all: nothing is usable", "", { { 0 } }, { { 0 } } },
	{ "BIOS, 128 MiB",
	  "140 KiB kernel image, 4 KiB page 0, 3 KiB no whole frame",
	  { { 0, 0x9FC00, MEMMAP_USABLE },
	    { 0x9FC00, 0x400, MEMMAP_RESERVED },
	    { 0xF0000, 0x10000, MEMMAP_RESERVED },
	    { 0x100000, 0x7EE0000, MEMMAP_USABLE },
	    { 0x7FE0000, 0x20000, MEMMAP_RESERVED },
	    { 0xFFFC0000, 0x40000, MEMMAP_RESERVED },
	    KERNEL },
	  { { 0x1, 0x9E }, { 0x123, 0x7FE0 - 0x123 } } },
	{ "BIOS, 6 GiB: what lies above 4 GiB is left out",
	  "140 KiB kernel image, 4 KiB page 0, 3145728 KiB above 4 GiB, 3 KiB no whole frame",
	  { { 0, 0x9FC00, MEMMAP_USABLE },
	    { 0x9FC00, 0x400, MEMMAP_RESERVED },
	    { 0xF0000, 0x10000, MEMMAP_RESERVED },
	    { 0x100000, 0xBFEE0000, MEMMAP_USABLE },
	    { 0xBFFE0000, 0x20000, MEMMAP_RESERVED },
	    { 0xFEFFC000, 0x4000, MEMMAP_RESERVED },
	    { 0xFFFC0000, 0x40000, MEMMAP_RESERVED },
	    { GIB(4), 0xC0000000, MEMMAP_USABLE },
	    KERNEL },
	  { { 0x1, 0x9E }, { 0x123, 0xBFFE0 - 0x123 } } },
	{ "UEFI, 256 MiB: RAM in pieces from 8 MiB on",
	  "140 KiB kernel image, 4 KiB page 0",
	  { { 0, 0xA0000, MEMMAP_USABLE },
	    { 0x100000, 0x700000, MEMMAP_USABLE },
	    { 0x800000, 0x8000, MEMMAP_RESERVED },
	    { 0x808000, 0x3000, MEMMAP_USABLE },
	    { 0x80B000, 0x1000, MEMMAP_RESERVED },
	    { 0x80C000, 0x4000, MEMMAP_USABLE },
	    { 0x810000, 0xF0000, MEMMAP_RESERVED },
	    { 0x900000, 0xE1BB000, MEMMAP_USABLE },
	    { 0xEABB000, 0xC1000, MEMMAP_RESERVED },
	    { 0xEB7C000, 0x971000, MEMMAP_USABLE },
	    { 0xF4ED000, 0x100000, MEMMAP_RESERVED },
	    { 0xF5ED000, 0x100000, UNKNOWN },
	    { 0xF6ED000, 0x80000, MEMMAP_RESERVED },
	    { 0xF76D000, 0x12000, MEMMAP_RESERVED },
	    KERNEL },
	  { { 0x1, 0x9F },
	    { 0x123, 0x800 - 0x123 },
	    { 0x808, 3 },
	    { 0x80C, 4 },
	    { 0x900, 0xE1BB },
	    { 0xEB7C, 0x971 } } },
	{ "unsorted entries come out in order, and those that touch as one",
	  "",
	  { { MIB(3), MIB(1), MEMMAP_USABLE },
	    { MIB(8), MIB(1), MEMMAP_USABLE },
	    { MIB(1), MIB(1), MEMMAP_USABLE },
	    { MIB(2), MIB(1), MEMMAP_USABLE } },
	  { { 0x100, 0x300 }, { 0x800, 0x100 } } },
	{ "usable entries that overlap are one range",
	  "",
	  { { MIB(1), MIB(4), MEMMAP_USABLE },
	    { MIB(2), MIB(1), MEMMAP_USABLE },
	    { MIB(4), MIB(2), MEMMAP_USABLE },
	    { MIB(1), MIB(4), MEMMAP_USABLE } },
	  { { 0x100, 0x500 } } },
	{ "what is also reserved is not usable, wherever the entry stands",
	  "2048 KiB also reserved",
	  { { MIB(2), MIB(1), MEMMAP_RESERVED },
	    { MIB(1), MIB(7), MEMMAP_USABLE },
	    { MIB(5), MIB(1), MEMMAP_RESERVED } },
	  { { 0x100, 0x100 }, { 0x300, 0x200 }, { 0x600, 0x200 } } },
	{ "an unknown kind counts as reserved",
	  "1024 KiB also reserved",
	  { { MIB(1), MIB(2), MEMMAP_USABLE }, { MIB(2), MIB(1), UNKNOWN } },
	  { { 0x100, 0x100 } } },
	{ "empty entries are nothing, and split nothing",
	  "",
	  { { MIB(1), MIB(2), MEMMAP_USABLE },
	    { MIB(2), 0, MEMMAP_RESERVED },
	    { MIB(9), 0, MEMMAP_USABLE },
	    { UINT64_MAX, 0, MEMMAP_USABLE } },
	  { { 0x100, 0x200 } } },
	{ "entries that claim nothing take nothing away",
	  "",
	  { { MIB(1), MIB(2), MEMMAP_USABLE }, { MIB(2), MIB(9), MEMMAP_NOTHING } },
	  { { 0x100, 0x200 } } },
	{ "a usable length that wraps is worth nothing",
	  "",
	  { { MIB(1), UINT64_MAX, MEMMAP_USABLE },
	    { MIB(1), UINT64_MAX - MIB(1) + 1, MEMMAP_USABLE },
	    { UINT64_MAX, 1, MEMMAP_USABLE },
	    { MIB(8), MIB(1), MEMMAP_USABLE } },
	  { { 0x800, 0x100 } } },
	{ "a reserved length that wraps reserves all that is above",
	  "2048 KiB also reserved",
	  { { MIB(1), MIB(2), MEMMAP_USABLE },
	    { MIB(2), UINT64_MAX, MEMMAP_RESERVED },
	    { MIB(8), MIB(1), MEMMAP_USABLE } },
	  { { 0x100, 0x100 } } },
	{ "bytes short of a frame at either end are left out",
	  "12 KiB no whole frame",
	  { { MIB(1) + 1, MIB(1) - 2, MEMMAP_USABLE }, { 0x400800, 0xFFF, MEMMAP_USABLE } },
	  { { 0x101, 0xFE } } },
	{ "entries that meet in the middle of a frame lose nothing",
	  "",
	  { { MIB(1), 0x1800, MEMMAP_USABLE },
	    { MIB(1) + 0x1800, 0x10, MEMMAP_USABLE },
	    { MIB(1) + 0x1810, 0x7F0, MEMMAP_USABLE } },
	  { { 0x100, 2 } } },
	{ "one reserved byte costs its frame",
	  "1 KiB also reserved, 4 KiB no whole frame",
	  { { MIB(1), 0x5000, MEMMAP_USABLE }, { MIB(1) + 0x2FFF, 1, MEMMAP_RESERVED } },
	  { { 0x100, 2 }, { 0x103, 2 } } },
	{ "an entry across 4 GiB is cut there",
	  "1024 KiB above 4 GiB",
	  { { GIB(4) - MIB(1), MIB(2), MEMMAP_USABLE } },
	  { { 0xFFF00, 0x100 } } },
	{ "all of 4 GiB is one range",
	  "4 KiB page 0",
	  { { 0, GIB(4), MEMMAP_USABLE }, { 0, PAGE, MEMMAP_PAGE0 } },
	  { { 1, 0xFFFFF } } },
	{ "above 4 GiB the reserved is not counted",
	  "1048576 KiB above 4 GiB",
	  { { GIB(4), GIB(2), MEMMAP_USABLE }, { GIB(5), GIB(9), MEMMAP_RESERVED } },
	  { { 0 } } },
	{ "image, modules, ROM and page 0 are not usable",
	  "4 KiB modules, 64 KiB kernel image, 4 KiB page 0, 384 KiB ROM, 4 KiB no whole frame",
	  { { 0, MIB(2), MEMMAP_USABLE },
	    { 0, PAGE, MEMMAP_PAGE0 },
	    { 0xA0000, 0x60000, MEMMAP_ROM },
	    { MIB(1), 0x10000, MEMMAP_IMAGE },
	    { MIB(1) + 0x20800, 0x1000, MEMMAP_MODULE } },
	  { { 0x1, 0x9F }, { 0x110, 0x10 }, { 0x122, 0xDE } } },
	{ "of two owners of the same bytes, one is counted",
	  "4 KiB modules, 4 KiB kernel image, 4 KiB also reserved",
	  { { MIB(1), 0x8000, MEMMAP_USABLE },
	    { MIB(1), 0x3000, MEMMAP_MODULE },
	    { MIB(1) + 0x1000, 0x2000, MEMMAP_IMAGE },
	    { MIB(1) + 0x2000, 0x1000, MEMMAP_RESERVED } },
	  { { 0x103, 5 } } },
	{ "a module where there is no RAM is no loss",
	  "",
	  { { MIB(1), MIB(1), MEMMAP_USABLE }, { MIB(4), MIB(1), MEMMAP_MODULE } },
	  { { 0x100, 0x100 } } },
};

/* Claims in use: up to the first that is all zeros. */
static size_t count_claims(const struct example *example)
{
	size_t n = 0;

	while (n < sizeof(example->claims) / sizeof(*example->claims) &&
	       (example->claims[n].base || example->claims[n].length))
		n++;
	return n;
}

static bool ranges_are(const struct memmap_range *expected)
{
	uint32_t frames = 0;
	size_t i;

	for (i = 0; expected[i].frames; i++) {
		frames += expected[i].frames;
		if (i >= map.nranges || map.ranges[i].first != expected[i].first ||
		    map.ranges[i].frames != expected[i].frames)
			return false;
	}
	return i == map.nranges && frames == memmap_frames(&map);
}

static void test_example(const struct example *example)
{
	char text[256] = "";
	size_t length;

	memset(&map, 0xA5, sizeof(map));
	memmap_build(&map, example->claims, count_claims(example));
	length = memmap_explain(&map, text, sizeof(text));
	if (!tap_ok(ranges_are(example->ranges), example->name))
		for (size_t i = 0; i < map.nranges; i++)
			printf("# range %zu: %x, %x frames\n", i, map.ranges[i].first,
			       map.ranges[i].frames);
	if (!tap_ok(!strcmp(text, example->explained) && length == strlen(text),
		    "  and what is left out is explained"))
		printf("# explained: %s\n", text);
}

static void test_many(void)
{
	struct memmap_claim claims[400];
	bool apart = true;

	for (size_t i = 0; i < 100; i++)
		claims[i] = (struct memmap_claim){ MIB(200) - i * 0x1234, 0x1234, MEMMAP_USABLE };
	memmap_build(&map, claims, 100);
	tap_ok(map.nranges == 1 && map.ragged < 2 * PAGE &&
		       (uint64_t)memmap_frames(&map) * PAGE + map.ragged == 100 * 0x1234,
	       "a hundred entries that touch make one range");
	for (size_t i = 0; i < 128; i++)
		claims[127 - i] = (struct memmap_claim){ MIB(i + 1), PAGE, MEMMAP_USABLE };
	memmap_build(&map, claims, 128);
	for (uint32_t i = 0; i < 128; i++)
		apart &= map.ranges[i].first == (i + 1) * 256 && map.ranges[i].frames == 1;
	tap_ok(apart && map.nranges == MEMMAP_MAX_RANGES && map.crowded == 0,
	       "as many pieces as there is room for are all kept");
}

static void test_crowded(void)
{
	struct memmap_claim claims[400];
	char text[64];

	for (size_t i = 0; i < 400; i++)
		claims[i] = (struct memmap_claim){ MIB(i + 1), 2 * PAGE, MEMMAP_USABLE };
	memmap_build(&map, claims, 400);
	tap_ok(map.nranges == MEMMAP_MAX_RANGES && map.crowded == 272 * 2 * PAGE &&
		       memmap_frames(&map) == 256,
	       "pieces for which there is no room are counted");
	tap_ok(memmap_explain(&map, text, sizeof(text)) &&
		       !strcmp(text, "2176 KiB in too many pieces"),
	       "  and explained");
	claims[0].length = 300 * PAGE;
	memmap_build(&map, claims, 400);
	tap_ok(map.nranges == MEMMAP_MAX_RANGES && memmap_frames(&map) == 2 * 127 + 300,
	       "  and a longer piece is one range still");
}

static void test_explain_cut(void)
{
	char whole[256], part[256];
	size_t length;
	bool fits = true;

	memmap_build(&map, examples[1].claims, count_claims(&examples[1]));
	length = memmap_explain(&map, whole, sizeof(whole));
	for (size_t size = 1; size <= length + 1; size++) {
		memset(part, '#', sizeof(part));
		fits &= memmap_explain(&map, part, size) == length && part[size] == '#' &&
			strlen(part) == size - 1 && !strncmp(part, whole, size - 1);
	}
	tap_ok(fits, "an explanation is cut to fit, and its whole length returned");
	memset(part, '#', sizeof(part));
	tap_ok(memmap_explain(&map, part, 0) == length && part[0] == '#' &&
		       memmap_explain(&map, NULL, 0) == length,
	       "with no room nothing is written");
}

static void test_names(void)
{
	bool named = true;

	for (unsigned int i = 0; i < MEMMAP_USES; i++)
		for (unsigned int j = 0; j < MEMMAP_USES; j++)
			named &= (i == j) == !strcmp(memmap_use_name(i), memmap_use_name(j));
	tap_ok(named && !strcmp(memmap_use_name(UNKNOWN), memmap_use_name(MEMMAP_RESERVED)),
	       "every use has a name of its own, and an unknown one is reserved");
}

/* The oracle: the use of every byte in a small window, found by painting over it. */

#define WINDOW_MOST MIB(1)
#define MOST_CLAIMS 12

static unsigned char painted[WINDOW_MOST], ram[WINDOW_MOST];
static struct memmap expected;
static uint32_t state;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* A claim within the window, at times empty, at times with a length that wraps. */
static struct memmap_claim random_claim(uint64_t window, uint32_t size)
{
	uint32_t from = next_random() % size;
	uint32_t length = next_random() % (size - from + 1);
	static const uint32_t grains[] = { 1, 16, PAGE / 2, PAGE, PAGE };
	uint32_t grain = grains[next_random() % 5], dice = next_random() % 64;
	struct memmap_claim claim = {
		.base = window + from / grain * grain,
		.length = length / grain * grain,
		.use = dice < 40 ? MEMMAP_USABLE : (enum memmap_use)(dice % (MEMMAP_USES + 1)),
	};

	if (claim.base > 0 && next_random() % 64 == 0)
		claim.length = 0 - claim.base + next_random() % claim.base;
	return claim;
}

static void paint(const struct memmap_claim *claim, uint64_t window, uint32_t size)
{
	unsigned char use = claim->use >= MEMMAP_USES ? MEMMAP_RESERVED : (unsigned char)claim->use;
	uint32_t from = (uint32_t)(claim->base - window), to = size;

	if (claim->length <= size)
		to = from + (uint32_t)claim->length;
	else if (use == MEMMAP_USABLE)
		return;
	for (uint32_t i = from; i < to; i++)
		if (use > painted[i])
			painted[i] = use;
	if (use == MEMMAP_USABLE)
		memset(ram + from, 1, to - from);
}

static void expect_frame(uint32_t frame)
{
	struct memmap_range *last = expected.ranges + expected.nranges - 1;

	if (expected.nranges && last->first + last->frames == frame)
		last->frames++;
	else
		expected.ranges[expected.nranges++] = (struct memmap_range){ frame, 1 };
}

/* What is expected of the bytes of one frame. */
static void expect_page(const unsigned char *uses, const unsigned char *is_ram, uint64_t base)
{
	uint32_t counts[MEMMAP_USES] = { 0 };

	for (uint32_t i = 0; i < PAGE; i++)
		counts[uses[i]] += is_ram[i];
	if (base >= GIB(4)) {
		expected.above_4g += counts[MEMMAP_USABLE];
		return;
	}
	for (unsigned int use = MEMMAP_USABLE + 1; use < MEMMAP_USES; use++)
		expected.lost[use] += counts[use];
	if (counts[MEMMAP_USABLE] == PAGE)
		expect_frame((uint32_t)(base / PAGE));
	else
		expected.ragged += counts[MEMMAP_USABLE];
}

static bool agrees(uint64_t window, uint32_t size)
{
	struct memmap_claim claims[MOST_CLAIMS];
	size_t n = next_random() % (MOST_CLAIMS + 1);

	memset(painted, MEMMAP_NOTHING, size);
	memset(ram, 0, size);
	memset(&expected, 0, sizeof(expected));
	for (size_t i = 0; i < n; i++) {
		claims[i] = random_claim(window, size);
		paint(&claims[i], window, size);
	}
	for (uint32_t at = 0; at < size; at += PAGE)
		expect_page(painted + at, ram + at, window + at);
	memmap_build(&map, claims, n);
	if (!memcmp(&map, &expected, sizeof(map)))
		return true;
	for (size_t i = 0; i < n; i++)
		printf("# claim %llx, %llx for %s\n", (unsigned long long)claims[i].base,
		       (unsigned long long)claims[i].length, memmap_use_name(claims[i].use));
	return false;
}

/* Many small windows and a few large ones, at 0, in the middle, and across 4 GiB. */
static void test_at_random(unsigned long rounds, uint32_t size, const char *name)
{
	unsigned long wrong = 0, ranges = 0;

	for (unsigned long round = 0; round < rounds && !wrong; round++) {
		const uint64_t windows[] = { 0, MIB(7), GIB(4) - size,
					     GIB(4) - size / 2 / PAGE * PAGE, GIB(4) };

		wrong += !agrees(windows[round % 5], size);
		ranges += map.nranges;
	}
	printf("# %lu maps, %lu ranges\n", rounds, ranges);
	tap_ok(wrong == 0 && ranges > rounds / 4, name);
}

/* RAM as it is, whatever the map says: up to a frame, and from another one on. */
static uint32_t hole_first, hole_behind;
static unsigned long looks;

static bool outside_of_hole(uint32_t frame)
{
	looks++;
	return frame < hole_first || frame >= hole_behind;
}

/* One range of 64 MiB from 1 MiB on, with a hole; what is left must be all of the rest. */
static bool probe_finds(uint32_t first, uint32_t behind)
{
	static const struct memmap_claim claim = { 1 << 20, 64 << 20, MEMMAP_USABLE };
	const uint32_t start = 256, end = 256 + 16384;
	struct memmap_range left[3] = { 0 };
	size_t n = 0;

	hole_first = first;
	hole_behind = behind;
	if (first == behind)
		left[n++] = (struct memmap_range){ start, end - start };
	if (first < behind && first > start)
		left[n++] = (struct memmap_range){ start, first - start };
	if (first < behind && behind < end)
		left[n++] = (struct memmap_range){ behind, end - behind };
	memmap_build(&map, &claim, 1);
	memmap_probe(&map, outside_of_hole);
	return map.nranges == n && memcmp(map.ranges, left, n * sizeof(left[0])) == 0 &&
	       map.absent == (uint64_t)(behind - first) * PAGE &&
	       map.absent_at == (behind > first ? (uint64_t)first * PAGE : 0);
}

static bool outside_of_holes(uint32_t frame)
{
	return frame < 4096 || (frame >= 5000 && frame < 8192) || frame >= 8200;
}

static bool two_holes_are_found(void)
{
	static const struct memmap_claim claim = { 1 << 20, 64 << 20, MEMMAP_USABLE };

	memmap_build(&map, &claim, 1);
	memmap_probe(&map, outside_of_holes);
	return map.nranges == 3 && map.absent == (uint64_t)(5000 - 4096 + 8) * PAGE &&
	       map.absent_at == (uint64_t)4096 * PAGE;
}

static void test_probe(void)
{
	bool sound = true;

	looks = 0;
	tap_ok(probe_finds(5000, 5000) && looks < 30, "RAM that is there stays, after few looks");
	tap_ok(probe_finds(256, 256 + 16384), "a range that is not there is left out");
	tap_ok(probe_finds(5000, 256 + 16384), "so is the end of one");
	tap_ok(probe_finds(256, 9001), "and the beginning of one");
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t first = 256 + next_random() % 8000;

		sound &= probe_finds(first, first + 2 * MEMMAP_PROBE_STEP);
	}
	tap_ok(probe_finds(2 * MEMMAP_PROBE_STEP, 2 * MEMMAP_PROBE_STEP + 100),
	       "a small hole is found where a step begins");
	tap_ok(two_holes_are_found(), "two holes are counted together, and the first is named");
	tap_ok(sound, "a hole of two steps is found wherever it lies, to the frame");
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;

	state = (uint32_t)seed * 2654435761U | 1;
	printf("# seed %lu\n", seed);
	for (size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++)
		test_example(&examples[i]);
	test_many();
	test_crowded();
	test_explain_cut();
	test_names();
	test_probe();
	test_at_random(20000, 4 * PAGE, "random maps of four frames are as an oracle says");
	test_at_random(2000, 16 * PAGE, "random maps of 64 KiB are as an oracle says");
	test_at_random(50, WINDOW_MOST, "random maps of 1 MiB are as an oracle says");
	return tap_end();
}
