/* SPDX-License-Identifier: MIT */
/*
 * The backtrace.
 *
 * The code is compiled with frame pointers: at ebp lies the caller's ebp, and
 * the return address above it. The names come from a table that tools/ksyms
 * makes of the linked image: addresses ascending, and for each the offset of
 * its name in one string of names.
 */
#include "kernel/x86/backtrace.h"
#include "kernel/dev/console.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/segments.h"

#include <stdbool.h>
#include <stddef.h>

struct symbol {
	uint32_t address;
	uint32_t name;
};

extern const struct symbol ksyms[];
extern const uint32_t ksyms_count;
extern const char ksyms_names[];
extern const char __text_start[], __text_end[];
extern const char boot_stack[], boot_stack_top[];

static bool in_text(uintptr_t address)
{
	return address >= (uintptr_t)__text_start && address < (uintptr_t)__text_end;
}

const char *symbol_name(uintptr_t address, uint32_t *offset)
{
	uint32_t low = 0, high = ksyms_count;

	*offset = 0;
	if (!in_text(address))
		return "?";
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (ksyms[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return "?";
	*offset = (uint32_t)address - ksyms[low - 1].address;
	return ksyms_names + ksyms[low - 1].name;
}

static bool between(uintptr_t ebp, uintptr_t bottom, uintptr_t top)
{
	return ebp >= bottom && ebp <= top - 2 * sizeof(uintptr_t) && ebp % sizeof(uintptr_t) == 0;
}

/* The boot stack, or the kernel stack of the process that runs. */
static bool on_stack(uintptr_t ebp)
{
	uintptr_t top = segments_kernel_stack();

	return between(ebp, (uintptr_t)boot_stack, (uintptr_t)boot_stack_top) ||
	       (top && between(ebp, top - KERNEL_STACK_SIZE, top));
}

/*
 * A return address may lie behind the end of the function that called, if the
 * callee does not return: @back is 1 for those, and 0 for an address that is one.
 */
static void print_line(uintptr_t address, uint32_t back)
{
	uint32_t offset;
	const char *name = symbol_name(address - back, &offset);

	if (in_text(address))
		kprintf("  0x%08lx  %s+0x%x\n", (unsigned long)address, name, offset + back);
	else
		kprintf("  0x%08lx  not kernel text\n", (unsigned long)address);
}

/* The callers' lines, by the chain of frame pointers. */
static void print_callers(uintptr_t ebp)
{
	for (unsigned int i = 0; i < BACKTRACE_MAX && on_stack(ebp); i++) {
		const uintptr_t *frame = (const uintptr_t *)ebp;

		print_line(frame[1], 1);
		if (frame[0] <= ebp)
			return;
		ebp = frame[0];
	}
}

void backtrace_print(uintptr_t eip, uintptr_t ebp)
{
	kprintf("backtrace, innermost first:\n");
	print_line(eip, 1);
	print_callers(ebp);
}

void backtrace_print_fault(uintptr_t eip, uintptr_t ebp, uintptr_t esp)
{
	kprintf("backtrace, innermost first:\n");
	print_line(eip, 0);
	if (!in_text(eip) && on_stack(esp) && in_text(*(const uintptr_t *)esp))
		print_line(*(const uintptr_t *)esp, 1);
	print_callers(ebp);
}
