/* SPDX-License-Identifier: MIT */
/* A table of commands, and a line of text to choose from it. */
#include "kernel/monitor/monitor.h"
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/monitor/replay.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exit.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PROMPT	  "fencepost> "
#define LINE_SIZE 80
#define BACKSPACE 8
#define DELETE	  127

struct command {
	const char *name, *summary;
	bool (*run)(void); /* false if what it shows is not as it should be */
};

static bool command_help(void);
static bool command_mem(void);
static bool command_heap(void);
static bool command_replay(void);
static bool command_quit(void);

static const struct command commands[] = {
	{ "help", "this list", command_help },
	{ "mem", "the memory map, and who has the page frames", command_mem },
	{ "heap", "what the heap holds, and whether it is sound", command_heap },
	{ "replay", "real programs' allocations through kmalloc and kfree", command_replay },
	{ "quit", "end the emulator", command_quit },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool command_help(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		kprintf("  %-8s %s\n", commands[i].name, commands[i].summary);
	return true;
}

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

static bool command_mem(void)
{
	struct ledger ledger;

	for (size_t i = 0; i < bootinfo.nregions; i++) {
		const struct boot_region *region = &bootinfo.regions[i];

		kprintf("  0x%09llx  %9llu KiB  %s\n", (unsigned long long)region->base,
			(unsigned long long)region->length >> 10, region_name(region->type));
	}
	ledger_read(&ledger);
	ledger_print(&ledger);
	return !ledger_disagreement(&ledger);
}

static void print_calls(const struct heap_stats *heap)
{
	struct kmalloc_stats stats;
	unsigned int slack;

	kmalloc_stats(&stats);
	slack = kmalloc_slack(&stats);
	kprintf("  peak         %zu bytes in use, %zu bytes of break\n", stats.peak_granted,
		heap->peak);
	kprintf("  slack        %u.%u%% of the bytes granted were not asked for\n", slack / 10,
		slack % 10);
	kprintf("  calls        %zu allocations, %zu reallocations, %zu frees, %zu failures\n",
		stats.allocations, stats.reallocations, stats.frees, stats.failures);
}

static void print_sizes(const struct heap_stats *stats)
{
	for (size_t i = 0; i < HEAP_WORD_BITS; i++)
		if (stats->sizes[i])
			kprintf("  from %-7zu %zu blocks\n", (size_t)1 << i, stats->sizes[i]);
}

static bool command_heap(void)
{
	struct heap_stats stats;
	struct heap_fault fault;
	unsigned long flags = irq_save();
	bool sound = heap_check(&kernel_heap, &fault);

	heap_stats(&kernel_heap, &stats);
	irq_restore(flags);
	kprintf("  break        0x%08zx, %zu bytes above the base\n", HEAP_BASE + stats.total,
		stats.total);
	kprintf("  in use       %zu blocks, %zu bytes and %zu bytes of headers\n",
		stats.granted_blocks, stats.granted, stats.headers);
	kprintf("  free         %zu blocks, %zu bytes; top %zu bytes; largest %zu bytes\n",
		stats.binned_blocks, stats.binned, stats.top, stats.largest_free);
	kprintf("  cached       %zu blocks, %zu bytes\n", stats.cached_blocks, stats.cached);
	kprintf("  bookkeeping  %zu bytes in %zu segments\n", stats.bookkeeping, stats.segments);
	kprintf("  fragmented   %zu.%zu%% of what is free is not in the largest free block\n",
		stats.fragmentation / 10, stats.fragmentation % 10);
	print_calls(&stats);
	print_sizes(&stats);
	if (sound)
		kprintf("  sound\n");
	else
		kprintf("  block 0x%08lx: %s\n", (unsigned long)(uintptr_t)fault.block,
			heap_fault_name(fault.kind));
	return sound;
}

static bool command_replay(void)
{
	return replay_all();
}

static bool command_quit(void)
{
	machine_exit(EXIT_PASS);
}

/* Return: whether there is such a command and it was content. */
static bool execute(char *line)
{
	char *end;

	while (*line == ' ')
		line++;
	end = strchr(line, ' ');
	if (end)
		*end = '\0';
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(line, commands[i].name) == 0)
			return commands[i].run();
	if (*line)
		kprintf("%s: unknown command; try help\n", line);
	return !*line;
}

void monitor_execute(char *line)
{
	execute(line);
}

/* The next byte typed, on serial or keyboard. Sleeps until there is one. */
static int wait_for_key(void)
{
	for (;;) {
		int c = serial_getc();

		if (c < 0)
			c = keyboard_getc();
		if (c >= 0)
			return c;
		cpu_idle(); /* the timer wakes us often enough for the serial port's queue */
	}
}

/* Echoes what is typed, up to the end of the line; what does not fit is not taken. */
static void read_line(char line[LINE_SIZE])
{
	size_t n = 0;

	for (;;) {
		int c = wait_for_key();

		if (c == '\r' || c == '\n')
			break;
		if ((c == BACKSPACE || c == DELETE) && n > 0) {
			n--;
			kprintf("\b \b");
		} else if (c >= ' ' && c < DELETE && n < LINE_SIZE - 1) {
			line[n++] = (char)c;
			kprintf("%c", c);
		}
	}
	line[n] = '\0';
	kprintf("\n");
}

void monitor_run(void)
{
	char line[LINE_SIZE];

	kprintf("Type help for the list of commands.\n");
	for (;;) {
		kprintf(PROMPT);
		read_line(line);
		monitor_execute(line);
	}
}

void monitor_demonstrate(void)
{
	static const char *const show[] = { "help", "mem", "heap", "replay", "heap" };
	char line[LINE_SIZE];
	bool content = true;

	for (size_t i = 0; i < sizeof(show) / sizeof(show[0]); i++) {
		kprintf(PROMPT "%s\n", show[i]);
		strlcpy(line, show[i], sizeof(line));
		content &= execute(line);
	}
	kprintf(PROMPT "quit\n");
	machine_exit(content ? EXIT_PASS : EXIT_FAIL);
}
