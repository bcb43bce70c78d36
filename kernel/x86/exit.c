/* SPDX-License-Identifier: MIT */
/* Leaving the machine, or stopping in it. */
#include "kernel/x86/exit.h"
#include "kernel/x86/cpu.h"

#define DEBUG_EXIT_PORT 0xf4

void machine_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void machine_exit(enum exit_code code)
{
	irq_disable();
	outl(DEBUG_EXIT_PORT, code);
	machine_halt();
}
