/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts.
 *
 * Those of the kernel come here on its own stack, those of ring 3 on the kernel
 * stack that the task state names. Save one: a double fault switches to a task,
 * and with it a stack, of its own, since its usual cause is a stack that has run
 * into its guard page.
 */
#include "kernel/x86/trap.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/segments.h"
#include "kernel/dev/console.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"

#include <printf.h>
#include <stddef.h>
#include <string.h>

#define VECTORS	      48 /* of exceptions and interrupts: those that have a stub each */
#define DEBUG	      1
#define NMI	      2
#define BREAKPOINT    3
#define OVERFLOW      4
#define MACHINE_CHECK 18
#define FIRST_IRQ     32

#define GATE_INTERRUPT 0x8E00
#define GATE_TASK      0x8500
#define GATE_FOR_USER  0x6000 /* ring 3 may use it by an instruction */

#define PIC1		 0x20
#define PIC2		 0xA0
#define PIC_END		 0x20
#define PIC_READ_SERVICE 0x0B

/* What trap_setjmp() keeps; stubs.S knows the offsets. */
struct trap_point {
	uint32_t ebx, esi, edi, ebp, esp, eip, eflags;
};

int __attribute__((returns_twice)) trap_setjmp(struct trap_point *point);
void __attribute__((noreturn)) trap_longjmp(struct trap_point *point);
void trap_dispatch(struct trap_frame *frame);

extern const uint32_t trap_stubs[VECTORS + 1]; /* the last for TRAP_SYSTEM_CALL */
extern char boot_stack_guard[], boot_stack[];
extern char trap_return_loaded[], trap_return_iret[];

static uint64_t idt[TRAP_SYSTEM_CALL + 1];

static void (*irq_handlers[16])(void);
static void (*user_handler)(struct trap_frame *frame);

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

/* The page below the boot stack, or below the kernel stack of the process that runs. */
static bool in_stack_guard(uintptr_t address)
{
	uintptr_t bottom = segments_kernel_stack() - KERNEL_STACK_SIZE;

	return (address >= (uintptr_t)boot_stack_guard && address < (uintptr_t)boot_stack) ||
	       (segments_kernel_stack() && address >= bottom - PAGE_SIZE && address < bottom);
}

static void describe_page_fault(char *what, size_t size, const struct trap_frame *frame,
				uintptr_t address)
{
	uint32_t error = frame->error;
	const char *doing = address == frame->eip      ? "executing"
			    : error & PAGE_FAULT_WRITE ? "writing"
						       : "reading";

	if (in_stack_guard(address))
		snprintf(what, size, "stack overflow: %s 0x%08lx in the guard page", doing,
			 (unsigned long)address);
	else if (address < 4096)
		snprintf(what, size, "page fault: %s 0x%08lx, a null pointer", doing,
			 (unsigned long)address);
	else
		snprintf(what, size, "page fault: %s 0x%08lx, %s", doing, (unsigned long)address,
			 error & PAGE_FAULT_PRESENT ? "which is protected" : "which is not mapped");
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

/*
 * On the way back to ring 3 a selector may be found to mean nothing any more: it
 * was loaded while the process had a segment of its own there, and then that was
 * taken away. The instruction that fails has changed nothing, so its operand is
 * still on the stack, where the exception's own frame ends.
 */
static bool mend_return(struct trap_frame *frame)
{
	uint32_t *stack = &frame->esp; /* as it was before: nothing else was pushed */
	uint32_t *selector = &stack[0], safe = 0;

	if (frame->eip == (uintptr_t)trap_return_iret) {
		selector = &stack[4]; /* ss, above eip, cs, eflags and esp */
		safe = SELECTOR_USER_DATA;
	} else if (frame->eip < (uintptr_t)trap_return ||
		   frame->eip >= (uintptr_t)trap_return_loaded) {
		return false;
	}
	if (*selector == safe)
		return false; /* that was not it */
	*selector = safe;
	return true;
}

static void kernel_exception(struct trap_frame *frame)
{
	if (frame->vector == DEBUG && step_look) {
		step_look(frame);
		return;
	}
	if (mend_return(frame))
		return;
	if (catching) {
		catching = false;
		if (catch_frame)
			memcpy(catch_frame, frame, offsetof(struct trap_frame, esp));
		trap_longjmp(&catch_point);
	}
	trap_fatal(frame);
}

void trap_dispatch(struct trap_frame *frame)
{
	bool from_user = trap_from_user(frame);

	if (frame->vector >= FIRST_IRQ && frame->vector < VECTORS)
		irq_dispatch(frame);
	else if (frame->vector == NMI || frame->vector == MACHINE_CHECK)
		trap_fatal(frame); /* of the machine, whoever it interrupted */
	else if (!from_user)
		kernel_exception(frame);
	if (from_user)
		user_handler(frame);
}

void trap_set_user_handler(void (*handler)(struct trap_frame *frame))
{
	user_handler = handler;
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
		.edi = main_task.edi,
		.esi = main_task.esi,
		.ebp = main_task.ebp,
		.esp_kernel = main_task.esp,
		.ebx = main_task.ebx,
		.edx = main_task.edx,
		.ecx = main_task.ecx,
		.eax = main_task.eax,
		.vector = TRAP_DOUBLE_FAULT,
		.error = 2, /* what failed was a push */
		.eip = main_task.eip,
		.cs = main_task.cs,
		.eflags = main_task.eflags,
	};
	char what[96] = "double fault";

	if (in_stack_guard(read_cr2()))
		describe_page_fault(what, sizeof(what), &frame, read_cr2());
	panic_trap(&frame, (const void *)read_cr2(), what);
}

static uint64_t gate(uint32_t selector, uint32_t offset, uint32_t type)
{
	return (uint64_t)(selector << 16 | (offset & 0xFFFF)) |
	       (uint64_t)((offset & 0xFFFF0000) | type) << 32;
}

static void load_idt(void)
{
	const struct table_pointer pointer = { sizeof(idt) - 1, (uint32_t)(uintptr_t)idt };

	for (unsigned int i = 0; i < VECTORS; i++)
		idt[i] = gate(SELECTOR_KERNEL_CODE, trap_stubs[i], GATE_INTERRUPT);
	idt[BREAKPOINT] |= (uint64_t)GATE_FOR_USER << 32;
	idt[OVERFLOW] |= (uint64_t)GATE_FOR_USER << 32;
	idt[TRAP_DOUBLE_FAULT] = gate(SELECTOR_FAULT_TASK, 0, GATE_TASK);
	idt[TRAP_SYSTEM_CALL] =
		gate(SELECTOR_KERNEL_CODE, trap_stubs[VECTORS], GATE_INTERRUPT | GATE_FOR_USER);
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

/* There are two more instructions that lead to the kernel, wherever the firmware has left them. */
static void close_other_gates(void)
{
	if (cpu_features() & CPU_SYSENTER)
		wrmsr(MSR_SYSENTER_CS, 0);
	if (cpu_extended_features() & CPU_SYSCALL)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(uint64_t)EFER_SYSCALL);
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
	segments_init(double_fault);
	load_idt();
	close_other_gates();
	remap_pics();
}
