/* SPDX-License-Identifier: MIT */
/* Commands about the machine and its memory, below the heap. */
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/inspect.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/mm/paging.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/handles.h"

#define DUMP_ROW   16U
#define DUMP_USUAL 64U
#define DUMP_MOST  4096U

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

static bool command_frames(const struct call *call)
{
	(void)call;
	kprintf("  order  frames   bytes of one     free blocks\n");
	for (unsigned int order = 0; order <= FRAME_MAX_ORDER; order++)
		kprintf("  %5u  %6u  %9u KiB  %14u\n", order, 1U << order, 4U << order,
			frame_free_blocks(order));
	kprintf("  owner            frames\n");
	for (unsigned int owner = 0; owner < FRAME_OWNERS; owner++)
		kprintf("  %-13s  %8u\n", frame_owner_name(owner), frame_count(owner));
	kprintf("  all            %8u\n", frame_total());
	return true;
}

/* An entry of the page directory or of a page table, as the processor reads it. */
static void print_entry(const char *where, uint32_t frame, uint32_t index, uint32_t entry)
{
	static const char *const bits[] = { "present", ", writable", ", user",	 NULL,
					    NULL,      ", accessed", ", written" };

	kprintf("  %-9s  frame %7u, entry %4u: 0x%08x  ", where, frame, index, entry);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (bits[i] && entry >> i & 1)
			kprintf("%s", bits[i]);
	kprintf("%s\n", entry & 1 ? "" : "not present");
}

static bool command_pages(const struct call *call)
{
	const struct address_space *space = &kernel_space;
	uint32_t entry;
	uintptr_t at;

	if (!handles_address(call->argument[0], &at))
		return false;
	kprintf("  0x%08lx = directory entry %lu, table entry %lu, byte %lu\n", (unsigned long)at,
		(unsigned long)at >> 22, (unsigned long)at >> PAGE_SHIFT & 1023,
		(unsigned long)at & PAGE_MASK);
	entry = space->dir[at >> 22];
	print_entry("directory", virt_to_phys(space->dir) >> PAGE_SHIFT, at >> 22, entry);
	if (entry & 1) {
		const uint32_t *table = phys_to_virt(entry & ~PAGE_MASK);

		print_entry("table", entry >> PAGE_SHIFT, at >> PAGE_SHIFT & 1023,
			    table[at >> PAGE_SHIFT & 1023]);
		entry = table[at >> PAGE_SHIFT & 1023];
	}
	if (entry & 1)
		kprintf("  memory     frame %7u, byte  %4lu: physical address 0x%08lx\n",
			entry >> PAGE_SHIFT, (unsigned long)at & PAGE_MASK,
			(unsigned long)((entry & ~PAGE_MASK) | (at & PAGE_MASK)));
	inspect_address((const void *)at);
	return true;
}

/* Up to a row of bytes, none of them in a page that is not mapped. */
static void dump_row(uintptr_t at, uint32_t n)
{
	const unsigned char *bytes = (const unsigned char *)at;

	kprintf("  0x%08lx ", (unsigned long)at);
	for (uint32_t i = 0; i < DUMP_ROW; i++)
		if (i < n)
			kprintf(i == DUMP_ROW / 2 ? "  %02x" : " %02x", bytes[i]);
		else
			kprintf(i == DUMP_ROW / 2 ? "    " : "   ");
	kprintf("  |");
	for (uint32_t i = 0; i < n; i++)
		kprintf("%c", bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.');
	kprintf("|\n");
}

static bool command_dump(const struct call *call)
{
	uint32_t n = DUMP_USUAL, row;
	uintptr_t at;

	if (!handles_address(call->argument[0], &at) ||
	    (call->n > 1 && !command_number(call->argument[1], 1, DUMP_MOST, &n)))
		return false;
	for (; n > 0; n -= row, at += row) {
		row = DUMP_ROW - at % DUMP_ROW; /* a row lies in one page */
		row = row < n ? row : n;
		if (!paging_translate(&kernel_space, at, NULL, NULL)) {
			kprintf("  0x%08lx  nothing is mapped there\n", (unsigned long)at);
			return false;
		}
		dump_row(at, row);
	}
	return true;
}

#define ADDRESS_DETAILS "ADDRESS is a number or a name, with +N or -N behind it: p-4.\n"

static const struct command commands[] = {
	{ "mem", "", "the memory map, and who has the page frames", NULL, 0, 0, false,
	  command_mem },
	{ "frames", "", "page frames: free blocks by order, all by owner", NULL, 0, 0, false,
	  command_frames },
	{ "pages", "ADDRESS", "what an address means, floor by floor",
	  "The page directory and table as the processor reads them, then what the kernel\n"
	  "knows of the page, and within the heap of the block.\n" ADDRESS_DETAILS,
	  1, 1, false, command_pages },
	{ "dump", "ADDRESS [BYTES]", "memory, byte by byte", ADDRESS_DETAILS, 1, 2, false,
	  command_dump },
};

const struct command_group machine_commands = COMMAND_GROUP(commands);
