/* SPDX-License-Identifier: MIT */
/*
 * Paging.
 *
 *	address   [ 31..22 directory entry | 21..12 table entry | 11..0 byte ]
 *
 * An entry holds a frame's address and, in its low bits, what may be done
 * there. The directory's entries allow everything: the table's entry decides.
 */
#include "kernel/mm/paging.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ENTRY_PRESENT 1U
#define ENTRY_WRITE   2U
#define ENTRY_USER    4U
#define ENTRY_LARGE   0x80U /* in boot's directory: 4 MiB instead of a table */
#define ENTRY_FRAME   0xFFFFF000U

#define TABLE_ENTRIES 1024U
#define TABLE_SHIFT   22
#define ROM_END	      0x100000U

#define LARGE_PAGE_SIZE (1U << TABLE_SHIFT)
#define PROBE_WINDOW	TEMP_BASE /* where boot has mapped nothing */

extern char __text_start[], __rodata_end[], boot_stack_guard[], fault_stack_guard[];
extern uint32_t boot_directory[PAGING_DIR_ENTRIES];

struct address_space kernel_space;

static uint32_t entry_flags(unsigned int prot)
{
	return ENTRY_PRESENT | (prot & PAGE_WRITE ? ENTRY_WRITE : 0) |
	       (prot & PAGE_USER ? ENTRY_USER : 0);
}

/* The table that @virt's entry is in, NULL if there is none. */
static uint32_t *table_of(const struct address_space *space, uintptr_t virt)
{
	uint32_t entry = space->dir[virt >> TABLE_SHIFT];

	return entry & ENTRY_PRESENT ? phys_to_virt(entry & ENTRY_FRAME) : NULL;
}

/* The entry of a mapped page, NULL if @virt is not mapped. */
static uint32_t *entry_of(const struct address_space *space, uintptr_t virt)
{
	uint32_t *table = table_of(space, virt);
	uint32_t *entry = table ? &table[virt >> PAGE_SHIFT & (TABLE_ENTRIES - 1)] : NULL;

	return entry && (*entry & ENTRY_PRESENT) ? entry : NULL;
}

static uint32_t *new_table(void)
{
	uint32_t frame = frame_alloc_low(0, FRAME_TABLES);

	return frame ? memset(phys_to_virt(frame << PAGE_SHIFT), 0, PAGE_SIZE) : NULL;
}

int paging_map(struct address_space *space, uintptr_t virt, uint32_t frame, unsigned int prot)
{
	uint32_t *table, *entry;

	if (virt & PAGE_MASK)
		return -EINVAL;
	table = table_of(space, virt);
	if (!table) {
		table = new_table();
		if (!table)
			return -ENOMEM;
		space->dir[virt >> TABLE_SHIFT] =
			virt_to_phys(table) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER;
	}
	entry = &table[virt >> PAGE_SHIFT & (TABLE_ENTRIES - 1)];
	if (*entry & ENTRY_PRESENT)
		return -EEXIST;
	*entry = frame << PAGE_SHIFT | entry_flags(prot);
	space->used[virt >> TABLE_SHIFT]++;
	return 0;
}

static void drop_table(struct address_space *space, uintptr_t virt)
{
	uint32_t frame = space->dir[virt >> TABLE_SHIFT] >> PAGE_SHIFT;
	enum frame_refusal refusal;

	space->dir[virt >> TABLE_SHIFT] = 0;
	tlb_flush_page(virt);
	refusal = frame_free(frame, 0);
	if (refusal != FRAME_FREED)
		panic("page table at frame %u: %s", frame, frame_refusal_name(refusal));
}

int paging_unmap(struct address_space *space, uintptr_t virt, uint32_t *frame)
{
	uint32_t *entry = entry_of(space, virt);

	if (virt & PAGE_MASK)
		return -EINVAL;
	if (!entry)
		return -ENOENT;
	if (frame)
		*frame = *entry >> PAGE_SHIFT;
	*entry = 0;
	tlb_flush_page(virt);
	if (--space->used[virt >> TABLE_SHIFT] == 0)
		drop_table(space, virt);
	return 0;
}

