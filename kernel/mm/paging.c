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
#include "kernel/x86/segments.h"

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
#define KERNEL_ENTRY                                                                               \
	(DIRECT_BASE >> TABLE_SHIFT) /* the kernel's half of a directory begins there */

#define LARGE_PAGE_SIZE (1U << TABLE_SHIFT)
#define PROBE_WINDOW	TEMP_BASE /* where boot has mapped nothing */

extern char __text_start[], __rodata_end[], boot_stack_guard[], fault_stack_guard[];
extern uint32_t boot_directory[PAGING_DIR_ENTRIES];

struct address_space kernel_space;

static struct address_space *spaces; /* all others; changes with interrupts off */
static struct address_space *current = &kernel_space;

/* A process's space ends where the kernel's half begins, which is not its own. */
static uint32_t last_page(const struct address_space *space)
{
	return (space == &kernel_space ? UINTPTR_MAX : DIRECT_BASE - 1) >> PAGE_SHIFT;
}

static uint32_t entry_flags(unsigned int prot)
{
	return ENTRY_PRESENT | (prot & PAGE_WRITE ? ENTRY_WRITE : 0) |
	       (prot & PAGE_USER ? ENTRY_USER : 0);
}

/* The table of @space's own that @virt's entry is in, NULL if there is none. */
static uint32_t *table_of(const struct address_space *space, uintptr_t virt)
{
	uint32_t entry = space->dir[virt >> TABLE_SHIFT];

	if (space != &kernel_space && virt >= DIRECT_BASE)
		return NULL;
	return entry & ENTRY_PRESENT ? phys_to_virt(entry & ENTRY_FRAME) : NULL;
}

/* In the kernel's half an entry is changed in all directories. */
static void set_directory_entry(struct address_space *space, uintptr_t virt, uint32_t entry)
{
	space->dir[virt >> TABLE_SHIFT] = entry;
	if (space == &kernel_space)
		for (space = spaces; space; space = space->next)
			space->dir[virt >> TABLE_SHIFT] = entry;
}

static uint32_t index_in_table(uintptr_t virt)
{
	return virt >> PAGE_SHIFT & (TABLE_ENTRIES - 1);
}

/* The entry of a mapped page, NULL if @virt is not mapped. */
static uint32_t *entry_of(const struct address_space *space, uintptr_t virt)
{
	uint32_t *table = table_of(space, virt);
	uint32_t *entry = table ? &table[index_in_table(virt)] : NULL;

	return entry && (*entry & ENTRY_PRESENT) ? entry : NULL;
}

static uint32_t *new_table(void)
{
	uint32_t frame = frame_alloc_low(0, FRAME_TABLES);

	return frame ? memset(phys_to_virt(frame << PAGE_SHIFT), 0, PAGE_SIZE) : NULL;
}

/* An empty table for @virt, which has none; NULL if there is no frame for it. */
static uint32_t *add_table(struct address_space *space, uintptr_t virt)
{
	uint32_t *table = new_table();

	if (table)
		set_directory_entry(space, virt,
				    virt_to_phys(table) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER);
	return table;
}

static void give_back(const char *what, uint32_t frame)
{
	enum frame_refusal refusal = frame_free(frame, 0);

	if (refusal != FRAME_FREED)
		panic("%s at frame %u: %s", what, frame, frame_refusal_name(refusal));
}

static void drop_table(struct address_space *space, uintptr_t virt)
{
	uint32_t frame = space->dir[virt >> TABLE_SHIFT] >> PAGE_SHIFT;

	set_directory_entry(space, virt, 0);
	tlb_flush_page(virt);
	give_back("page table", frame);
}

/* How many of @n pages from @virt on have their entries in the same table. */
static uint32_t within_table(uintptr_t virt, uint32_t n)
{
	uint32_t rest = TABLE_ENTRIES - index_in_table(virt);

	return n < rest ? n : rest;
}

/* As much of a span as one table holds, up to a page that is mapped; how many pages that is. */
static uint32_t map_in_table(struct address_space *space, uintptr_t virt, const uint32_t *frames,
			     uint32_t n, uint32_t flags)
{
	uint32_t *table = table_of(space, virt), *entry;
	uint32_t i = 0;

	if (!table)
		table = add_table(space, virt);
	if (!table)
		return 0;
	entry = &table[index_in_table(virt)];
	n = within_table(virt, n);
	for (; i < n && !(entry[i] & ENTRY_PRESENT); i++)
		entry[i] = frames[i] << PAGE_SHIFT | flags;
	space->used[virt >> TABLE_SHIFT] += i;
	return i;
}

