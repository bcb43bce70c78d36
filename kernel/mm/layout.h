/* SPDX-License-Identifier: MIT */
/*
 * The kernel's address space, in one place.
 *
 *   0x00000000  the first 64 KiB, never mapped
 *   0x00010000  user space, one for each process: program, heap, mappings
 *   0xBF7FF000  the guard below its stack, usually not mapped
 *   0xBF800000  its stack
 *   0xC0000000  direct map: physical p is at DIRECT_BASE + p, for p below 256 MiB
 *   0xC0100000    the kernel image, within it: text and read-only data cannot be written
 *   0xD0000000  the heap's region: HEAP_BASE, the break somewhere above it, HEAP_LIMIT
 *   0xFF800000  temporary mappings
 *   0xFFE00000  kernel stacks, one for each process, an unmapped page below each
 *
 * What becomes of it with little and with much RAM:
 *
 *            4 MiB                            4 GiB
 *   direct   one page table, 4 MiB mapped     64 page tables, the first 256 MiB
 *   heap     whatever frames are free         760 MiB at most, the region's size
 *   unused   nothing                          frames that no owner asks for; RAM above
 *                                             4 GiB is left out by the memory map
 */
#ifndef KERNEL_MM_LAYOUT_H
#define KERNEL_MM_LAYOUT_H

#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096U
#define PAGE_MASK  (PAGE_SIZE - 1)

#define DIRECT_BASE 0xC0000000U
#define DIRECT_SIZE 0x10000000U
#define HEAP_BASE   0xD0000000U
#define HEAP_LIMIT  0xFF800000U
#define TEMP_BASE   0xFF800000U

#define USER_BASE	0x00010000U
#define USER_MAP_END	(USER_STACK_BASE - PAGE_SIZE) /* for all that is not placed by the process */
#define USER_STACK_BASE (USER_END - USER_STACK_SIZE)
#define USER_STACK_SIZE 0x00800000U
#define USER_END	DIRECT_BASE

#define KERNEL_STACKS_BASE 0xFFE00000U
#define KERNEL_STACKS	   64U
#define KERNEL_STACK_SIZE  (3 * PAGE_SIZE)
#define KERNEL_STACK_SLOT  (PAGE_SIZE + KERNEL_STACK_SIZE) /* with the unmapped page below */
#define KERNEL_STACKS_END  (KERNEL_STACKS_BASE + KERNEL_STACKS * KERNEL_STACK_SLOT)

/* The least RAM the kernel starts with; below it, boot says so and stops. */
#define RAM_NEEDED_KIB 3072U

/* Only for physical addresses below DIRECT_SIZE. */
static inline void *phys_to_virt(uint32_t phys)
{
	return (void *)(uintptr_t)(phys + DIRECT_BASE);
}

/* Only for addresses within the direct map. */
static inline uint32_t virt_to_phys(const void *virt)
{
	return (uint32_t)(uintptr_t)virt - DIRECT_BASE;
}

#endif
