/* SPDX-License-Identifier: MIT */
/* Panics before anything is set up, so that there is no version line and no plan. */
#include "boot/multiboot.h"
#include "kernel/panic.h"

const char *__wrap_multiboot_read(uint32_t magic, uint32_t report);

const char *__wrap_multiboot_read(uint32_t magic, uint32_t report)
{
	panic("planted before the command line, %08x %08x", magic, report);
}
