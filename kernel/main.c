/* SPDX-License-Identifier: MIT */
/* From the boot loader's report to a working heap: the order of bring-up, top to bottom. */
#include "boot/bootinfo.h"
#include "boot/multiboot.h"
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/timer.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/inspect.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/memmap.h"
#include "kernel/mm/paging.h"
#include "kernel/panic.h"
#include "kernel/proc/ring3.h"
#include "kernel/run.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exit.h"
#include "kernel/x86/fpu.h"
#include "kernel/x86/trap.h"

#include <stddef.h>

#define CLAIMS (BOOT_MAX_REGIONS + BOOT_MAX_MODULES + 3)

void __attribute__((noreturn)) kmain(uint32_t magic, uint32_t report);

/* An ELF note: sizes of name and contents, type, "GNU", and then the hash of the image. */
struct build_id {
	uint32_t name_size, size, type;
	char name[4];
	uint8_t hash[];
};

extern const struct build_id __build_id;
extern const char __image_start_phys[], __image_end_phys[], __image_end[];

static struct memmap_claim claims[CLAIMS];
static size_t nclaims;
static struct memmap map;

uint64_t memory_setup_cycles;

static void __attribute__((noreturn)) refuse(const char *reason)
{
	kprintf("boot: cannot start: %s\n", reason);
	machine_exit(EXIT_REFUSED);
}

static void print_banner(void)
{
	kprintf("Fencepost: a kernel that exists for its memory\nbuild-id ");
	for (uint32_t i = 0; i < __build_id.size; i++)
		kprintf("%02x", __build_id.hash[i]);
	kprintf("\n");
}

static void claim(uint64_t base, uint64_t length, enum memmap_use use)
{
	claims[nclaims++] = (struct memmap_claim){ base, length, use };
}

/* Everything that has a say on memory; there is room for all that bootinfo can hold. */
static void collect_claims(void)
{
	for (size_t i = 0; i < bootinfo.nregions; i++)
		claim(bootinfo.regions[i].base, bootinfo.regions[i].length,
		      bootinfo.regions[i].type == REGION_USABLE ? MEMMAP_USABLE : MEMMAP_RESERVED);
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		claim(bootinfo.modules[i].base, bootinfo.modules[i].length, MEMMAP_MODULE);
	claim((uintptr_t)__image_start_phys,
	      (uintptr_t)__image_end_phys - (uintptr_t)__image_start_phys, MEMMAP_IMAGE);
	claim(0, PAGE_SIZE, MEMMAP_PAGE0);
	claim(0xA0000, 0x60000, MEMMAP_ROM);
}

static void print_map(void)
{
	char unused[160];

	kprintf("memory: %u KiB usable in %zu ranges\n", memmap_frames(&map) * 4, map.nranges);
	if (memmap_explain(&map, unused, sizeof(unused)) > 0)
		kprintf("memory: left unused: %s\n", unused);
	if (map.absent)
		kprintf("memory: %llu KiB at 0x%08llx claimed as RAM, but not there; left out\n",
			(unsigned long long)map.absent >> 10, (unsigned long long)map.absent_at);
	if (bootinfo.regions_lost)
		kprintf("memory: %zu entries of the map found no room\n", bootinfo.regions_lost);
	if (bootinfo.modules_lost)
		kprintf("memory: %zu modules found no room\n", bootinfo.modules_lost);
}

/* RAM as the firmware reports it below 4 GiB, whatever we may use of it. */
static uint32_t ram_kib(void)
{
	uint64_t bytes = map.ragged + map.crowded;

	for (unsigned int use = 0; use < MEMMAP_USES; use++)
		bytes += map.lost[use];
	return memmap_frames(&map) * 4 + (uint32_t)(bytes >> 10);
}

static void set_up_memory(void)
{
	uint64_t began = rdtsc();

	collect_claims();
	memmap_build(&map, claims, nclaims);
	memmap_probe(&map, paging_probe);
	memory_setup_cycles = rdtsc() - began;
	print_map();
	if (ram_kib() < RAM_NEEDED_KIB) {
		kprintf("boot: this machine has %u KiB of RAM, Fencepost needs at least %u KiB\n",
			ram_kib(), RAM_NEEDED_KIB);
		refuse("too little RAM");
	}
	began = rdtsc();
	if (frame_init(&map, claims, nclaims) || paging_init(frame_total()))
		refuse("no room for page tables: fewer modules or more RAM are needed");
	kmalloc_init();
	memory_setup_cycles += rdtsc() - began;
	panic_set_report(inspect_report);
}

static void print_layout(void)
{
	kprintf("addresses: kernel 0x%08x to 0x%08lx, direct map 0x%08x, "
		"heap 0x%08x to 0x%08x\n",
		DIRECT_BASE + (uint32_t)(uintptr_t)__image_start_phys,
		(unsigned long)(uintptr_t)__image_end, DIRECT_BASE, HEAP_BASE, HEAP_LIMIT);
}

void kmain(uint32_t magic, uint32_t report)
{
	const char *reason;

	panic_leaves(kernel_under_test);
	console_init();
	print_banner();
	trap_init();
	fpu_init();
	reason = multiboot_read(magic, report);
	if (reason)
		refuse(reason);
	kprintf("loaded by %s, %zu modules\n", bootinfo.loader, bootinfo.nmodules);
	kprintf("cmdline:%s%s%s\n", *bootinfo.cmdline ? " " : "", bootinfo.cmdline,
		bootinfo.cmdline_cut ? " (too long, cut)" : "");
	cmdline_parse(bootinfo.cmdline);
	panic_leaves(kernel_under_test || cmdline.demo || cmdline.programs || *cmdline.heapmap);
	set_up_memory();
	print_layout();
	keyboard_init();
	serial_listen();
	timer_init();
	ring3_init();
	irq_enable();
	kernel_run();
}
