/* SPDX-License-Identifier: MIT */
/*
 * Reading the Multiboot 1 report.
 *
 * The report, its memory map, module list and strings lie anywhere in low
 * memory, unprotected: all of it is copied before the first page frame is
 * handed out. Modules stay where they are and become holes in the memory map.
 */
#include "boot/multiboot.h"
#include "boot/bootinfo.h"
#include "kernel/mm/layout.h"

#include <stdbool.h>
#include <string.h>

#define MULTIBOOT_BOOTED 0x2BADB002U

#define HAS_CMDLINE (1U << 2)
#define HAS_MODULES (1U << 3)
#define HAS_MAP	    (1U << 6)
#define HAS_LOADER  (1U << 9)

struct multiboot_report {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
};

struct multiboot_module {
	uint32_t start, end;
	uint32_t string;
	uint32_t reserved;
};

/* `size` counts the bytes that follow it, and may grow in later versions. */
struct multiboot_entry {
	uint32_t size;
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

struct bootinfo bootinfo;

/* @length bytes at physical @address, or NULL if boot has not mapped them. */
static const void *mapped(uint32_t address, uint32_t length)
{
	if (address == 0 || address >= DIRECT_SIZE || length > DIRECT_SIZE - address)
		return NULL;
	return phys_to_virt(address);
}

/* Copies a string that may lie or end outside of what is mapped; true if it was cut. */
static bool copy_string(char *to, size_t size, uint32_t address)
{
	const char *from = mapped(address, 1);
	size_t reach, n;

	to[0] = '\0';
	if (!from)
		return address != 0;
	reach = DIRECT_SIZE - address;
	n = strnlen(from, size < reach ? size : reach);
	if (n < size) {
		memcpy(to, from, n);
		to[n] = '\0';
		return false;
	}
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
	return true;
}

/*
 * QEMU and older loaders put the image's path before the words meant for it,
 * GRUB 2 does not. A path has a slash or ends in ".elf"; no word of ours does.
 */
static void drop_image_name(char *cmdline)
{
	size_t n = strcspn(cmdline, " ");
	bool has_slash = memchr(cmdline, '/', n), has_value = memchr(cmdline, '=', n);
	bool is_elf = n >= 4 && strncmp(cmdline + n - 4, ".elf", 4) == 0;

	if (!(has_slash || is_elf) || has_value)
		return;
	n += cmdline[n] == ' ';
	memmove(cmdline, cmdline + n, strlen(cmdline + n) + 1);
}

static const char *read_map(const struct multiboot_report *report)
{
	const unsigned char *at = mapped(report->mmap_addr, report->mmap_length);
	uint32_t left = report->mmap_length;

	if (!(report->flags & HAS_MAP) || !at)
		return "the boot loader gave no memory map";
	while (left >= sizeof(struct multiboot_entry)) {
		struct multiboot_entry entry;
		uint32_t step;

		memcpy(&entry, at, sizeof(entry));
		if (bootinfo.nregions < BOOT_MAX_REGIONS)
			bootinfo.regions[bootinfo.nregions++] =
				(struct boot_region){ entry.base, entry.length, entry.type };
		else
			bootinfo.regions_lost++;
		if (entry.size > left - sizeof(entry.size))
			break;
		step = entry.size + (uint32_t)sizeof(entry.size);
		if (step < sizeof(entry))
			return "an entry of the boot loader's memory map is too short";
		at += step;
		left -= step;
	}
	return NULL;
}

/* "/boot/sqlite.fpt" becomes "sqlite"; changes @path. */
static void module_name(char name[BOOT_NAME_SIZE], char *path)
{
	const char *base = path;
	char *end;

	for (const char *p = path; *p; p++)
		if (*p == '/')
			base = p + 1;
	end = strstr(base, ".fpt");
	if (end && !end[4])
		*end = '\0';
	strlcpy(name, *base ? base : "unnamed", BOOT_NAME_SIZE);
}

/* Keeps a string for good. Return: NULL if there is no room. */
static const char *keep_string(uint32_t address)
{
	char *to = bootinfo.lines + bootinfo.lines_used;
	size_t left = BOOT_LINES_SIZE - bootinfo.lines_used;

	if (left == 0 || copy_string(to, left, address))
		return NULL;
	bootinfo.lines_used += strlen(to) + 1;
	return to;
}

/* "/boot/sqlite.fpt more words" becomes "sqlite" with "more words" for arguments. */
static void read_line(struct boot_module *module, uint32_t string)
{
	char text[256];
	bool cut = copy_string(text, sizeof(text), string);
	size_t n = strcspn(text, " ");

	if (text[n])
		module->arguments = keep_string(string + (uint32_t)n + 1);
	else
		module->arguments = cut ? NULL : "";
	text[n] = '\0';
	module_name(module->name, text);
}

static void read_modules(const struct multiboot_report *report)
{
	uint32_t count = report->mods_count;
	const struct multiboot_module *from;

	if (!(report->flags & HAS_MODULES) || count == 0)
		return;
	from = count <= DIRECT_SIZE / sizeof(*from)
		       ? mapped(report->mods_addr, count * (uint32_t)sizeof(*from))
		       : NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct boot_module *to = &bootinfo.modules[bootinfo.nmodules];

		if (!from || bootinfo.nmodules == BOOT_MAX_MODULES || from[i].end < from[i].start) {
			bootinfo.modules_lost = count - bootinfo.nmodules;
			return;
		}
		to->base = from[i].start;
		to->length = from[i].end - from[i].start;
		read_line(to, from[i].string);
		bootinfo.nmodules++;
	}
}

const char *multiboot_read(uint32_t magic, uint32_t address)
{
	const struct multiboot_report *report;

	if (magic != MULTIBOOT_BOOTED)
		return "not booted by a Multiboot loader";
	report = mapped(address, sizeof(*report));
	if (!report)
		return "the boot loader's report lies above 256 MiB";
	if (report->flags & HAS_CMDLINE) {
		bootinfo.cmdline_cut =
			copy_string(bootinfo.cmdline, sizeof(bootinfo.cmdline), report->cmdline);
		drop_image_name(bootinfo.cmdline);
	}
	if (report->flags & HAS_LOADER)
		copy_string(bootinfo.loader, sizeof(bootinfo.loader), report->boot_loader_name);
	read_modules(report);
	return read_map(report);
}
