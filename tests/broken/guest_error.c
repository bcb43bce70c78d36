/* SPDX-License-Identifier: MIT */
/*
 * Writes where there is no RAM: dropped without a fault, so that only QEMU
 * knows. For a machine of 128 MiB.
 */
#include "kernel/mm/layout.h"
#include "kernel/mm/paging.h"
#include "tests/kernel/ktest.h"

#define FRAME_WITHOUT_RAM (256U << 20 >> PAGE_SHIFT)

KTEST(planted_write_beyond_ram)
{
	CHECK_EQ(paging_map(&kernel_space, TEMP_BASE, FRAME_WITHOUT_RAM, PAGE_WRITE), 0);
	*(volatile uint32_t *)TEMP_BASE = 1;
	CHECK_EQ(paging_unmap(&kernel_space, TEMP_BASE, NULL), 0);
}
