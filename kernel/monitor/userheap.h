/* SPDX-License-Identifier: MIT */
/*
 * The heap of a program, seen from outside.
 *
 * Its ELF file says where its struct heap lies (kernel/proc/elf.h). What is there
 * is the program's, which may have put anything there: no word of it is used
 * before it is checked, each is read through memory_peek(), and none becomes a
 * pointer of the kernel's.
 */
#ifndef KERNEL_MONITOR_USERHEAP_H
#define KERNEL_MONITOR_USERHEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mm/heap.h"
#include "kernel/proc/memory.h"

/* So many pieces are followed at most: lengths that make sense may lead through all memory. */
#define USERHEAP_MOST (1U << 20)

/**
 * struct userheap_fault - why a heap was not followed to its end
 * @address: of the word concerned
 * @reason: in words; NULL if it was followed to its end
 */
struct userheap_fault {
	uintptr_t address;
	const char *reason;
};

/**
 * userheap_walk() - see the pieces of a program's heap, as heap_walk() does
 * @memory: of a process that does not run meanwhile
 * @heap: where its struct heap lies; any address
 * @visit: sees them; addresses are the program's. false ends the walk
 * @fault: receives what is wrong, if anything is
 *
 * What each block says is compared with what its neighbours say. A program that
 * is in the middle of a call may have a heap that is not as it should be.
 *
 * O(blocks). Return: whether all was seen.
 */
bool userheap_walk(struct memory *memory, uintptr_t heap, heap_visitor *visit, void *context,
		   struct userheap_fault *fault);

#endif
