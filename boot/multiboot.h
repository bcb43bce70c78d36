/* SPDX-License-Identifier: MIT */
/* The Multiboot 1 report of the boot loader, turned into struct bootinfo. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * multiboot_read() - copy the loader's report into bootinfo
 * @magic: what the loader left in eax
 * @report: physical address of the report, from ebx
 *
 * Every pointer is checked to lie below 256 MiB, where boot has mapped memory,
 * and every count is bounded; what does not fit is left out and counted in
 * bootinfo. Must be called before anything is allocated.
 *
 * Return: NULL, or in words why this cannot be booted from.
 */
const char *multiboot_read(uint32_t magic, uint32_t report);

#endif
