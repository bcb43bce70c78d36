/* SPDX-License-Identifier: MIT */
/* Commands about the machine and its memory, below the heap. */
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/mm/ledger.h"
#include "kernel/monitor/command.h"
#include "kernel/x86/exit.h"

static const char *region_name(uint32_t type)
{
	static const char *const names[] = {
		[REGION_USABLE] = "usable",
		[REGION_RESERVED] = "reserved",
		[REGION_ACPI_RECLAIM] = "ACPI data",
		[REGION_ACPI_NVS] = "ACPI NVS",
		[REGION_BAD] = "bad",
	};

	return type >= REGION_USABLE && type <= REGION_BAD ? names[type] : "unknown type";
}

static bool command_mem(const struct call *call)
{
	struct ledger ledger;

	(void)call;
	for (size_t i = 0; i < bootinfo.nregions; i++) {
		const struct boot_region *region = &bootinfo.regions[i];

		kprintf("  0x%09llx  %9llu KiB  %s\n", (unsigned long long)region->base,
			(unsigned long long)region->length >> 10, region_name(region->type));
	}
	ledger_read(&ledger);
	ledger_print(&ledger);
	return !ledger_disagreement(&ledger);
}

static bool command_quit(const struct call *call)
{
	(void)call;
	machine_exit(EXIT_PASS);
}

static const struct command commands[] = {
	{ "mem", "", "the memory map, and who has the page frames", NULL, 0, 0, false,
	  command_mem },
	{ "quit", "", "end the emulator", NULL, 0, 0, false, command_quit },
};

const struct command_group machine_commands = COMMAND_GROUP(commands);
