/* SPDX-License-Identifier: MIT */
/* Areas: laid over each other, cut, joined, and never more than they say. */
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging.h"
#include "kernel/proc/area.h"
#include "tests/kernel/ktest.h"

#include <errno.h>
#include <string.h>

#define PAGES 64U

static const char name_a[] = "a", name_b[] = "b";

static struct areas areas;

static uintptr_t at(unsigned int page)
{
	return USER_BASE + page * PAGE_SIZE;
}

static int set(unsigned int from, unsigned int to, unsigned int prot)
{
	return area_set(&areas, at(from), at(to), prot, name_a);
}

/* Whether there are exactly these: pairs of pages, up to one of 0, 0. */
static bool are(const unsigned int (*pairs)[2])
{
	const struct area *area = areas.first;
	unsigned int n = 0;

	for (; area && (*pairs)[1]; area = area->next, pairs++, n++)
		if (area->start != at((*pairs)[0]) || area->end != at((*pairs)[1]))
			return false;
	return !area && !(*pairs)[1] && n == areas.n;
}

#define ARE(...) are((const unsigned int[][2]){ __VA_ARGS__, { 0, 0 } })

KTEST(areas_side_by_side_are_one_if_they_are_alike)
{
	CHECK_EQ(set(2, 4, PAGE_USER), 0);
	CHECK_EQ(set(6, 8, PAGE_USER), 0);
	CHECK(ARE({ 2, 4 }, { 6, 8 }));
	CHECK_EQ(set(4, 6, PAGE_USER), 0);
	CHECK(ARE({ 2, 8 }));
	CHECK_EQ(set(8, 9, PAGE_USER | PAGE_WRITE), 0);
	CHECK_EQ(area_set(&areas, at(1), at(2), PAGE_USER, name_b), 0);
	CHECK(ARE({ 1, 2 }, { 2, 8 }, { 8, 9 }));
	CHECK_EQ(set(1, 9, PAGE_USER), 0);
	CHECK(ARE({ 1, 9 }));
	area_clear_all(&areas);
	CHECK_EQ(areas.n, 0);
}

KTEST(area_laid_over_others_leaves_what_sticks_out)
{
	CHECK_EQ(set(0, 10, PAGE_USER), 0);
	CHECK_EQ(set(3, 5, 0), 0);
	CHECK(ARE({ 0, 3 }, { 3, 5 }, { 5, 10 }));
	CHECK_EQ(set(4, 6, PAGE_USER | PAGE_WRITE), 0);
	CHECK(ARE({ 0, 3 }, { 3, 4 }, { 4, 6 }, { 6, 10 }));
	CHECK_EQ(area_clear(&areas, at(2), at(9)), 0);
	CHECK(ARE({ 0, 2 }, { 9, 10 }));
	CHECK_EQ(area_clear(&areas, at(2), at(9)), 0);
	CHECK_EQ(area_clear(&areas, at(0), at(1)), 0);
	CHECK(ARE({ 1, 2 }, { 9, 10 }));
	area_clear_all(&areas);
}

KTEST(area_is_found_from_any_address_below_its_end)
{
	CHECK(!area_from(&areas, 0));
	CHECK_EQ(set(3, 5, 0), 0);
	CHECK_EQ(set(7, 8, 0), 0);
	CHECK(area_from(&areas, 0) == areas.first);
	CHECK(area_from(&areas, at(5) - 1) == areas.first);
	CHECK(area_from(&areas, at(5)) == areas.first->next);
	CHECK(!area_from(&areas, at(8)));
	CHECK(!area_any(&areas, at(5), at(7)) && area_any(&areas, at(5), at(7) + 1));
	CHECK(!area_any(&areas, at(0), at(3)) && area_any(&areas, at(4), at(5)));
	area_clear_all(&areas);
}

KTEST(highest_gap_is_found_that_is_large_enough)
{
	CHECK_EQ(area_gap(&areas, 4 * PAGE_SIZE, at(0), at(10)), at(6));
	CHECK_EQ(area_gap(&areas, 10 * PAGE_SIZE, at(0), at(10)), at(0));
	CHECK_EQ(area_gap(&areas, 11 * PAGE_SIZE, at(0), at(10)), 0);
	CHECK_EQ(area_gap(&areas, PAGE_SIZE, at(10), at(10)), 0);
	CHECK_EQ(set(3, 5, 0), 0);
	CHECK_EQ(set(8, 12, 0), 0);
	CHECK_EQ(area_gap(&areas, 3 * PAGE_SIZE, at(0), at(10)), at(5));
	CHECK_EQ(area_gap(&areas, 3 * PAGE_SIZE, at(0), at(7)), at(0));
	CHECK_EQ(area_gap(&areas, PAGE_SIZE, at(4), at(8)), at(7));
	CHECK_EQ(area_gap(&areas, 4 * PAGE_SIZE, at(0), at(12)), 0);
	CHECK_EQ(area_gap(&areas, 0x80000000U, at(0), at(10)), 0);
	area_clear_all(&areas);
}

