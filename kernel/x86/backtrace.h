/* SPDX-License-Identifier: MIT */
/* Who called whom, by frame pointers and the symbol table linked into the image. */
#ifndef KERNEL_X86_BACKTRACE_H
#define KERNEL_X86_BACKTRACE_H

#include <stdint.h>

/* At most this many lines are printed, so that a damaged chain of frames ends. */
#define BACKTRACE_MAX 24

/**
 * symbol_name() - which function an address lies in
 * @address: any address
 * @offset: receives the distance from the function's start
 *
 * O(log symbols). Return: the name, "?" if @address is not in kernel text.
 */
const char *symbol_name(uintptr_t address, uint32_t *offset);

/**
 * backtrace_print() - print a line for each caller
 * @eip: a return address to begin with
 * @ebp: the frame pointer there
 *
 * Follows frame pointers only upwards and within mapped stacks. A function that
 * calls no other may have no frame; if the fault is in such a one, the line of
 * its caller is missing.
 */
void backtrace_print(uintptr_t eip, uintptr_t ebp);

/**
 * backtrace_print_fault() - the same for an exception
 * @esp: the stack pointer at the fault
 *
 * Where @eip is not in kernel text, as after a call of a bad pointer, the word
 * on top of the stack is taken for where that call came from.
 */
void backtrace_print_fault(uintptr_t eip, uintptr_t ebp, uintptr_t esp);

#endif