/* Unmaps what there is of a span that could not be mapped whole; what stood in its way. */
static __attribute__((cold)) int undo_map(struct address_space *space, uintptr_t virt,
					  uint32_t done)
{
	int error = table_of(space, virt + (done << PAGE_SHIFT)) ? -EEXIST : -ENOMEM;

	while (done > 0)
		paging_unmap(space, virt + (--done << PAGE_SHIFT), NULL);
	return error;
}

int paging_map_span(struct address_space *space, uintptr_t virt, const uint32_t *frames, uint32_t n,
		    unsigned int prot)
{
	uint32_t done = 0, mapped = 1, last = last_page(space), first = virt >> PAGE_SHIFT;

	if ((virt & PAGE_MASK) || first > last || n > last - first + 1)
		return -EINVAL;
	for (; done < n && mapped > 0; done += mapped)
		mapped = map_in_table(space, virt + (done << PAGE_SHIFT), &frames[done], n - done,
				      entry_flags(prot));
	return done == n ? 0 : undo_map(space, virt, done);
}

int paging_map(struct address_space *space, uintptr_t virt, uint32_t frame, unsigned int prot)
{
	return paging_map_span(space, virt, &frame, 1, prot);
}

/* As much of a span as one table holds, up to a page that is not mapped. */
static uint32_t unmap_in_table(struct address_space *space, uintptr_t virt, uint32_t *frames,
			       uint32_t n)
{
	uint32_t *table = table_of(space, virt), *entry;
	uint32_t i = 0;

	if (!table)
		return 0;
	entry = &table[index_in_table(virt)];
	n = within_table(virt, n);
	for (; i < n && (entry[i] & ENTRY_PRESENT); i++) {
		frames[i] = entry[i] >> PAGE_SHIFT;
		entry[i] = 0;
		tlb_flush_page(virt + (i << PAGE_SHIFT));
	}
	space->used[virt >> TABLE_SHIFT] -= i;
	if (space->used[virt >> TABLE_SHIFT] == 0)
		drop_table(space, virt);
	return i;
}

uint32_t paging_unmap_span(struct address_space *space, uintptr_t virt, uint32_t *frames,
			   uint32_t n)
{
	uint32_t done = 0, unmapped = 1;

	if (virt & PAGE_MASK)
		return 0;
	for (; done < n && unmapped > 0; done += unmapped)
		unmapped =
			unmap_in_table(space, virt + (done << PAGE_SHIFT), &frames[done], n - done);
	return done;
}

