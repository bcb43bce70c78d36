/* SPDX-License-Identifier: MIT */
/*
 * The floating-point unit and SSE: for ring 3 alone. The kernel is compiled to
 * use neither, so their registers stay the process's until another one runs.
 */
#ifndef KERNEL_X86_FPU_H
#define KERNEL_X86_FPU_H

#include <stdint.h>

/* As fxsave writes it. */
struct fpu_state {
	uint16_t control, status;
	uint8_t tags, reserved;
	uint16_t opcode;
	uint32_t instruction[2], operand[2];
	uint32_t mxcsr, mxcsr_mask;
	uint8_t registers[480];
} __attribute__((aligned(16)));

/*
 * Lets ring 3 use what there is. On a processor without fxsave that is nothing:
 * a program's first floating-point instruction then is an exception.
 */
void fpu_init(void);

/* The state that a program starts with: that of fninit, every register 0. */
void fpu_reset(struct fpu_state *state);

/* Between the registers and memory. Nothing where fpu_init() allows nothing. */
void fpu_save(struct fpu_state *state);
void fpu_restore(const struct fpu_state *state);

#endif
