/* SPDX-License-Identifier: MIT */
/* Never returns, with interrupts on, so that the kernel itself can notice: soon, in this one. */
#include "tests/kernel/ktest_select.h"

#define TICKS_UNTIL_HUNG 50

uint32_t __wrap_ktest_budget(void);

uint32_t __wrap_ktest_budget(void)
{
	return TICKS_UNTIL_HUNG;
}

KTEST(planted_hang)
{
	for (;;)
		__asm__ volatile("pause");
}
