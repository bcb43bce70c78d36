/* SPDX-License-Identifier: MIT */
/* Exceptions and interrupts: descriptor tables, dispatch, and a way to survive a fault on purpose. */
#ifndef KERNEL_X86_TRAP_H
#define KERNEL_X86_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#define IRQ_TIMER	  0
#define IRQ_KEYBOARD	  1
#define IRQ_SERIAL	  4
#define TRAP_DOUBLE_FAULT 8
#define TRAP_PAGE_FAULT	  14
#define TRAP_SYSTEM_CALL  0x80

/* Bits of a page fault's error code. */
#define PAGE_FAULT_PRESENT 1U
#define PAGE_FAULT_WRITE   2U

/* As stubs.S pushes it; the last two are there from ring 3 only. */
struct trap_frame {
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, esp_kernel, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
	uint32_t esp, ss;
};

/* Whether it interrupted ring 3, not the kernel. */
static inline bool trap_from_user(const struct trap_frame *frame)
{
	return (frame->cs & 3) != 0;
}

/* Loads segments and IDT, with a stack of its own for the double fault, and remaps the PICs. */
void trap_init(void);

/**
 * trap_set_user_handler() - who deals with ring 3
 * @handler: is called, with interrupts off and on the kernel stack, for each
 *           exception there, for int 0x80, and for each interrupt that came
 *           there, after its own handler. When it returns, with interrupts off,
 *           ring 3 goes on with what is in the frame.
 *
 * A segment register that cannot be loaded as it stands in the frame is loaded
 * with 0, ss with SELECTOR_USER_DATA.
 */
void trap_set_user_handler(void (*handler)(struct trap_frame *frame));

/* Where a kernel stack begins to run that shall go to ring 3: with a whole frame on it. */
void trap_return(void);

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
