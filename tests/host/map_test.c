/* SPDX-License-Identifier: MIT */
/*
 * The map of a heap, cell by cell, beside one that is made byte by byte; and
 * what it is drawn like.
 */
#include "kernel/monitor/map.h"
#include "tap.h"

#include <string.h>

#define BASE   0xD0000000U
#define ROUNDS 3000
#define BYTES  4096U

static struct map map;
static struct screen screen;

static void piece(enum heap_piece_kind kind, uintptr_t at, size_t size)
{
	const struct heap_piece it = { kind, (const void *)at, size };

	map_add(&map, &it);
}

/* Whether the map begins with these signs, and has nothing behind them. */
static bool is(const char *signs)
{
	size_t n = strlen(signs);

	map_end(&map);
	for (size_t i = 0; i < MAP_CELLS; i++)
		if ((char)map_cell(map.kind[i]) != (i < n ? signs[i] : ' '))
			return false;
	return true;
}

static void kinds(void)
{
	map_begin(&map, BASE, 4);
	tap_ok(is(""), "a map of nothing is empty");
	map_begin(&map, BASE, 4);
	piece(HEAP_PIECE_SEGMENT, BASE, 16);
	piece(HEAP_PIECE_USED, BASE + 16, 32);
	piece(HEAP_PIECE_CACHED, BASE + 48, 16);
	piece(HEAP_PIECE_BINNED, BASE + 64, 48);
	piece(HEAP_PIECE_TOP, BASE + 112, 16);
	piece(HEAP_PIECE_FENCE, BASE + 128, 4);
	tap_ok(is("+##c...-+"), "each kind has its sign");
}

static void shares(void)
{
	map_begin(&map, BASE, 6);
	piece(HEAP_PIECE_USED, BASE, 24);
	piece(HEAP_PIECE_BINNED, BASE + 24, 40);
	tap_ok(is("."), "a cell shows what most of it is");
	map_begin(&map, BASE, 6);
	piece(HEAP_PIECE_USED, BASE, 16);
	piece(HEAP_PIECE_BINNED, BASE + 16, 24);
	piece(HEAP_PIECE_USED, BASE + 40, 24);
	tap_ok(is("#"), "from all of its pieces together");
	map_begin(&map, BASE, 6);
	piece(HEAP_PIECE_USED, BASE + 64, 40);
	piece(HEAP_PIECE_TOP, BASE + 104, 1000);
	piece(HEAP_PIECE_BINNED, BASE, 64);
	tap_ok(is(".#----------------"), "segments may come in any order");
}

static void headers(void)
{
	map_begin(&map, BASE, 3);
	piece(HEAP_PIECE_USED, BASE, 16);
	piece(HEAP_PIECE_BINNED, BASE + 16, 24);
	piece(HEAP_PIECE_FENCE, BASE + 40, 8);
	tap_ok(is("[#[..+"), "headers are seen when it is large enough");
	map_begin(&map, BASE, 2);
	piece(HEAP_PIECE_USED, BASE, 16);
	tap_ok(is(HEAP_WORD == 4 ? "[###" : "[[##"), "and have the size of a word");
	map_begin(&map, BASE, 4);
	piece(HEAP_PIECE_USED, BASE, 16);
	tap_ok(is("#"), "else they are part of their block");
}

static void windows(void)
{
	map_begin(&map, BASE + 64, 4);
	piece(HEAP_PIECE_USED, BASE, 64);
	tap_ok(is(""), "what ends where the map begins is not on it");
	piece(HEAP_PIECE_USED, BASE, 80);
	tap_ok(is("#"), "what reaches into it is, from there on");
	map_begin(&map, BASE, 4);
	piece(HEAP_PIECE_USED, BASE + MAP_CELLS * 16, 1000);
	tap_ok(is(""), "what begins behind it is not");
	piece(HEAP_PIECE_BINNED, BASE + MAP_CELLS * 16 - 16, 1000);
	map_end(&map);
	tap_ok(map.kind[MAP_CELLS - 1] == MAP_FREE && map.kind[MAP_CELLS - 2] == MAP_NOTHING,
	       "what reaches beyond it is cut");
	map_begin(&map, BASE, MAP_MOST_SHIFT);
	piece(HEAP_PIECE_TOP, BASE, 0x2F800000);
	map_end(&map);
	tap_ok(map.kind[0x2F7] == MAP_TOP && map.kind[0x2F8] == MAP_NOTHING,
	       "the whole region of the kernel's heap can be");
}

static void scales(void)
{
	bool all = true;

	for (size_t bytes = 1; bytes <= (size_t)MAP_CELLS << 19; bytes += bytes / 3 + 1) {
		unsigned int shift = map_shift_for(bytes);

		all = all && bytes <= (size_t)MAP_CELLS << shift &&
		      (shift == MAP_LEAST_SHIFT || bytes > (size_t)MAP_CELLS << (shift - 1));
	}
	tap_ok(all, "the scale for some bytes is the least that has them all");
	tap_ok(map_shift_for(SIZE_MAX) == MAP_MOST_SHIFT, "up to a most");
}

