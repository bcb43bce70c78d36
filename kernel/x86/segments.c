/* SPDX-License-Identifier: MIT */
/*
 * Segments are flat, so that paging alone protects. The task states are there
 * for two things: where the stack is when ring 3 is left, and a stack of its
 * own for the double fault. Neither allows ring 3 any port.
 */
#include "kernel/x86/segments.h"
#include "kernel/x86/cpu.h"

#define ENTRIES 8

#define ACCESS_KERNEL_CODE 0x9A
#define ACCESS_KERNEL_DATA 0x92
#define ACCESS_USER_CODE   0xFA
#define ACCESS_USER_DATA   0xF2
#define ACCESS_USER_CONST  0xF0
#define ACCESS_TASK	   0x89

#define FLAG_32_BIT 0x4
#define FLAG_PAGES  0x8 /* the limit is counted in pages */
#define FLAT	    0xFFFFF

extern char fault_stack_top[];

struct task_state main_task;

static struct task_state fault_task;
static uint64_t gdt[ENTRIES];

static uint64_t descriptor(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	return (uint64_t)(limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 |
	       (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 0xF) << 48 |
	       (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static uint64_t flat(uint8_t access)
{
	return descriptor(0, FLAT, access, FLAG_PAGES | FLAG_32_BIT);
}

static uint64_t task(const struct task_state *state)
{
	return descriptor((uint32_t)(uintptr_t)state, sizeof(*state) - 1, ACCESS_TASK, 0);
}

static void load_gdt(void)
{
	const struct table_pointer pointer = { sizeof(gdt) - 1, (uint32_t)(uintptr_t)gdt };

	gdt[SELECTOR_KERNEL_CODE / 8] = flat(ACCESS_KERNEL_CODE);
	gdt[SELECTOR_KERNEL_DATA / 8] = flat(ACCESS_KERNEL_DATA);
	gdt[SELECTOR_TASK / 8] = task(&main_task);
	gdt[SELECTOR_USER_CODE / 8] = flat(ACCESS_USER_CODE);
	gdt[SELECTOR_USER_DATA / 8] = flat(ACCESS_USER_DATA);
	gdt[SELECTOR_FAULT_TASK / 8] = task(&fault_task);
	__asm__ volatile("lgdt %0\n\t"
			 "ljmp %1, $1f\n"
			 "1:\n\t"
			 "mov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 "mov %2, %%ss\n\t"
			 "ltr %w3\n\t"
			 "lldt %w4"
			 :
			 : "m"(pointer), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA),
			   "r"(SELECTOR_TASK), "r"(0)
			 : "memory");
}

void segments_init(void (*double_fault)(void))
{
	main_task.iomap = fault_task.iomap = sizeof(struct task_state);
	main_task.ss0 = SELECTOR_KERNEL_DATA;
	fault_task.cr3 = (uint32_t)read_cr3();
	fault_task.eip = (uint32_t)(uintptr_t)double_fault;
	fault_task.eflags = 2;
	fault_task.esp = (uint32_t)(uintptr_t)fault_stack_top - sizeof(uint32_t);
	fault_task.cs = SELECTOR_KERNEL_CODE;
	fault_task.ss = fault_task.ds = fault_task.es = SELECTOR_KERNEL_DATA;
	fault_task.fs = fault_task.gs = SELECTOR_KERNEL_DATA;
	load_gdt();
}

void segments_use_page_directory(uint32_t cr3)
{
	fault_task.cr3 = cr3;
}

void segments_use_kernel_stack(uintptr_t top)
{
	main_task.esp0 = (uint32_t)top;
}

uintptr_t segments_kernel_stack(void)
{
	return main_task.esp0;
}

uint64_t segment_for_user(uint32_t base, uint32_t limit, bool pages, bool writable)
{
	return descriptor(base, limit, writable ? ACCESS_USER_DATA : ACCESS_USER_CONST,
			  (uint8_t)(FLAG_32_BIT | (pages ? FLAG_PAGES : 0)));
}

void segments_set_tls(uint64_t value)
{
	gdt[SEGMENT_TLS_ENTRY] = value;
}