int paging_protect(struct address_space *space, uintptr_t virt, unsigned int prot)
{
	uint32_t *entry = entry_of(space, virt);

	if (virt & PAGE_MASK)
		return -EINVAL;
	if (!entry)
		return -ENOENT;
	*entry = (*entry & ENTRY_FRAME) | entry_flags(prot);
	tlb_flush_page(virt);
	return 0;
}

bool paging_translate(const struct address_space *space, uintptr_t virt, uint32_t *frame,
		      unsigned int *prot)
{
	const uint32_t *entry = entry_of(space, virt);

	if (!entry)
		return false;
	if (frame)
		*frame = *entry >> PAGE_SHIFT;
	if (prot)
		*prot = (*entry & ENTRY_WRITE ? PAGE_WRITE : 0) |
			(*entry & ENTRY_USER ? PAGE_USER : 0);
	return true;
}

uint32_t paging_count(const struct address_space *space, uintptr_t from, uintptr_t to)
{
	uint32_t n = 0;

	while (from < to) {
		if (!table_of(space, from)) {
			from = (from >> TABLE_SHIFT) + 1;
			if (from == PAGING_DIR_ENTRIES)
				break;
			from <<= TABLE_SHIFT;
			continue;
		}
		n += entry_of(space, from) != NULL;
		from += PAGE_SIZE;
		if (from < PAGE_SIZE)
			break; /* behind the last page there is 0 */
	}
	return n;
}

uint32_t paging_count_tables(const struct address_space *space)
{
	uint32_t n = 1;

	for (unsigned int i = 0; i < PAGING_DIR_ENTRIES; i++)
		n += space->dir[i] & ENTRY_PRESENT;
	return n;
}

/*
 * Both words are written before either is read: a bus without memory may keep
 * what was last on it.
 */
static bool holds(volatile uint32_t *word, volatile uint32_t *other, uint32_t value)
{
	*word = value;
	*other = ~value;
	return ((*word ^ value) | (*other ^ ~value)) == 0;
}

bool paging_probe(uint32_t frame)
{
	uint32_t entry = frame >> (TABLE_SHIFT - PAGE_SHIFT);
	uintptr_t at = PROBE_WINDOW + (frame << PAGE_SHIFT & (LARGE_PAGE_SIZE - 1));
	volatile uint32_t *first = (volatile uint32_t *)at;
	volatile uint32_t *last = (volatile uint32_t *)(at + PAGE_SIZE - sizeof(uint32_t));
	uint32_t kept[2];
	unsigned int held;

	boot_directory[PROBE_WINDOW >> TABLE_SHIFT] =
		entry << TABLE_SHIFT | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE;
	tlb_flush_page(at);
	kept[0] = *first;
	kept[1] = *last;
	held = holds(first, last, 0x55AA33CC);
	held += holds(first, last, 0xAA55CC33);
	*first = kept[0];
	*last = kept[1];
	return held == 2;
}

/* How a page of the direct map is protected; *mapped tells whether it is there at all. */
static unsigned int direct_prot(uintptr_t virt, bool *mapped)
{
	*mapped = virt != DIRECT_BASE && virt != (uintptr_t)boot_stack_guard &&
		  virt != (uintptr_t)fault_stack_guard;
	return virt >= (uintptr_t)__text_start && virt < (uintptr_t)__rodata_end ? 0 : PAGE_WRITE;
}

int paging_init(uint32_t ram_frames)
{
	uint32_t n = ram_frames < ROM_END >> PAGE_SHIFT ? ROM_END >> PAGE_SHIFT : ram_frames;

	kernel_space.dir = new_table();
	if (!kernel_space.dir)
		return -ENOMEM;
	if (n > DIRECT_SIZE >> PAGE_SHIFT)
		n = DIRECT_SIZE >> PAGE_SHIFT;
	for (uint32_t frame = 0; frame < n; frame++) {
		uintptr_t virt = DIRECT_BASE + (frame << PAGE_SHIFT);
		bool mapped;
		unsigned int prot = direct_prot(virt, &mapped);

		if (mapped && paging_map(&kernel_space, virt, frame, prot))
			return -ENOMEM;
	}
	write_cr3(virt_to_phys(kernel_space.dir));
	write_cr0(read_cr0() | CR0_WP);
	trap_use_page_directory(virt_to_phys(kernel_space.dir));
	return 0;
}
