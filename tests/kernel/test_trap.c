/* SPDX-License-Identifier: MIT */
/* Exceptions are caught and named, interrupts arrive. */
#include "kernel/dev/timer.h"
#include "kernel/x86/backtrace.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"

#include <string.h>

static void invalid_instruction(void *unused)
{
	(void)unused;
	__asm__ volatile("ud2");
}

static void divide(void *by)
{
	__asm__ volatile("divl (%0)" : : "r"(by), "a"(1), "d"(0) : "cc");
}

static void breakpoint(void *unused)
{
	(void)unused;
	__asm__ volatile("int3");
}

static void bad_selector(void *unused)
{
	(void)unused;
	__asm__ volatile("mov %0, %%fs" : : "r"(0x78));
}

static uint32_t vector_of(void (*fn)(void *), void *arg)
{
	struct trap_frame frame = { .vector = 99 };

	return trap_catch(fn, arg, &frame) ? frame.vector : 98;
}

KTEST(exceptions_have_the_vectors_and_names_of_the_manual)
{
	uint32_t zero = 0, one = 1;

	CHECK_EQ(vector_of(invalid_instruction, NULL), 6);
	CHECK_EQ(vector_of(divide, &zero), 0);
	CHECK_EQ(vector_of(divide, &one), 98);
	CHECK_EQ(vector_of(breakpoint, NULL), 3);
	CHECK_EQ(vector_of(bad_selector, NULL), 13);
	CHECK(strcmp(trap_name(6), "invalid instruction") == 0);
	CHECK(strcmp(trap_name(0), "division by zero") == 0);
	CHECK(strcmp(trap_name(13), "general protection fault") == 0);
	CHECK(strcmp(trap_name(47), "unexpected interrupt") == 0);
}

KTEST(registers_survive_a_caught_exception)
{
	uint32_t zero = 0;
	volatile uint32_t on_stack = 0x1234;

	for (unsigned int i = 0; i < 100; i++)
		CHECK_EQ(vector_of(divide, &zero), 0);
	CHECK_EQ(on_stack, 0x1234);
}

KTEST(timer_ticks_while_interrupts_are_on)
{
	uint32_t from = timer_ticks();

	while (timer_ticks() - from < 3)
		cpu_idle();
	CHECK(timer_ticks() - from >= 3);
}

/* int looks like a request that went away: the controller knows nothing of it. */
KTEST(spurious_interrupts_are_passed_over)
{
	uint32_t from = timer_ticks();

	__asm__ volatile("int $39");
	__asm__ volatile("int $47");
	while (timer_ticks() == from)
		cpu_idle();
	CHECK(timer_ticks() > from);
}

KTEST(interrupts_saved_off_stay_off_until_restored)
{
	unsigned long outer = irq_save();
	unsigned long inner = irq_save();

	CHECK(outer & EFLAGS_IF);
	CHECK(!(inner & EFLAGS_IF));
	irq_restore(inner);
	inner = irq_save();
	CHECK(!(inner & EFLAGS_IF));
	irq_restore(outer);
	inner = irq_save();
	irq_restore(inner);
	CHECK(inner & EFLAGS_IF);
}

KTEST(function_names_are_found_by_address)
{
	uint32_t offset;
	uintptr_t address = (uintptr_t)timer_ticks;

	CHECK(strcmp(symbol_name(address, &offset), "timer_ticks") == 0);
	CHECK_EQ(offset, 0);
	CHECK(strcmp(symbol_name(address + 1, &offset), "timer_ticks") == 0);
	CHECK_EQ(offset, 1);
	CHECK(strcmp(symbol_name(0, &offset), "?") == 0);
	CHECK(strcmp(symbol_name((uintptr_t)&offset, &offset), "?") == 0);
}
