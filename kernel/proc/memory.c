/* SPDX-License-Identifier: MIT */
/*
 * A process's memory.
 *
 * A page is mapped only where prot_at() allows something, or allowed something
 * when it was touched: whoever changes what is allowed sees to the pages as well.
 */
#include "kernel/proc/memory.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"

#include <errno.h>
#include <string.h>

static const char mapping_name[] = "mapping";
static const char heap_name[] = "heap";	      /* a part with a protection of its own */
static const char hole_name[] = "heap, gone"; /* a part that was unmapped */

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)PAGE_MASK;
}

/* 0 if there is no such page. */
static uintptr_t page_end(uintptr_t address)
{
	return page_of(address + PAGE_MASK);
}

static uintptr_t heap_end(const struct memory *memory)
{
	return page_end(memory->brk.end);
}

static uintptr_t smaller(uintptr_t a, uintptr_t b)
{
	return a < b ? a : b;
}

static uintptr_t larger(uintptr_t a, uintptr_t b)
{
	return a > b ? a : b;
}

bool memory_too_much(size_t size)
{
	return size >> PAGE_SHIFT > frame_count(FRAME_FREE) + frame_count(FRAME_USER);
}

int memory_create(struct memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	return paging_create(&memory->space);
}

void memory_destroy(struct memory *memory)
{
	area_clear_all(&memory->areas);
	paging_destroy(&memory->space);
}

/* What a piece of a process's addresses is: up to @end all of it is the same. */
struct piece {
	uintptr_t end;
	unsigned int prot;
	const char *name; /* NULL: nothing */
};

static struct piece piece_at(const struct memory *memory, uintptr_t address)
{
	const struct area *area = area_from(&memory->areas, address);
	struct piece piece = { area ? area->start : USER_END, 0, NULL };

	if (area && area->start <= address)
		return (struct piece){ area->end, area->prot, area->name };
	if (address >= memory->brk.base && address < heap_end(memory)) {
		piece.end = smaller(piece.end, heap_end(memory));
		piece.prot = PAGE_USER | PAGE_WRITE;
		piece.name = heap_name;
	} else if (address < memory->brk.base) {
		piece.end = smaller(piece.end, memory->brk.base);
	}
	return piece;
}

static bool permits(unsigned int prot, bool write)
{
	return (prot & PAGE_USER) && (!write || (prot & PAGE_WRITE));
}

bool memory_allows(const struct memory *memory, uintptr_t address, size_t size, bool write)
{
	uintptr_t end = address + size;

	if (address > USER_END || size > USER_END - address)
		return false;
	while (address < end) {
		struct piece piece = piece_at(memory, address);

		if (!permits(piece.prot, write))
			return false;
		address = piece.end;
	}
	return true;
}

int memory_touch(struct memory *memory, uintptr_t address, bool write)
{
	const struct area *area = area_from(&memory->areas, address);

	if (!memory_allows(memory, address, 1, write))
		return -EFAULT;
	if (paging_translate(&memory->space, address, NULL, NULL))
		return 0;
	if (!area || area->start > address)
		return brk_touch(&memory->brk, address);
	return paging_provide(&memory->space, page_of(address), FRAME_USER, area->prot);
}

/* Whatever is copied must be there before: a fault in the kernel would be the kernel's. */
static int touch_all(struct memory *memory, uintptr_t address, size_t size, bool write)
{
	uintptr_t end = address + size;
	int error = 0;

	if (!memory_allows(memory, address, size, write))
		return -EFAULT;
	for (uintptr_t at = address; at < end && !error; at = page_of(at) + PAGE_SIZE)
		error = memory_touch(memory, at, write);
	return error;
}

int memory_read(struct memory *memory, void *to, uintptr_t address, size_t size)
{
	int error = touch_all(memory, address, size, false);

	if (!error)
		memcpy(to, (const void *)address, size);
	return error;
}

int memory_write(struct memory *memory, uintptr_t address, const void *from, size_t size)
{
	int error = touch_all(memory, address, size, true);

	if (!error)
		memcpy((void *)address, from, size);
	return error;
}

/* Within one page. */
static bool peek(const struct memory *memory, void *to, uintptr_t address, size_t size)
{
	if (paging_translate(&memory->space, address, NULL, NULL))
		memcpy(to, (const void *)address, size);
	else
		memset(to, 0, size);
	return piece_at(memory, address).name != NULL;
}

bool memory_peek(struct memory *memory, void *to, uintptr_t address, size_t size)
{
	struct address_space *before;
	bool all = true;

	if (address > USER_END || size > USER_END - address)
		return false;
	before = paging_switch(&memory->space);
	while (size > 0 && all) {
		size_t n = smaller(size, PAGE_SIZE - (address & PAGE_MASK));

		all = peek(memory, to, address, n);
		to = (char *)to + n;
		address += n;
		size -= n;
	}
	paging_switch(before);
	return all;
}

