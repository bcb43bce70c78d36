/* SPDX-License-Identifier: MIT */
/* The floating-point unit: set up once, and its state moved when another process runs. */
#include "kernel/x86/fpu.h"
#include "kernel/x86/cpu.h"

#include <stdbool.h>
#include <string.h>

#define ALL_MASKED_X87 0x37F  /* no exceptions, 64 bits of precision */
#define ALL_MASKED_SSE 0x1F80 /* no exceptions */

_Static_assert(sizeof(struct fpu_state) == 512, "as fxsave writes it");

static bool usable;

void fpu_init(void)
{
	uint32_t features = cpu_features();

	usable = (features & CPU_FPU) && (features & CPU_FXSR);
	if (!usable) {
		write_cr0(read_cr0() | CR0_EM);
		return;
	}
	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	write_cr4(read_cr4() | CR4_OSFXSR | (features & CPU_SSE ? CR4_OSXMMEXCPT : 0));
}

void fpu_reset(struct fpu_state *state)
{
	memset(state, 0, sizeof(*state));
	state->control = ALL_MASKED_X87;
	state->mxcsr = ALL_MASKED_SSE;
}

void fpu_save(struct fpu_state *state)
{
	if (usable)
		__asm__ volatile("fxsave %0" : "=m"(*state));
}

void fpu_restore(const struct fpu_state *state)
{
	if (usable)
		__asm__ volatile("fxrstor %0" : : "m"(*state));
}
