/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables, exceptions and interrupts.
 *
 * Segments are flat. All exceptions come here on the stack of whoever caused
 * them, save one: a double fault switches to a task, and with it a stack, of
 * its own, since its usual cause is a stack that has run into its guard page.
 */
#include "kernel/x86/trap.h"
#include "kernel/x86/cpu.h"
#include "kernel/dev/console.h"
#include "kernel/panic.h"

#include <printf.h>
#include <stddef.h>
#include <string.h>

#define VECTORS	  48
#define DEBUG	  1
#define FIRST_IRQ 32

#define SELECTOR_CODE	   0x08
#define SELECTOR_DATA	   0x10
#define SELECTOR_TSS	   0x18
#define SELECTOR_FAULT_TSS 0x20

#define GATE_INTERRUPT 0x8E00
#define GATE_TASK      0x8500

#define PIC1		 0x20
#define PIC2		 0xA0
#define PIC_END		 0x20
#define PIC_READ_SERVICE 0x0B

struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
	uint32_t eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
};

struct table_pointer {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

/* What trap_setjmp() keeps; stubs.S knows the offsets. */
struct trap_point {
	uint32_t ebx, esi, edi, ebp, esp, eip, eflags;
};

int __attribute__((returns_twice)) trap_setjmp(struct trap_point *point);
void __attribute__((noreturn)) trap_longjmp(struct trap_point *point);
void trap_dispatch(struct trap_frame *frame);

extern const uint32_t trap_stubs[VECTORS];
extern char boot_stack_guard[], boot_stack[], fault_stack_top[];

static uint64_t gdt[5];
static uint64_t idt[VECTORS];
static struct tss main_tss, fault_tss;

static void (*irq_handlers[16])(void);

static struct trap_point catch_point;
static struct trap_frame *catch_frame;
static bool catching;

static void (*step_look)(const struct trap_frame *frame);

static const char *const names[] = {
	[0] = "division by zero",
	[1] = "debug exception",
	[2] = "non-maskable interrupt",
	[3] = "breakpoint",
	[4] = "overflow",
	[5] = "bound range exceeded",
	[6] = "invalid instruction",
	[7] = "no floating-point unit",
	[8] = "double fault",
	[9] = "coprocessor segment overrun",
	[10] = "invalid task state segment",
	[11] = "segment not present",
	[12] = "stack segment fault",
	[13] = "general protection fault",
	[14] = "page fault",
	[16] = "floating-point error",
	[17] = "alignment check",
	[18] = "machine check",
	[19] = "SIMD floating-point error",
	[20] = "virtualization exception",
	[21] = "control protection exception",
};

const char *trap_name(uint32_t vector)
{
	if (vector >= sizeof(names) / sizeof(names[0]) || !names[vector])
		return vector < FIRST_IRQ ? "reserved exception" : "unexpected interrupt";
	return names[vector];
}

static bool in_stack_guard(uintptr_t address)
{
	return address >= (uintptr_t)boot_stack_guard && address < (uintptr_t)boot_stack;
}

static void describe_page_fault(char *what, size_t size, const struct trap_frame *frame,
				uintptr_t address)
{
	uint32_t error = frame->error;
	const char *doing = address == frame->eip ? "executing" : error & 2 ? "writing" : "reading";

	if (in_stack_guard(address))
		snprintf(what, size, "stack overflow: %s 0x%08lx in the guard page", doing,
			 (unsigned long)address);
	else if (address < 4096)
		snprintf(what, size, "page fault: %s 0x%08lx, a null pointer", doing,
			 (unsigned long)address);
	else
		snprintf(what, size, "page fault: %s 0x%08lx, %s", doing, (unsigned long)address,
			 error & 1 ? "which is protected" : "which is not mapped");
}

static void __attribute__((noreturn)) trap_fatal(const struct trap_frame *frame)
{
	uintptr_t address = frame->vector == TRAP_PAGE_FAULT ? read_cr2() : 0;
	char what[96];

	if (frame->vector == TRAP_PAGE_FAULT)
		describe_page_fault(what, sizeof(what), frame, address);
	else if (frame->error)
		snprintf(what, sizeof(what), "%s, error code 0x%x", trap_name(frame->vector),
			 frame->error);
	else
		snprintf(what, sizeof(what), "%s, vector %u", trap_name(frame->vector),
			 frame->vector);
	panic_trap(frame, (const void *)address, what);
}

/*
 * A request that goes away before it is served still interrupts, as the last
 * line of its controller, but is not marked there as being in service.
 */
static bool is_spurious(unsigned int irq)
{
	uint16_t controller = irq < 8 ? PIC1 : PIC2;

	if (irq % 8 != 7)
		return false;
	outb(controller, PIC_READ_SERVICE);
	return !(inb(controller) & 0x80);
}

/* Acknowledged before the handler runs: it may take long, and may be the last to run. */
static void irq_dispatch(const struct trap_frame *frame)
{
	unsigned int irq = frame->vector - FIRST_IRQ;
	bool spurious = is_spurious(irq);

	if (!spurious && !irq_handlers[irq])
		trap_fatal(frame);
	if (irq >= 8 && !spurious)
		outb(PIC2, PIC_END);
	if (irq >= 8 || !spurious)
		outb(PIC1, PIC_END);
	if (!spurious)
		irq_handlers[irq]();
}

void trap_dispatch(struct trap_frame *frame)
{
	if (frame->vector >= FIRST_IRQ) {
		irq_dispatch(frame);
		return;
	}
	if (frame->vector == DEBUG && step_look) {
		step_look(frame);
		return;
	}
	if (catching) {
		catching = false;
		if (catch_frame)
			*catch_frame = *frame;
		trap_longjmp(&catch_point);
	}
	trap_fatal(frame);
}

/* The processor traps after each instruction while this flag is set. */
static void set_trap_flag(bool on)
{
	if (on)
		__asm__ volatile("pushf; orl %0, (%%esp); popf"
				 :
				 : "i"(EFLAGS_TF)
				 : "memory", "cc");
	else
		__asm__ volatile("pushf; andl %0, (%%esp); popf"
				 :
				 : "i"(~EFLAGS_TF)
				 : "memory", "cc");
}

void trap_step(void (*fn)(void *), void *arg, void (*look)(const struct trap_frame *frame))
{
	kassert(!step_look);
	step_look = look;
	set_trap_flag(true);
	fn(arg);
	set_trap_flag(false);
	step_look = NULL;
}

bool trap_catch(void (*fn)(void *), void *arg, struct trap_frame *caught)
{
	kassert(!catching);
	catch_frame = caught;
	if (trap_setjmp(&catch_point))
		return true;
	catching = true;
	fn(arg);
	catching = false;
	return false;
}

/* Runs as a task of its own; the registers at the fault are in the main task's segment. */
static void __attribute__((noreturn)) double_fault(void)
{
	const struct trap_frame frame = {
		.edi = main_tss.edi,
		.esi = main_tss.esi,
		.ebp = main_tss.ebp,
		.esp_kernel = main_tss.esp,
		.ebx = main_tss.ebx,
		.edx = main_tss.edx,
		.ecx = main_tss.ecx,
		.eax = main_tss.eax,
		.vector = TRAP_DOUBLE_FAULT,
		.error = 2, /* what failed was a push */
		.eip = main_tss.eip,
		.cs = main_tss.cs,
		.eflags = main_tss.eflags,
	};
	char what[96] = "double fault";

	if (in_stack_guard(read_cr2()))
		describe_page_fault(what, sizeof(what), &frame, read_cr2());
	panic_trap(&frame, (const void *)read_cr2(), what);
}

static uint64_t segment(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	return (uint64_t)(limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 |
	       (uint64_t)access << 40 | (uint64_t)(limit >> 16) << 48 | (uint64_t)flags << 52 |
	       (uint64_t)(base >> 24) << 56;
}

static uint64_t gate(uint32_t selector, uint32_t offset, uint32_t type)
{
	return (uint64_t)(selector << 16 | (offset & 0xFFFF)) |
	       (uint64_t)((offset & 0xFFFF0000) | type) << 32;
}

static void load_gdt(void)
{
	const struct table_pointer pointer = { sizeof(gdt) - 1, (uint32_t)(uintptr_t)gdt };

	gdt[1] = segment(0, 0xFFFFF, 0x9A, 0xC);
	gdt[2] = segment(0, 0xFFFFF, 0x92, 0xC);
	gdt[3] = segment((uint32_t)(uintptr_t)&main_tss, sizeof(main_tss) - 1, 0x89, 0);
	gdt[4] = segment((uint32_t)(uintptr_t)&fault_tss, sizeof(fault_tss) - 1, 0x89, 0);
	__asm__ volatile("lgdt %0\n\t"
			 "ljmp %1, $1f\n"
			 "1:\n\t"
			 "mov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 "mov %2, %%ss\n\t"
			 "ltr %w3"
			 :
			 : "m"(pointer), "i"(SELECTOR_CODE), "r"(SELECTOR_DATA), "r"(SELECTOR_TSS)
			 : "memory");
}

static void prepare_fault_task(void)
{
	main_tss.iomap = fault_tss.iomap = sizeof(struct tss);
	fault_tss.cr3 = (uint32_t)read_cr3();
	fault_tss.eip = (uint32_t)(uintptr_t)double_fault;
	fault_tss.eflags = 2;
	fault_tss.esp = (uint32_t)(uintptr_t)fault_stack_top - sizeof(uint32_t);
	fault_tss.cs = SELECTOR_CODE;
	fault_tss.ss = fault_tss.ds = fault_tss.es = SELECTOR_DATA;
	fault_tss.fs = fault_tss.gs = SELECTOR_DATA;
}

void trap_use_page_directory(uint32_t cr3)
{
	fault_tss.cr3 = cr3;
}

static void load_idt(void)
{
	const struct table_pointer pointer = { sizeof(idt) - 1, (uint32_t)(uintptr_t)idt };

	for (unsigned int i = 0; i < VECTORS; i++)
		idt[i] = gate(SELECTOR_CODE, trap_stubs[i], GATE_INTERRUPT);
	idt[TRAP_DOUBLE_FAULT] = gate(SELECTOR_FAULT_TSS, 0, GATE_TASK);
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* The controllers' vectors collide with exceptions until they are moved to 32..47. */
static void remap_pics(void)
{
	static const uint8_t words[][2] = {
		{ 0x11, 0x11 }, { FIRST_IRQ, FIRST_IRQ + 8 }, { 4, 2 }, { 1, 1 }
	};

	outb(PIC1, words[0][0]);
	outb(PIC2, words[0][1]);
	for (unsigned int i = 1; i < 4; i++) {
		outb(PIC1 + 1, words[i][0]);
		outb(PIC2 + 1, words[i][1]);
	}
	outb(PIC1 + 1, 0xFB); /* all masked but the line of the second controller */
	outb(PIC2 + 1, 0xFF);
}

void irq_set_handler(unsigned int irq, void (*handler)(void))
{
	uint16_t port = irq < 8 ? PIC1 + 1 : PIC2 + 1;

	kassert(irq < 16);
	irq_handlers[irq] = handler;
	outb(port, inb(port) & (uint8_t) ~(1U << (irq & 7)));
}

void trap_init(void)
{
	prepare_fault_task();
	load_gdt();
	load_idt();
	remap_pics();
}
