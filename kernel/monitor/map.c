/* SPDX-License-Identifier: MIT */
/*
 *	 0  title                                    bytes of a cell
 *	 1  0xd0000000 [                64 cells                   ]
 *	... 18 rows of them
 *	19  legend
 *	20  numbers
 *	23  a note
 *	24  keys
 */
#include "kernel/monitor/map.h"

#include <string.h>

#define MAP_COLUMN   12U /* behind the addresses */
#define LEGEND_ROW   (MAP_ROWS + 1)
#define NUMBERS_ROW  (LEGEND_ROW + 1)
#define NOTE_ROW     (VGA_ROWS - 2)
#define KEYS_ROW     (VGA_ROWS - 1)
#define LEGEND_WIDTH 14U
#define KEYS	     "q leave  + - zoom  w whole  arrows move  space pause  n next  f s faster slower"

static enum map_kind kind_of(enum heap_piece_kind kind)
{
	static const uint8_t kinds[] = {
		[HEAP_PIECE_SEGMENT] = MAP_BOOKKEEPING,
		[HEAP_PIECE_USED] = MAP_USED,
		[HEAP_PIECE_CACHED] = MAP_CACHED,
		[HEAP_PIECE_BINNED] = MAP_FREE,
		[HEAP_PIECE_TOP] = MAP_TOP,
		[HEAP_PIECE_FENCE] = MAP_BOOKKEEPING,
	};

	return kinds[kind];
}

void map_begin(struct map *map, uintptr_t from, unsigned int shift)
{
	memset(map, 0, sizeof(*map));
	map->from = from;
	map->shift = shift;
}

/* The cell is complete, for now: a header is shown before anything else, then what there is most. */
static void flush(struct map *map)
{
	for (unsigned int kind = MAP_USED; kind < MAP_KINDS; kind++) {
		uint32_t bytes = map->bytes[kind];

		if (kind == MAP_HEADER && bytes > 0)
			bytes = UINT32_MAX;
		if (bytes > map->most[map->at]) {
			map->kind[map->at] = (uint8_t)kind;
			map->most[map->at] = bytes;
		}
		map->bytes[kind] = 0;
	}
}

static void count(struct map *map, size_t cell, enum map_kind kind, uint32_t bytes)
{
	if (cell != map->at)
		flush(map);
	map->at = cell;
	map->bytes[kind] += bytes;
}

/* Some bytes of one kind, as far as they are on the map. */
static void add(struct map *map, enum map_kind kind, uintptr_t start, size_t size)
{
	size_t span = (size_t)MAP_CELLS << map->shift, one = (size_t)1 << map->shift;
	size_t skipped = map->from > start ? map->from - start : 0;
	size_t at, n;

	if (skipped >= size)
		return;
	size -= skipped;
	for (at = start + skipped - map->from; size > 0 && at < span; at += n, size -= n) {
		n = one - (at & (one - 1));
		n = n < size ? n : size;
		count(map, at >> map->shift, kind, (uint32_t)n);
	}
}

void map_add(struct map *map, const struct heap_piece *piece)
{
	uintptr_t start = (uintptr_t)piece->address;
	enum map_kind kind = kind_of(piece->kind);
	size_t header = 0;

	if (map->shift <= MAP_HEADERS_TO && kind != MAP_BOOKKEEPING) {
		header = HEAP_WORD;
		add(map, MAP_HEADER, start, header);
	}
	add(map, kind, start + header, piece->size - header);
}

void map_end(struct map *map)
{
	flush(map);
}

unsigned int map_shift_for(size_t bytes)
{
	unsigned int shift = MAP_LEAST_SHIFT;

	while (shift < MAP_MOST_SHIFT && bytes > (size_t)MAP_CELLS << shift)
		shift++;
	return shift;
}