int paging_unmap(struct address_space *space, uintptr_t virt, uint32_t *frame)
{
	uint32_t was;

	if (virt & PAGE_MASK)
		return -EINVAL;
	if (paging_unmap_span(space, virt, frame ? frame : &was, 1) == 0)
		return -ENOENT;
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

int paging_provide(struct address_space *space, uintptr_t virt, enum frame_owner owner,
		   unsigned int prot)
{
	uint32_t frame = frame_alloc(0, owner);
	int error = frame ? paging_map(space, virt, frame, PAGE_WRITE) : -ENOMEM;

	if (error) {
		if (frame)
			give_back("page", frame);
		return error;
	}
	memset((void *)virt, 0, PAGE_SIZE);
	return paging_protect(space, virt, prot);
}

/* The first address of the next table, 0 behind the last one. */
static uintptr_t behind_table(uintptr_t virt)
{
	return ((virt >> TABLE_SHIFT) + 1) << TABLE_SHIFT;
}

void paging_protect_span(struct address_space *space, uintptr_t from, uintptr_t to,
			 unsigned int prot)
{
	while (from < to) {
		if (!table_of(space, from)) {
			from = behind_table(from);
			continue;
		}
		paging_protect(space, from, prot);
		from += PAGE_SIZE;
	}
}

void paging_release(struct address_space *space, uintptr_t from, uintptr_t to)
{
	uint32_t frame;

	while (from < to) {
		if (!table_of(space, from)) {
			from = behind_table(from);
			continue;
		}
		if (paging_unmap(space, from, &frame) == 0)
			give_back("page", frame);
		from += PAGE_SIZE;
	}
}

uint32_t paging_count(const struct address_space *space, uintptr_t from, uintptr_t to)
{
	uint32_t n = 0;

	while (from < to) {
		uintptr_t next = from + PAGE_SIZE;

		if (!table_of(space, from))
			next = behind_table(from);
		else
			n += entry_of(space, from) != NULL;
		if (next < from)
			break; /* behind the last page there is 0 */
		from = next;
	}
	return n;
}

uint32_t paging_count_user_pages(void)
{
	uint32_t n = 0;

	for (const struct address_space *space = spaces; space; space = space->next)
		n += paging_count(space, 0, DIRECT_BASE);
	return n;
}

/* One directory, and the tables from @first up to @end of it. */
static uint32_t count_tables(const struct address_space *space, unsigned int first,
			     unsigned int end)
{
	uint32_t n = 1;

	for (unsigned int i = first; i < end; i++)
		n += space->dir[i] & ENTRY_PRESENT;
	return n;
}

uint32_t paging_count_tables(void)
{
	uint32_t n = count_tables(&kernel_space, 0, PAGING_DIR_ENTRIES);

	for (const struct address_space *space = spaces; space; space = space->next)
		n += count_tables(space, 0, KERNEL_ENTRY);
	return n;
}

int paging_create(struct address_space *space)
{
	unsigned long flags;

	memset(space, 0, sizeof(*space));
	space->dir = new_table();
	if (!space->dir)
		return -ENOMEM;
	flags = irq_save(); /* an interrupt may extend the kernel's heap */
	memcpy(&space->dir[KERNEL_ENTRY], &kernel_space.dir[KERNEL_ENTRY],
	       (PAGING_DIR_ENTRIES - KERNEL_ENTRY) * sizeof(space->dir[0]));
	space->next = spaces;
	spaces = space;
	irq_restore(flags);
	return 0;
}

void paging_destroy(struct address_space *space)
{
	struct address_space **link = &spaces;
	unsigned long flags;

	kassert(space != current && space != &kernel_space);
	paging_release(space, 0, DIRECT_BASE);
	flags = irq_save();
	while (*link != space)
		link = &(*link)->next;
	*link = space->next;
	irq_restore(flags);
	give_back("page directory", virt_to_phys(space->dir) >> PAGE_SHIFT);
}

struct address_space *paging_switch(struct address_space *space)
{
	struct address_space *before = current;

	current = space;
	write_cr3(virt_to_phys(space->dir));
	return before;
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

/* The direct map's pages under one table: all there, all writable. */
static int map_direct(uint32_t first, uint32_t n)
{
	uintptr_t virt = DIRECT_BASE + (first << PAGE_SHIFT);
	uint32_t *table = add_table(&kernel_space, virt);

	if (!table)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		table[i] = (first + i) << PAGE_SHIFT | ENTRY_PRESENT | ENTRY_WRITE;
	kernel_space.used[virt >> TABLE_SHIFT] = (uint16_t)n;
	return 0;
}

/* Takes from the direct map what must not be there, and what must not be written. */
static void protect_kernel(void)
{
	for (uintptr_t virt = (uintptr_t)__text_start; virt < (uintptr_t)__rodata_end;
	     virt += PAGE_SIZE)
		paging_protect(&kernel_space, virt, 0);
	paging_unmap(&kernel_space, DIRECT_BASE, NULL);
	paging_unmap(&kernel_space, (uintptr_t)boot_stack_guard, NULL);
	paging_unmap(&kernel_space, (uintptr_t)fault_stack_guard, NULL);
}

int paging_init(uint32_t ram_frames)
{
	uint32_t n = ram_frames < ROM_END >> PAGE_SHIFT ? ROM_END >> PAGE_SHIFT : ram_frames;

	kernel_space.dir = new_table();
	if (!kernel_space.dir)
		return -ENOMEM;
	if (n > DIRECT_SIZE >> PAGE_SHIFT)
		n = DIRECT_SIZE >> PAGE_SHIFT;
	for (uint32_t frame = 0; frame < n; frame += TABLE_ENTRIES)
		if (map_direct(frame, within_table(frame << PAGE_SHIFT, n - frame)))
			return -ENOMEM;
	protect_kernel();
	write_cr3(virt_to_phys(kernel_space.dir));
	write_cr0(read_cr0() | CR0_WP);
	segments_use_page_directory(virt_to_phys(kernel_space.dir));
	return 0;
}
