/* SPDX-License-Identifier: MIT */
/*
 * Areas: which spans of a process's addresses it may use, and how.
 *
 * Whole pages; ascending, and no two overlap. What they say is what the process
 * was promised: pages are mapped later, when they are touched, and this floor
 * knows nothing of them.
 */
#ifndef KERNEL_PROC_AREA_H
#define KERNEL_PROC_AREA_H

#include <stdbool.h>
#include <stdint.h>

/* So many may a process have: each takes kernel memory, and finding one takes a step for each. */
#define AREAS_MAX 1024U

/**
 * struct area - one span
 * @start: its first byte; page-aligned
 * @end: behind its last byte; page-aligned
 * @prot: PAGE_USER to read and run, PAGE_USER | PAGE_WRITE to write too, 0 for nothing
 * @name: what it is, for a person; areas of one name are of one kind
 * @next: the next one above
 */
struct area {
	uintptr_t start, end;
	unsigned int prot;
	const char *name;
	struct area *next;
};

/* All of a process; cleared memory is none. */
struct areas {
	struct area *first;
	unsigned int n;
};

/* The lowest area that ends above @address, NULL if there is none. O(areas). */
const struct area *area_from(const struct areas *areas, uintptr_t address);

/* Whether any area has an address from @start up to @end. O(areas). */
bool area_any(const struct areas *areas, uintptr_t start, uintptr_t end);

/**
 * area_gap() - find room
 * @size: page-aligned, above 0
 * @low: the lowest address that will do
 * @high: the end of the room
 *
 * O(areas). Return: the highest start, 0 if there is no room.
 */
uintptr_t area_gap(const struct areas *areas, uintptr_t size, uintptr_t low, uintptr_t high);

/**
 * area_set() - make a span one area, whatever areas were there
 *
 * Joins neighbours that differ in nothing but their place. O(areas).
 *
 * Return: 0; -ENOMEM if there is no kernel memory, or there are too many areas.
 * Then nothing has changed.
 */
int area_set(struct areas *areas, uintptr_t start, uintptr_t end, unsigned int prot,
	     const char *name);

/* Makes a span no area. Return: as area_set(); it only fails where it cuts one in two. */
int area_clear(struct areas *areas, uintptr_t start, uintptr_t end);

/* Frees all of them. */
void area_clear_all(struct areas *areas);

#endif