uint16_t map_cell(enum map_kind kind)
{
	static const uint16_t cells[] = {
		[MAP_NOTHING] = VGA_CELL(' ', SCREEN_GREY, SCREEN_BLACK),
		[MAP_USED] = VGA_CELL('#', SCREEN_LIGHT_BLUE, SCREEN_BLUE),
		[MAP_CACHED] = VGA_CELL('c', SCREEN_BLACK, SCREEN_CYAN),
		[MAP_FREE] = VGA_CELL('.', SCREEN_BLACK, SCREEN_GREEN),
		[MAP_TOP] = VGA_CELL('-', SCREEN_GREEN, SCREEN_BLACK),
		[MAP_BOOKKEEPING] = VGA_CELL('+', SCREEN_WHITE, SCREEN_MAGENTA),
		[MAP_HEADER] = VGA_CELL('[', SCREEN_BLACK, SCREEN_BROWN),
	};

	return cells[kind];
}

const char *map_kind_name(enum map_kind kind)
{
	static const char *const names[] = {
		[MAP_NOTHING] = "nothing", [MAP_USED] = "used", [MAP_CACHED] = "cached",
		[MAP_FREE] = "free",	   [MAP_TOP] = "top",	[MAP_BOOKKEEPING] = "bookkeeping",
		[MAP_HEADER] = "header",
	};

	return names[kind];
}

static void draw_cells(const struct map *map, struct screen *screen)
{
	for (unsigned int row = 0; row < MAP_ROWS; row++) {
		screen_print(
			screen, row + 1, 0, "0x%08lx",
			(unsigned long)(map->from + ((size_t)row * MAP_COLUMNS << map->shift)));
		for (unsigned int column = 0; column < MAP_COLUMNS; column++)
			screen->cells[row + 1][MAP_COLUMN + column] =
				map_cell(map->kind[row * MAP_COLUMNS + column]);
	}
}

/* The kinds, as they are drawn; headers only where they are. */
static void draw_legend(const struct map *map, struct screen *screen)
{
	unsigned int kinds = map->shift <= MAP_HEADERS_TO ? MAP_KINDS : MAP_HEADER;

	for (unsigned int kind = MAP_USED; kind < kinds; kind++) {
		unsigned int column = (kind - MAP_USED) * LEGEND_WIDTH;

		screen->cells[LEGEND_ROW][column] = map_cell(kind);
		screen_print(screen, LEGEND_ROW, column + 2, "%s", map_kind_name(kind));
	}
}

static void draw_numbers(const struct map_numbers *numbers, struct screen *screen)
{
	const struct heap_stats *stats = &numbers->stats;

	screen_print(screen, NUMBERS_ROW, 0,
		     "used %9zu in %6zu blocks  headers %7zu  cached %7zu in %5zu", stats->granted,
		     stats->granted_blocks, stats->headers, stats->cached, stats->cached_blocks);
	screen_print(screen, NUMBERS_ROW + 1, 0,
		     "free %9zu in %6zu blocks  largest %7zu  top %7zu  fragmented %2zu.%zu%%",
		     stats->binned, stats->binned_blocks, stats->largest_free, stats->top,
		     stats->fragmentation / 10, stats->fragmentation % 10);
	screen_print(screen, NUMBERS_ROW + 2, 0,
		     "break 0x%08lx, %zu bytes above its base; frames %u, free %u",
		     (unsigned long)numbers->end, stats->total, numbers->heap_frames,
		     numbers->free_frames);
}

void map_draw(const struct map *map, const struct map_numbers *numbers, struct screen *screen)
{
	screen_clear(screen);
	screen_print(screen, 0, 0, "%s", numbers->title);
	screen_print(screen, 0, MAP_COLUMN + 48, "%7zu bytes a cell", (size_t)1 << map->shift);
	draw_cells(map, screen);
	draw_legend(map, screen);
	draw_numbers(numbers, screen);
	screen_print(screen, NOTE_ROW, 0, "%s", numbers->note);
	screen_print(screen, KEYS_ROW, 0, "%s", KEYS);
}
