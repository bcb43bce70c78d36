/* SPDX-License-Identifier: MIT */
/*
 * Reading a program's file: ELF, for 32-bit x86, linked to fixed addresses.
 *
 * The file comes from outside: nothing in it is believed before it is checked.
 * Pure: nothing is read but the arguments and nothing is kept, so that it is
 * tested on the host as well.
 */
#ifndef KERNEL_PROC_ELF_H
#define KERNEL_PROC_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A linker makes a dozen headers, and four segments of them. */
#define ELF_MAX_HEADERS	 64U
#define ELF_MAX_SEGMENTS 16U

/* Size of a program header, in memory as in the file: what AT_PHENT says. */
#define ELF_HEADER_SIZE 32U

/**
 * struct elf_segment - what is to be in memory from @start up to @end
 * @start: any byte, not only that of a page
 * @end: above @start
 * @offset: where in the file its bytes begin; 0 if it has none
 * @file_size: so many bytes at @start come from the file, the rest is zero
 * @writable: the program may write there
 */
struct elf_segment {
	uintptr_t start, end;
	size_t offset, file_size;
	bool writable;
};

/**
 * struct elf_program - what a file says of its program
 * @entry: where it begins to run; inside a segment
 * @headers: where the program headers lie in memory, 0 if in no segment
 * @nheaders: how many there are, of ELF_HEADER_SIZE bytes each
 * @nsegments: at least one
 * @segments: ascending; no two have a byte of the same page
 * @heap: where it keeps its struct heap, by the note "Fencepost": in a segment
 *        that is writable; 0 if there is no such note
 */
struct elf_program {
	uintptr_t entry, headers;
	unsigned int nheaders, nsegments;
	struct elf_segment segments[ELF_MAX_SEGMENTS];
	uintptr_t heap;
};

/**
 * elf_read() - find out what a program's file says, and whether it can be run
 * @program: receives it; holds nothing of use if the file is refused
 * @file: its bytes, at any alignment
 * @size: how many
 * @low: no segment may begin below this address; page-aligned, above 0
 * @high: no segment may end above this one; page-aligned, at most 4 GiB less a page
 *
 * O(size) and at most ELF_MAX_HEADERS times that, should each header be of
 * notes. Whether there is memory for the segments is not looked at.
 *
 * Return: NULL, or in words why this cannot be run.
 */
const char *elf_read(struct elf_program *program, const void *file, size_t size, uintptr_t low,
		     uintptr_t high);

#endif
