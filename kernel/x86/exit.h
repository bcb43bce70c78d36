/* SPDX-License-Identifier: MIT */
/*
 * Leaving the machine: QEMU's isa-debug-exit device at port 0xf4 ends the
 * emulator with status (code << 1) | 1. No code yields QEMU's own 0 or 1.
 */
#ifndef KERNEL_X86_EXIT_H
#define KERNEL_X86_EXIT_H

enum exit_code {
	EXIT_PASS = 0x10,    /* status 33 */
	EXIT_FAIL = 0x11,    /* 35: a test failed */
	EXIT_PANIC = 0x12,   /* 37 */
	EXIT_REFUSED = 0x13, /* 39: this machine or loader will not do */
	EXIT_HANG = 0x14,    /* 41: a test exceeded its ticks */
};

/**
 * machine_exit() - end the emulator, or halt where there is none
 * @code: what the debug-exit device is given
 *
 * On a machine without the device the processor stops with interrupts off.
 */
void __attribute__((noreturn)) machine_exit(enum exit_code code);

/* Stop here for good, with what is on the screen staying there. */
void __attribute__((noreturn)) machine_halt(void);

#endif