/* What each page should be: 0 if it is in no area, else its prot and 4 or 8 for the name. */
static unsigned char model[PAGES];

static bool like_model(void)
{
	const struct area *area = areas.first;

	for (unsigned int page = 0; page < PAGES; page++) {
		unsigned int found = 0;

		while (area && area->end <= at(page))
			area = area->next;
		if (area && area->start <= at(page))
			found = area->prot | (area->name == name_a ? 4 : 8);
		if (found != model[page])
			return false;
	}
	return true;
}

/* Ascending, not empty, not overlapping, and as few as can be. */
static bool in_order(void)
{
	unsigned int n = 0;

	for (const struct area *area = areas.first; area; area = area->next, n++) {
		const struct area *next = area->next;

		if (area->start >= area->end || (next && next->start < area->end))
			return false;
	}
	return n == areas.n;
}

KTEST(areas_are_those_of_a_model_after_any_operation)
{
	memset(model, 0, sizeof(model));
	for (unsigned int i = 0; i < 20000; i++) {
		uint32_t random = ktest_random();
		unsigned int from = random % PAGES, to = from + 1 + (random >> 8) % (PAGES - from);
		unsigned int prot = random >> 16 & 3;
		const char *name = random >> 18 & 1 ? name_a : name_b;

		if (random >> 20 & 1) {
			CHECK_EQ(area_set(&areas, at(from), at(to), prot, name), 0);
			memset(model + from, (int)(prot | (name == name_a ? 4 : 8)), to - from);
		} else {
			CHECK_EQ(area_clear(&areas, at(from), at(to)), 0);
			memset(model + from, 0, to - from);
		}
		CHECK(in_order() && like_model());
	}
	area_clear_all(&areas);
}

KTEST(areas_are_limited_and_one_too_many_changes_nothing)
{
	for (unsigned int i = 0; i < AREAS_MAX - 1; i++)
		CHECK_EQ(set(3 * i, 3 * i + 2, 0), 0);
	CHECK_EQ(set(1, 2, PAGE_USER), 0); /* at the end of another: one more */
	CHECK_EQ(areas.n, AREAS_MAX);
	CHECK_EQ(set(3 * AREAS_MAX, 3 * AREAS_MAX + 1, 0), -ENOMEM);
	CHECK_EQ(areas.n, AREAS_MAX);
	CHECK_EQ(area_clear(&areas, at(3), at(5)), 0); /* giving back is always possible */
	CHECK_EQ(set(6, 9, 0), 0);
	CHECK_EQ(area_clear(&areas, at(7), at(8)), 0); /* two of one: as many again */
	CHECK_EQ(areas.n, AREAS_MAX - 1);
	area_clear_all(&areas);
}

/* The kernel's heap is empty, and there is no frame to make it larger. */
KTEST(areas_without_kernel_memory_change_nothing)
{
	frame_fail_at(1, UINT32_MAX);
	CHECK_EQ(set(0, 10, 0), -ENOMEM);
	frame_fail_at(0, 0);
	CHECK(!areas.first && areas.n == 0);
}

/* Takes what the kernel's heap can give of the size of an area. Return: a list of it. */
static void **take_all(void)
{
	void **list = NULL, **block;

	while ((block = kmalloc(sizeof(struct area)))) {
		*block = list;
		list = block;
	}
	return list;
}

static void **free_first(void **list)
{
	void **next = *list;

	kfree(list);
	return next;
}

/* There is memory for one area, but not for two. */
KTEST(areas_with_memory_for_one_of_two_change_nothing)
{
	void **list;
	int first, second, third;

	CHECK_EQ(set(0, 10, 0), 0);
	frame_fail_at(1, UINT32_MAX);
	list = take_all();
	first = set(4, 5, PAGE_USER);
	second = area_clear(&areas, at(4), at(5));
	list = free_first(list);
	third = set(4, 5, PAGE_USER);
	frame_fail_at(0, 0);
	while (list)
		list = free_first(list);
	CHECK_EQ(first, -ENOMEM);
	CHECK_EQ(second, -ENOMEM);
	CHECK_EQ(third, -ENOMEM);
	CHECK(ARE({ 0, 10 }));
	area_clear_all(&areas);
}
