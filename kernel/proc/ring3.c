/* SPDX-License-Identifier: MIT */
/*
 * Exceptions in ring 3: a page fault may be a page's first touch; anything else
 * is the end of the process, and of nobody else.
 */
#include "kernel/proc/ring3.h"
#include "kernel/mm/layout.h"
#include "kernel/proc/process.h"
#include "kernel/proc/syscall.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#include <errno.h>
#include <printf.h>

#define FIRST_IRQ      32
#define NULL_END       USER_BASE /* addresses below are taken for null pointers */
#define STATUS_SIGNAL  128
#define SIGNAL_ILLEGAL 4
#define SIGNAL_TRAP    5
#define SIGNAL_BUS     7
#define SIGNAL_FLOAT   8
#define SIGNAL_SEGMENT 11

/* What Linux sends for an exception. */
static int signal_of(uint32_t vector)
{
	switch (vector) {
	case 0:	 /* division by zero */
	case 16: /* floating-point error */
	case 19: /* SIMD floating-point error */
		return SIGNAL_FLOAT;
	case 1: /* debug exception */
	case 3: /* breakpoint */
		return SIGNAL_TRAP;
	case 6: /* invalid instruction */
	case 7: /* no floating-point unit */
		return SIGNAL_ILLEGAL;
	case 11: /* segment not present */
	case 12: /* stack segment fault */
	case 17: /* alignment check */
		return SIGNAL_BUS;
	default:
		return SIGNAL_SEGMENT;
	}
}

static void __attribute__((noreturn)) end_by_fault(struct process_end *end)
{
	end->fate = PROCESS_FAULTED;
	end->status = STATUS_SIGNAL + signal_of(end->vector);
	process_exit(end);
}

static void __attribute__((noreturn)) exception(const struct trap_frame *frame)
{
	struct process_end end = { .vector = frame->vector, .eip = frame->eip };

	snprintf(end.reason, sizeof(end.reason), "%s, error code 0x%x, at eip 0x%08x",
		 trap_name(frame->vector), frame->error, frame->eip);
	end_by_fault(&end);
}

/* In the page below the stack, while nothing else is there. */
static bool in_guard(const struct process *process, uintptr_t address)
{
	return address >= USER_MAP_END && address < USER_STACK_BASE &&
	       !area_any(&process->memory.areas, USER_MAP_END, USER_STACK_BASE);
}

static const char *where(const struct process *process, uintptr_t address, bool present)
{
	if (address < NULL_END)
		return "a null pointer";
	if (address >= USER_END)
		return "which is the kernel's";
	if (in_guard(process, address))
		return "the guard below the stack";
	return present || memory_allows(&process->memory, address, 1, false)
		       ? "which is protected"
		       : "which is not mapped";
}

static void __attribute__((noreturn))
bad_address(const struct process *process, const struct trap_frame *frame, uintptr_t address)
{
	struct process_end end = { .vector = frame->vector, .address = address, .eip = frame->eip };
	const char *doing = address == frame->eip	      ? "executing"
			    : frame->error & PAGE_FAULT_WRITE ? "writing"
							      : "reading";

	snprintf(end.reason, sizeof(end.reason), "%s: %s 0x%08lx, %s, at eip 0x%08x",
		 in_guard(process, address) ? "stack overflow" : "page fault", doing,
		 (unsigned long)address, where(process, address, frame->error & PAGE_FAULT_PRESENT),
		 frame->eip);
	end_by_fault(&end);
}

static void page_fault(struct process *process, const struct trap_frame *frame, uintptr_t address)
{
	int error = -EFAULT;

	if (!(frame->error & PAGE_FAULT_PRESENT))
		error = memory_touch(&process->memory, address, frame->error & PAGE_FAULT_WRITE);
	if (error == -ENOMEM)
		syscall_out_of_memory(frame, address);
	if (error)
		bad_address(process, frame, address);
}

static void from_ring3(struct trap_frame *frame)
{
	uintptr_t address = read_cr2(); /* before another fault can come */
	struct process *process = process_current();

	irq_enable();
	if (frame->vector == TRAP_SYSTEM_CALL)
		syscall_dispatch(process, frame);
	else if (frame->vector == TRAP_PAGE_FAULT)
		page_fault(process, frame, address);
	else if (frame->vector < FIRST_IRQ)
		exception(frame);
	process_pause();
	irq_disable();
}

void ring3_init(void)
{
	trap_set_user_handler(from_ring3);
}
