/* SPDX-License-Identifier: MIT */
/* The program break: frames below, pages between, bytes above. */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct brk kernel_brk;

/* The end of the last page in use; no end lies in the region's last page, so this cannot wrap. */
static uintptr_t page_end(uintptr_t end)
{
	return (end + PAGE_MASK) & ~(uintptr_t)PAGE_MASK;
}

int brk_init(struct brk *brk, struct address_space *space, uintptr_t base, uintptr_t limit)
{
	if ((base & PAGE_MASK) || (limit & PAGE_MASK) || limit <= base)
		return -EINVAL;
	*brk = (struct brk){
		.base = base, .end = base, .limit = limit, .space = space, .owner = FRAME_HEAP
	};
	return 0;
}

int brk_init_on_touch(struct brk *brk, struct address_space *space, uintptr_t base, uintptr_t limit)
{
	int error = brk_init(brk, space, base, limit);

	if (!error) {
		brk->on_touch = true;
		brk->owner = FRAME_USER;
	}
	return error;
}

/* Pages are mapped and unmapped so many at a time, with their frames' numbers on the stack. */
#define BATCH 64U

static uint32_t batch(uintptr_t from, uintptr_t to)
{
	uint32_t pages = (uint32_t)((to - from) >> PAGE_SHIFT);

	return pages < BATCH ? pages : BATCH;
}

static bool map_batch(const struct brk *brk, uintptr_t virt, uint32_t n)
{
	uint32_t frames[BATCH], got = 0;

	while (got < n && (frames[got] = frame_alloc(0, brk->owner)))
		got++;
	if (got == n && !paging_map_span(brk->space, virt, frames, n, PAGE_WRITE)) {
		memset((void *)virt, 0, n << PAGE_SHIFT);
		return true;
	}
	while (got > 0)
		frame_free(frames[--got], 0);
	return false;
}

/* Before a panic: the pages below are mapped again, for the report to look at the heap there. */
static void put_back(const struct brk *brk, uintptr_t virt, const uint32_t *frames, uint32_t n)
{
	paging_map_span(brk->space, virt, frames, n, PAGE_WRITE);
}

static void unmap_batch(const struct brk *brk, uintptr_t virt, uint32_t n)
{
	uint32_t frames[BATCH];
	uint32_t got = paging_unmap_span(brk->space, virt, frames, n);

	if (got < n) {
		uintptr_t page = virt + (got << PAGE_SHIFT);

		put_back(brk, virt, frames, got);
		panic_at((void *)page, "break: page 0x%08lx should be mapped", (unsigned long)page);
	}
	while (n-- > 0) {
		enum frame_refusal refusal = frame_free(frames[n], 0);
		uintptr_t page = virt + (n << PAGE_SHIFT);

		if (refusal == FRAME_FREED)
			continue;
		put_back(brk, virt, frames, n);
		panic_at((void *)page, "break: page 0x%08lx has frame %u: %s", (unsigned long)page,
			 frames[n], frame_refusal_name(refusal));
	}
}

static void unmap_down(const struct brk *brk, uintptr_t from, uintptr_t to)
{
	while (from > to) {
		uint32_t n = batch(to, from);

		from -= n << PAGE_SHIFT;
		unmap_batch(brk, from, n);
	}
}

/* Bytes of one page, if it is there: they may have been written while they were above the break. */
static void clear_within_page(const struct brk *brk, uintptr_t from, uintptr_t to)
{
	uintptr_t page = from & ~(uintptr_t)PAGE_MASK;
	unsigned int prot;

	if (from >= to || !paging_translate(brk->space, page, NULL, &prot))
		return;
	paging_protect(brk->space, page, prot | PAGE_WRITE); /* the process may have forbidden it */
	memset((void *)from, 0, to - from);
	paging_protect(brk->space, page, prot);
}

/* `noinline` keeps it out of the way of the kernel's own break. */
static __attribute__((noinline)) int set_on_touch(struct brk *brk, uintptr_t end)
{
	uintptr_t mapped = page_end(brk->end), wanted = page_end(end);

	if (end > brk->end &&
	    (wanted - brk->base) >> PAGE_SHIFT > frame_count(FRAME_FREE) + frame_count(FRAME_USER))
		return -ENOMEM;
	clear_within_page(brk, brk->end, end < mapped ? end : mapped);
	paging_release(brk->space, wanted, mapped);
	brk->end = end;
	return 0;
}

static int set_at_once(struct brk *brk, uintptr_t end)
{
	uintptr_t mapped = page_end(brk->end), wanted = page_end(end);
	uint32_t n;

	for (uintptr_t virt = mapped; virt < wanted; virt += n << PAGE_SHIFT) {
		n = batch(virt, wanted);
		if (!map_batch(brk, virt, n)) {
			unmap_down(brk, virt, mapped);
			return -ENOMEM;
		}
	}
	unmap_down(brk, mapped, wanted);
	brk->end = end;
	return 0;
}

int brk_set(struct brk *brk, uintptr_t end)
{
	if (end < brk->base || end > brk->limit - PAGE_SIZE)
		return -EINVAL;
	return brk->on_touch ? set_on_touch(brk, end) : set_at_once(brk, end);
}

int brk_touch(struct brk *brk, uintptr_t address)
{
	if (address < brk->base || address >= page_end(brk->end))
		return -EFAULT;
	return paging_provide(brk->space, address & ~(uintptr_t)PAGE_MASK, brk->owner,
			      PAGE_WRITE | PAGE_USER);
}

void *brk_move(struct brk *brk, intptr_t increment)
{
	uintptr_t before = brk->end;
	uintptr_t after = before + (uintptr_t)increment;

	if (increment < 0 ? after > before : after < before)
		return BRK_FAILED;
	return brk_set(brk, after) ? BRK_FAILED : (void *)before;
}

int kbrk(void *end)
{
	unsigned long flags = irq_save();
	int error = brk_set(&kernel_brk, (uintptr_t)end);

	irq_restore(flags);
	return error;
}

void *ksbrk(intptr_t increment)
{
	unsigned long flags = irq_save();
	void *before = brk_move(&kernel_brk, increment);

	irq_restore(flags);
	return before;
}
