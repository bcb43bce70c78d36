/* SPDX-License-Identifier: MIT */
/* RAM in pieces, none of which has room for the frame states. */
#include "boot/bootinfo.h"
#include "boot/multiboot.h"

#define PIECES 12
#define PIECE  (300U << 10)
#define MIB    (1U << 20)

const char *__real_multiboot_read(uint32_t magic, uint32_t report);
const char *__wrap_multiboot_read(uint32_t magic, uint32_t report);

const char *__wrap_multiboot_read(uint32_t magic, uint32_t report)
{
	const char *reason = __real_multiboot_read(magic, report);

	for (bootinfo.nregions = 0; bootinfo.nregions < PIECES; bootinfo.nregions++)
		bootinfo.regions[bootinfo.nregions] =
			(struct boot_region){ 16 * (1 + bootinfo.nregions) * MIB, PIECE,
					      REGION_USABLE };
	return reason;
}
