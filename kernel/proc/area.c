/* SPDX-License-Identifier: MIT */
/*
 * Areas, in a list.
 *
 * What a change needs of kernel memory is taken before anything is changed: one
 * area for the new span, and one more if it lies inside another:
 *
 *	[        old        ]
 *	[ old ][ new ][ old ]
 */
#include "kernel/proc/area.h"
#include "kernel/mm/kmalloc.h"

#include <errno.h>
#include <stddef.h>

const struct area *area_from(const struct areas *areas, uintptr_t address)
{
	const struct area *area = areas->first;

	while (area && area->end <= address)
		area = area->next;
	return area;
}

bool area_any(const struct areas *areas, uintptr_t start, uintptr_t end)
{
	const struct area *area = area_from(areas, start);

	return area && area->start < end;
}

uintptr_t area_gap(const struct areas *areas, uintptr_t size, uintptr_t low, uintptr_t high)
{
	uintptr_t found = 0;

	for (const struct area *area = area_from(areas, low); low < high; area = area->next) {
		uintptr_t end = area && area->start < high ? area->start : high;

		if (low < end && end - low >= size)
			found = end - size;
		if (!area)
			break;
		low = area->end;
	}
	return found;
}

static void insert(struct areas *areas, struct area **link, struct area *area)
{
	area->next = *link;
	*link = area;
	areas->n++;
}

static void remove_at(struct areas *areas, struct area **link)
{
	struct area *area = *link;

	*link = area->next;
	areas->n--;
	kfree(area);
}

/* Takes a span out of all areas. Of one that splits() @rest becomes the back. */
static void cut(struct areas *areas, uintptr_t start, uintptr_t end, struct area *rest)
{
	struct area **link = &areas->first, *area;

	while ((area = *link) && area->start < end) {
		if (area->start < start && area->end > end) {
			*rest = *area;
			rest->start = end;
			area->end = start;
			insert(areas, &area->next, rest);
			return;
		}
		if (area->start >= start && area->end <= end) {
			remove_at(areas, link);
			continue;
		}
		if (area->end > end)
			area->start = end;
		else if (area->end > start)
			area->end = start;
		link = &area->next;
	}
}

/* Joins an area with the next, if they are alike and side by side. */
static void join(struct areas *areas, struct area *area)
{
	struct area *next = area->next;

	if (!next || next->start != area->end || next->prot != area->prot ||
	    next->name != area->name)
		return;
	area->end = next->end;
	remove_at(areas, &area->next);
}

static void put(struct areas *areas, struct area *area)
{
	struct area **link = &areas->first, *before = NULL;

	while (*link && (*link)->start < area->start) {
		before = *link;
		link = &before->next;
	}
	insert(areas, link, area);
	join(areas, area);
	if (before)
		join(areas, before);
}

/* Whether taking a span out leaves a front and a back of one area. */
static bool splits(const struct areas *areas, uintptr_t start, uintptr_t end)
{
	const struct area *area = area_from(areas, start);

	return area && area->start < start && area->end > end;
}

/* The areas that a change needs: @new, and @rest if it splits one. Both, or an error. */
static int reserve(const struct areas *areas, bool split, struct area **new, struct area **rest)
{
	if (areas->n + (new ? 1 : 0) + split > AREAS_MAX)
		return -ENOMEM;
	*rest = split ? kmalloc(sizeof(**rest)) : NULL;
	if (split && !*rest)
		return -ENOMEM;
	if (!new || (*new = kmalloc(sizeof(**new))))
		return 0;
	kfree(*rest);
	return -ENOMEM;
}

int area_set(struct areas *areas, uintptr_t start, uintptr_t end, unsigned int prot,
	     const char *name)
{
	struct area *area, *rest;

	if (reserve(areas, splits(areas, start, end), &area, &rest))
		return -ENOMEM;
	cut(areas, start, end, rest);
	*area = (struct area){ .start = start, .end = end, .prot = prot, .name = name };
	put(areas, area);
	return 0;
}

int area_clear(struct areas *areas, uintptr_t start, uintptr_t end)
{
	struct area *rest;

	if (reserve(areas, splits(areas, start, end), NULL, &rest))
		return -ENOMEM;
	cut(areas, start, end, rest);
	return 0;
}

void area_clear_all(struct areas *areas)
{
	while (areas->first)
		remove_at(areas, &areas->first);
}