static uint32_t next_random(void)
{
	static uint32_t state = 0xABCDEF;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* What each word of a heap is. */
static uint8_t words[BYTES / HEAP_WORD];

static void random_heap(void)
{
	static const uint8_t kind_of[] = { MAP_BOOKKEEPING, MAP_USED, MAP_CACHED,
					   MAP_FREE,	    MAP_TOP,  MAP_BOOKKEEPING };
	size_t at = 0, n;

	for (; at < BYTES / HEAP_WORD; at += n) {
		enum heap_piece_kind kind = next_random() % 6;

		n = 1 + next_random() % (next_random() % 4 ? 8 : 100);
		n = n < BYTES / HEAP_WORD - at ? n : BYTES / HEAP_WORD - at;
		memset(words + at, kind_of[kind], n);
		if (kind_of[kind] != MAP_BOOKKEEPING && map.shift <= MAP_HEADERS_TO)
			words[at] = MAP_HEADER;
		piece(kind, BASE + at * HEAP_WORD, n * HEAP_WORD);
	}
}

/* What a cell must show: one of those that have most of its words. */
static bool cell_is_right(size_t cell)
{
	size_t counts[MAP_KINDS] = { 0 }, most = 0;
	uintptr_t start = map.from + (cell << map.shift);

	for (uintptr_t at = start; at < start + ((size_t)1 << map.shift); at += 4)
		if (at >= BASE && at < BASE + BYTES)
			counts[words[(at - BASE) / HEAP_WORD]]++;
	for (unsigned int kind = MAP_USED; kind < MAP_KINDS; kind++)
		most = counts[kind] > most ? counts[kind] : most;
	if (counts[MAP_HEADER])
		return map.kind[cell] == MAP_HEADER;
	return most == 0 ? map.kind[cell] == MAP_NOTHING : counts[map.kind[cell]] == most;
}

static void beside_words(void)
{
	bool all = true;

	for (int i = 0; i < ROUNDS; i++) {
		map_begin(&map, BASE + next_random() % 64 * 16 - 512, 2 + next_random() % 8);
		random_heap();
		map_end(&map);
		for (size_t cell = 0; cell < MAP_CELLS; cell++)
			all = all && cell_is_right(cell);
	}
	tap_ok(all, "random heaps are shown word by word as they are");
}

static bool row_is(unsigned int row, const char *text)
{
	for (unsigned int i = 0; text[i]; i++)
		if ((char)screen.cells[row][i] != text[i])
			return false;
	return true;
}

static void drawing(void)
{
	const struct map_numbers numbers = {
		.title = "a title",
		.note = "a note",
		.stats = { .total = 69632,
			   .granted = 100,
			   .granted_blocks = 1,
			   .headers = 4,
			   .top = 69504,
			   .largest_free = 69504,
			   .fragmentation = 123 },
		.end = 0xD0011000,
		.heap_frames = 17,
		.free_frames = 30000,
	};

	map_begin(&map, BASE, 4);
	piece(HEAP_PIECE_USED, BASE, 64 * 16 + 16);
	map_end(&map);
	map_draw(&map, &numbers, &screen);
	tap_ok(row_is(0, "a title") && row_is(0 + 23, "a note"), "title and note");
	tap_ok(row_is(1, "0xd0000000  ####") && row_is(2, "0xd0000400  # ") &&
		       row_is(18, "0xd0004400   "),
	       "a row is an address and its cells");
	tap_ok(screen.cells[1][12] == map_cell(MAP_USED) &&
		       screen.cells[1][75] == map_cell(MAP_USED) &&
		       (char)screen.cells[1][76] == ' ',
	       "of which there are so many");
	tap_ok(row_is(19,
		      "# used        c cached      . free        - top         + bookkeeping  "),
	       "the legend has all that is on the map");
	tap_ok(row_is(20, "used       100 in      1 blocks  headers       4  cached       0 in     "
			  "0") &&
		       row_is(21, "free         0 in      0 blocks  largest   69504  top   69504"
				  "  fragmented 12.3%") &&
		       row_is(22, "break 0xd0011000, 69632 bytes above its base; frames 17, free "
				  "30000"),
	       "numbers");
	map_begin(&map, BASE, 3);
	map_end(&map);
	map_draw(&map, &numbers, &screen);
	tap_ok((char)screen.cells[19][70] == '[' && (char)screen.cells[0][66] == '8',
	       "headers are in the legend where they are on the map");
}

int main(void)
{
	kinds();
	shares();
	headers();
	windows();
	scales();
	beside_words();
	drawing();
	return tap_end();
}