/* Areas and pages together: what was there is gone, and what is there now reads zero. */
static int lay(struct memory *memory, uintptr_t start, uintptr_t end, unsigned int prot,
	       const char *name)
{
	int error = area_set(&memory->areas, start, end, prot, name);

	if (!error)
		paging_release(&memory->space, start, end);
	return error;
}

static int clear(struct memory *memory, uintptr_t start, uintptr_t end)
{
	int error = start < end ? area_clear(&memory->areas, start, end) : 0;

	if (!error)
		paging_release(&memory->space, start, end);
	return error;
}

int memory_place(struct memory *memory, uintptr_t start, uintptr_t end, unsigned int prot,
		 const char *name)
{
	kassert(((start | end) & PAGE_MASK) == 0 && start >= USER_BASE && end <= USER_END);
	kassert(!area_any(&memory->areas, start, end));
	return area_set(&memory->areas, start, end, prot, name);
}

uintptr_t memory_brk(struct memory *memory, uintptr_t end)
{
	uintptr_t before = heap_end(memory);

	if (end < memory->brk.base || end >= memory->brk.limit)
		return memory->brk.end;
	if (page_end(end) > before && area_any(&memory->areas, before, page_end(end) + PAGE_SIZE))
		return memory->brk.end;
	if (page_end(end) < before && clear(memory, page_end(end), before))
		return memory->brk.end;
	brk_set(&memory->brk, end); /* refused, it stays */
	return memory->brk.end;
}

static bool overlaps_heap(const struct memory *memory, uintptr_t start, uintptr_t end)
{
	return start < heap_end(memory) + PAGE_SIZE && end > memory->brk.base;
}

/* Room for a mapping: where it was wished, as high as possible, or else below the program. */
static uintptr_t find_room(const struct memory *memory, uintptr_t hint, size_t size)
{
	uintptr_t at = page_end(hint);

	if (at >= USER_BASE && at < USER_MAP_END && size <= USER_MAP_END - at &&
	    !area_any(&memory->areas, at, at + size) && !overlaps_heap(memory, at, at + size))
		return at;
	at = area_gap(&memory->areas, size, heap_end(memory) + PAGE_SIZE, USER_MAP_END);
	return at ? at : area_gap(&memory->areas, size, USER_BASE, memory->brk.base);
}

intptr_t memory_map(struct memory *memory, uintptr_t hint, size_t size, unsigned int prot,
		    bool fixed)
{
	uintptr_t at = hint;
	int error;

	if (size == 0 || (fixed && (hint & PAGE_MASK)))
		return -EINVAL;
	if (fixed && hint < USER_BASE)
		return -EPERM;
	size = page_end(size);
	if (size == 0 || memory_too_much(size))
		return -ENOMEM;
	if (!fixed)
		at = find_room(memory, hint, size);
	if (at == 0 || at >= USER_END || size > USER_END - at)
		return -ENOMEM;
	error = lay(memory, at, at + size, prot, mapping_name);
	return error ? error : (intptr_t)at;
}

/* The pages from @start on, as memory_unmap() and memory_protect() take them; false if none. */
static bool span_end(uintptr_t start, size_t size, uintptr_t *end)
{
	*end = start + page_end(size);
	return start < USER_END && size <= USER_END - start && *end <= USER_END;
}

int memory_unmap(struct memory *memory, uintptr_t start, size_t size)
{
	uintptr_t end, from, to;
	int error = 0;

	if ((start & PAGE_MASK) || size == 0 || !span_end(start, size, &end))
		return -EINVAL;
	from = larger(start, memory->brk.base);
	to = smaller(end, heap_end(memory));
	if (from >= to)
		return clear(memory, start, end);
	error = lay(memory, from, to, 0, hole_name);
	if (!error)
		error = clear(memory, start, from);
	return error ? error : clear(memory, to, end);
}

static bool all_mapped(const struct memory *memory, uintptr_t start, uintptr_t end)
{
	while (start < end) {
		struct piece piece = piece_at(memory, start);

		if (!piece.name || piece.name == hole_name)
			return false;
		start = piece.end;
	}
	return true;
}

int memory_protect(struct memory *memory, uintptr_t start, size_t size, unsigned int prot)
{
	uintptr_t end;

	if (start & PAGE_MASK)
		return -EINVAL;
	if (size == 0)
		return 0;
	if (!span_end(start, size, &end) || !all_mapped(memory, start, end))
		return -ENOMEM;
	while (start < end) {
		struct piece piece = piece_at(memory, start);

		piece.end = smaller(piece.end, end);
		if (area_set(&memory->areas, start, piece.end, prot, piece.name))
			return -ENOMEM;
		paging_protect_span(&memory->space, start, piece.end, prot);
		start = piece.end;
	}
	return 0;
}
