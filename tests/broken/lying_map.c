/* SPDX-License-Identifier: MIT */
/* A boot loader that reports RAM where there is none, and where the ROM is. For a machine of 128 MiB. */
#include "boot/bootinfo.h"
#include "boot/multiboot.h"

const char *__real_multiboot_read(uint32_t magic, uint32_t report);
const char *__wrap_multiboot_read(uint32_t magic, uint32_t report);

static void claim_ram(uint64_t base, uint64_t length)
{
	bootinfo.regions[bootinfo.nregions++] = (struct boot_region){ base, length, REGION_USABLE };
}

const char *__wrap_multiboot_read(uint32_t magic, uint32_t report)
{
	const char *reason = __real_multiboot_read(magic, report);

	claim_ram(512U << 20, 64U << 20);
	claim_ram(0xC0000, 0x40000);
	return reason;
}
