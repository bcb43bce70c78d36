/* SPDX-License-Identifier: MIT */
/* From a program's file and its arguments to memory that it can run in. */
#ifndef KERNEL_PROC_LOAD_H
#define KERNEL_PROC_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/proc/elf.h"
#include "kernel/proc/memory.h"

/* Bytes of name and arguments, with what ends each. */
#define LOAD_ARGUMENTS_MAX 4096U

/**
 * struct load_words - what a program is told
 * @name: its first argument, and the name of its file
 * @arguments: the others, between spaces; NULL for none
 */
struct load_words {
	const char *name, *arguments;
};

/**
 * load_program() - fill a process's memory
 * @memory: with nothing in it; its space is the current one
 * @program: what elf_read() has found in @file, with USER_BASE and LOAD_END
 * @file: the program's file
 * @words: what is put on its stack, as Linux does it: argc, argv, an environment
 *         with nothing in it, and the auxiliary vector
 * @stack_pointer: receives where the program finds them
 *
 * Places the segments, the heap behind them, and the stack. Pages that have bytes
 * of the file are there then, and so is the top of the stack.
 *
 * Return: NULL, or in words what is wrong; then some may be done.
 */
const char *load_program(struct memory *memory, const struct elf_program *program, const void *file,
			 const struct load_words *words, uintptr_t *stack_pointer);

/* A program ends here at the latest: there is a page for the heap, and one behind it. */
#define LOAD_END (USER_MAP_END - 2 * PAGE_SIZE)

#endif
