/* SPDX-License-Identifier: MIT */
/*
 * A heap as a map: each cell stands for so many bytes, and shows what most of
 * them are. Pure, and tested on the host as well.
 */
#ifndef KERNEL_MONITOR_MAP_H
#define KERNEL_MONITOR_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap.h"
#include "kernel/monitor/screen.h"

#define MAP_ROWS    18U
#define MAP_COLUMNS 64U
#define MAP_CELLS   (MAP_ROWS * MAP_COLUMNS)

/* A cell stands for 2^shift bytes: a word at least. Headers are seen up to MAP_HEADERS_TO. */
#define MAP_LEAST_SHIFT 2U
#define MAP_MOST_SHIFT	20U
#define MAP_HEADERS_TO	3U

enum map_kind {
	MAP_NOTHING, /* not of the heap */
	MAP_USED,
	MAP_CACHED,
	MAP_FREE,
	MAP_TOP,
	MAP_BOOKKEEPING,
	MAP_HEADER,
	MAP_KINDS,
};

/**
 * struct map - a map
 * @from: the address where it begins
 * @shift: a cell is for 2 to the power of it bytes
 * @kind: what each cell shows
 * @most: bytes that made it so
 * @at: the cell that is being added to
 * @bytes: what it has of each kind
 */
struct map {
	uintptr_t from;
	unsigned int shift;
	uint8_t kind[MAP_CELLS];
	uint32_t most[MAP_CELLS];
	size_t at;
	uint32_t bytes[MAP_KINDS];
};

/* An empty map. */
void map_begin(struct map *map, uintptr_t from, unsigned int shift);

/* Adds a piece of the heap, wherever it lies. Pieces of a segment come by ascending addresses. */
void map_add(struct map *map, const struct heap_piece *piece);

/* All pieces have been added. */
void map_end(struct map *map);

/* The least shift with which so many bytes fit on a map. */
unsigned int map_shift_for(size_t bytes);

/**
 * struct map_numbers - what stands around the map
 * @title: above it, before the bytes of a cell
 * @note: below it, or ""
 * @stats: of the heap
 * @end: its break
 * @heap_frames: page frames it has
 * @free_frames: and that nobody has
 */
struct map_numbers {
	const char *title, *note;
	struct heap_stats stats;
	uintptr_t end;
	uint32_t heap_frames, free_frames;
};

/* Draws the map with its legend and numbers. */
void map_draw(const struct map *map, const struct map_numbers *numbers, struct screen *screen);

/* How a kind is drawn, and its name. */
uint16_t map_cell(enum map_kind kind);
const char *map_kind_name(enum map_kind kind);

#endif
