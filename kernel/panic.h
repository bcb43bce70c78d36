/* SPDX-License-Identifier: MIT */
/* The one way to stop, and what it prints. */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

#include <stdbool.h>

struct trap_frame;

/**
 * panic() - say what is wrong and stop
 * @fmt: the fault in words, as for kprintf()
 *
 * Prints the message, a backtrace with function names and the report set by
 * panic_set_report(), on serial and screen, with interrupts off. Then leaves
 * with EXIT_PANIC if panic_leaves(true) was called, and stays otherwise. A
 * panic inside panic says so and prints nothing else.
 */
void __attribute__((noreturn, format(printf, 1, 2))) panic(const char *fmt, ...);

/**
 * panic_at() - panic over an address, which the report then looks at
 * @concern: in the page or block concerned
 * @fmt: as for panic()
 */
void __attribute__((noreturn, format(printf, 2, 3)))
panic_at(const void *concern, const char *fmt, ...);

/**
 * panic_trap() - panic for an exception, with its registers
 * @frame: where it happened; the backtrace starts there
 * @concern: the address that could not be used, NULL if it was none
 * @what: the fault in words
 */
void __attribute__((noreturn))
panic_trap(const struct trap_frame *frame, const void *concern, const char *what);

/* Have @report called once by panic, to print what stands on higher floors; NULL concerns none. */
void panic_set_report(void (*report)(const void *concern));

/* Whether panic ends the emulator (under test, in a demonstration) or stays for a person. */
void panic_leaves(bool leaves);

#define kassert(cond)                                                                              \
	do {                                                                                       \
		if (!(cond))                                                                       \
			panic("assertion failed: %s, %s:%d", #cond, __FILE__, __LINE__);           \
	} while (0)

#endif
