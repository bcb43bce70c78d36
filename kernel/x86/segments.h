/* SPDX-License-Identifier: MIT */
/*
 * Segments: flat ones for the kernel and for ring 3, one that each process has
 * for itself, and the task states. stubs.S includes this for the selectors.
 */
#ifndef KERNEL_X86_SEGMENTS_H
#define KERNEL_X86_SEGMENTS_H

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_TASK	     0x18
#define SELECTOR_USER_CODE   0x23 /* these two as in Linux for 32-bit programs */
#define SELECTOR_USER_DATA   0x2B
#define SELECTOR_USER_TLS    0x33 /* as in Linux on i386: entry 6, the first of its three */
#define SELECTOR_FAULT_TASK  0x38

#define SEGMENT_TLS_ENTRY 6

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

struct task_state {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
	uint32_t eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
};

/* The only task but the double fault's; has the registers of whoever that has interrupted. */
extern struct task_state main_task;

/**
 * segments_init() - load GDT and task register, and no LDT
 * @double_fault: what the double fault's task runs
 */
void segments_init(void (*double_fault)(void));

/* Tells the double fault's task which page directory holds from now on. */
void segments_use_page_directory(uint32_t cr3);

/**
 * segments_use_kernel_stack() - where the processor goes on when it leaves ring 3
 * @top: the end of a stack of KERNEL_STACK_SIZE bytes with an unmapped page
 *       below, 0 for none: then nothing may run in ring 3
 */
void segments_use_kernel_stack(uintptr_t top);

/* The @top of the last segments_use_kernel_stack(). */
uintptr_t segments_kernel_stack(void);

/**
 * segment_for_user() - a descriptor of a data segment that ring 3 may load
 * @base: where it begins
 * @limit: the last byte's offset; counted in pages with @pages
 *
 * What lies in it is protected by paging, like everything, so any of them is safe.
 */
uint64_t segment_for_user(uint32_t base, uint32_t limit, bool pages, bool writable);

/* Makes @descriptor that of SELECTOR_USER_TLS; with 0 there is none. */
void segments_set_tls(uint64_t descriptor);

#endif
#endif
