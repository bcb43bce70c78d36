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
	*brk = (struct brk){ .base = base, .end = base, .limit = limit, .space = space };
	return 0;
}

static bool map_page(const struct brk *brk, uintptr_t virt)
{
	uint32_t frame = frame_alloc(0, FRAME_HEAP);

	if (!frame)
		return false;
	if (paging_map(brk->space, virt, frame, PAGE_WRITE)) {
		frame_free(frame, 0);
		return false;
	}
	memset((void *)virt, 0, PAGE_SIZE);
	return true;
}

static void unmap_page(const struct brk *brk, uintptr_t virt)
{
	enum frame_refusal refusal;
	uint32_t frame;

	if (paging_unmap(brk->space, virt, &frame))
		panic_at((void *)virt, "break: page 0x%08lx should be mapped", (unsigned long)virt);
	refusal = frame_free(frame, 0);
	if (refusal != FRAME_FREED)
		panic_at((void *)virt, "break: page 0x%08lx has frame %u: %s", (unsigned long)virt,
			 frame, frame_refusal_name(refusal));
}

static void unmap_down(const struct brk *brk, uintptr_t from, uintptr_t to)
{
	while (from > to) {
		from -= PAGE_SIZE;
		unmap_page(brk, from);
	}
}

int brk_set(struct brk *brk, uintptr_t end)
{
	uintptr_t mapped = page_end(brk->end), wanted;

	if (end < brk->base || end > brk->limit - PAGE_SIZE)
		return -EINVAL;
	wanted = page_end(end);
	for (uintptr_t virt = mapped; virt < wanted; virt += PAGE_SIZE) {
		if (!map_page(brk, virt)) {
			unmap_down(brk, virt, mapped);
			return -ENOMEM;
		}
	}
	unmap_down(brk, mapped, wanted);
	brk->end = end;
	return 0;
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
