/* SPDX-License-Identifier: MIT */
/*
 * The one way to stop.
 *
 * A person must be able to read it, so what matters most comes first: the
 * fault in words, registers, who called, and what the floors above have to
 * say (the ledger), which may itself fault and therefore comes last.
 */
#include "kernel/panic.h"
#include "kernel/dev/console.h"
#include "kernel/x86/backtrace.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exit.h"
#include "kernel/x86/trap.h"

#include <printf.h>
#include <stddef.h>

static void (*report)(const void *concern);
static bool leaves;
static bool panicking;
static const char *said; /* the fault in words */

void panic_set_report(void (*function)(const void *concern))
{
	report = function;
}

void panic_leaves(bool value)
{
	leaves = value;
}

static void __attribute__((noreturn)) stop(void)
{
	if (leaves)
		machine_exit(EXIT_PANIC);
	machine_halt();
}

static void begin(const char *what)
{
	irq_disable();
	if (panicking) {
		kprintf("panic inside panic: %s\n", what);
		stop();
	}
	panicking = true;
	said = what;
	kprintf("\npanic: %s\n", what);
}

static void __attribute__((noreturn)) finish(const void *concern)
{
	if (report)
		report(concern);
	/* Once more: on a screen the first line may be gone by now. */
	kprintf("stopped: %s\n", said);
	stop();
}

/* From the kernel the processor pushed eip, cs and eflags; above them is the stack as it was. */
static uint32_t stack_pointer(const struct trap_frame *frame)
{
	if (frame->vector == TRAP_DOUBLE_FAULT)
		return frame->esp_kernel;
	return trap_from_user(frame) ? frame->esp : (uint32_t)(uintptr_t)&frame->esp;
}

static void print_registers(const struct trap_frame *frame)
{
	kprintf("eax %08x  ebx %08x  ecx %08x  edx %08x\n", frame->eax, frame->ebx, frame->ecx,
		frame->edx);
	kprintf("esi %08x  edi %08x  ebp %08x  esp %08x\n", frame->esi, frame->edi, frame->ebp,
		stack_pointer(frame));
	kprintf("eip %08x  eflags %08x  cr2 %08lx  cr3 %08lx\n", frame->eip, frame->eflags,
		read_cr2(), read_cr3());
}

void panic_trap(const struct trap_frame *frame, const void *concern, const char *what)
{
	begin(what);
	print_registers(frame);
	backtrace_print_fault(frame->eip, frame->ebp, stack_pointer(frame));
	finish(concern);
}

static char sentence[256];

static void __attribute__((noreturn))
say_and_stop(const void *concern, uintptr_t eip, uintptr_t ebp)
{
	begin(sentence);
	backtrace_print(eip, ebp);
	finish(concern);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	say_and_stop(NULL, (uintptr_t)__builtin_return_address(0),
		     *(const uintptr_t *)__builtin_frame_address(0));
}

void panic_at(const void *concern, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	say_and_stop(concern, (uintptr_t)__builtin_return_address(0),
		     *(const uintptr_t *)__builtin_frame_address(0));
}
