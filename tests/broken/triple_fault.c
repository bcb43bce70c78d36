/* SPDX-License-Identifier: MIT */
/* Faults where no handler can be found, which resets the machine. */
#include "tests/kernel/ktest.h"

KTEST(planted_triple_fault)
{
	struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) no_table = { 0, 0 };

	__asm__ volatile("lidt %0; int3" : : "m"(no_table));
}
