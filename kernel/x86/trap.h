/* SPDX-License-Identifier: MIT */
/* Exceptions and interrupts: descriptor tables, dispatch, and a way to survive a fault on purpose. */
#ifndef KERNEL_X86_TRAP_H
#define KERNEL_X86_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_TIMER	  0
#define IRQ_KEYBOARD	  1
#define TRAP_DOUBLE_FAULT 8
#define TRAP_PAGE_FAULT	  14

/* As boot's trap stubs push it; the last two are there from user mode only. */
struct trap_frame {
	uint32_t edi, esi, ebp, esp_kernel, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
};

/* Loads GDT, TSS (with a stack of its own for the double fault) and IDT, and remaps the PICs. */
void trap_init(void);

/* Tells the double fault's task which page directory holds from now on. */
void trap_use_page_directory(uint32_t cr3);

/* The exception's name in words, "unexpected interrupt" beyond 31. */
const char *trap_name(uint32_t vector);

/* Calls @handler for each interrupt on line @irq (0..15), and unmasks the line. */
void irq_set_handler(unsigned int irq, void (*handler)(void));

/**
 * trap_step() - look at a function from between its instructions
 * @fn: is run one instruction at a time
 * @arg: its argument
 * @look: called with the registers before each instruction but the first few
 *        that lead there; interrupts are off meanwhile, and whether they were on
 *        is in the flags of @frame. Is not itself looked at.
 *
 * Does not nest. Each instruction takes hundreds: for tests.
 */
void trap_step(void (*fn)(void *), void *arg, void (*look)(const struct trap_frame *frame));

/**
 * trap_catch() - run a function that is expected to fault
 * @fn: the function
 * @arg: its argument
 * @caught: receives the registers at the fault; may be NULL
 *
 * Does not nest. Interrupts are as they were when it returns.
 *
 * Return: true if @fn raised an exception, which also ended it.
 */
bool trap_catch(void (*fn)(void *), void *arg, struct trap_frame *caught);

#endif
