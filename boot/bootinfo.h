/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader left, as plain data.
 *
 * boot/multiboot.c fills this before anything is allocated, so that nothing
 * above it depends on memory the loader owns, nor on the loader's format.
 * Every address is physical, every size in bytes.
 */
#ifndef BOOT_BOOTINFO_H
#define BOOT_BOOTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_MAX_REGIONS  128
#define BOOT_MAX_MODULES  64
#define BOOT_NAME_SIZE	  64
#define BOOT_CMDLINE_SIZE 512
#define BOOT_LINES_SIZE	  2048

/* Any other number is memory that must be left alone, as REGION_RESERVED. */
enum region_type {
	REGION_USABLE = 1,
	REGION_RESERVED = 2,
	REGION_ACPI_RECLAIM = 3,
	REGION_ACPI_NVS = 4,
	REGION_BAD = 5,
};

struct boot_region {
	uint64_t base;
	uint64_t length;
	uint32_t type; /* enum region_type, or unknown */
};

struct boot_module {
	uint32_t base;
	uint32_t length;
	char name[BOOT_NAME_SIZE]; /* first word of its line, without folder and ".fpt" */
	const char *arguments;	   /* the rest of it; NULL if that found no room */
};

/**
 * struct bootinfo - the loader's report, copied
 * @loader: the loader's own name, "" if it gave none
 * @cmdline: the kernel's command line without the image's path, cut to fit
 * @cmdline_cut: the command line was longer than there is room for
 * @nregions: entries of @regions that are filled
 * @regions_lost: entries of the loader's map that found no room; memory in
 *                them is not used
 * @regions: the memory map, in the loader's order, unchecked
 * @nmodules: entries of @modules that are filled
 * @modules_lost: modules that found no room or made no sense
 * @modules: what was loaded beside the kernel
 * @lines: their arguments
 * @lines_used: bytes of @lines that are in use
 */
struct bootinfo {
	char loader[64];
	char cmdline[BOOT_CMDLINE_SIZE];
	bool cmdline_cut;
	size_t nregions;
	size_t regions_lost;
	struct boot_region regions[BOOT_MAX_REGIONS];
	size_t nmodules;
	size_t modules_lost;
	struct boot_module modules[BOOT_MAX_MODULES];
	char lines[BOOT_LINES_SIZE];
	size_t lines_used;
};

extern struct bootinfo bootinfo;

#endif
