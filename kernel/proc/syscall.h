/* SPDX-License-Identifier: MIT */
/*
 * System calls: by the numbers, registers and results of Linux on i386.
 *
 *	eax                                what is called; then the result
 *	ebx, ecx, edx, esi, edi, ebp       its arguments
 *
 * A result from -4095 to -1 is an error, negated. Numbers that are not in the
 * table give -ENOSYS. What a pointer points to is checked before anything is
 * done; a bad one gives -EFAULT, and nothing has changed.
 */
#ifndef KERNEL_PROC_SYSCALL_H
#define KERNEL_PROC_SYSCALL_H

#include "kernel/proc/process.h"

struct trap_frame;

enum {
	SYSTEM_CALL_EXIT = 1,
	SYSTEM_CALL_READ = 3,
	SYSTEM_CALL_WRITE = 4,
	SYSTEM_CALL_OPEN = 5,
	SYSTEM_CALL_CLOSE = 6,
	SYSTEM_CALL_LSEEK = 19,
	SYSTEM_CALL_GETPID = 20,
	SYSTEM_CALL_KILL = 37,
	SYSTEM_CALL_BRK = 45,
	SYSTEM_CALL_IOCTL = 54,
	SYSTEM_CALL_MUNMAP = 91,
	SYSTEM_CALL_MPROTECT = 125,
	SYSTEM_CALL_LLSEEK = 140,
	SYSTEM_CALL_READV = 145,
	SYSTEM_CALL_WRITEV = 146,
	SYSTEM_CALL_MMAP2 = 192,
	SYSTEM_CALL_FSTAT64 = 197,
	SYSTEM_CALL_GETTID = 224,
	SYSTEM_CALL_TKILL = 238,
	SYSTEM_CALL_SET_THREAD_AREA = 243,
	SYSTEM_CALL_EXIT_GROUP = 252,
	SYSTEM_CALL_SET_TID_ADDRESS = 258,
	SYSTEM_CALL_CLOCK_GETTIME = 265,
	SYSTEM_CALL_TGKILL = 270,
	SYSTEM_CALL_OPENAT = 295,
	SYSTEM_CALL_STATX = 383,
};

/**
 * syscall_dispatch() - do what the current process asks for
 * @process: the current one
 * @frame: its registers; eax receives the result
 *
 * Does not return where that is its end.
 */
void syscall_dispatch(struct process *process, struct trap_frame *frame);

/* Ends the current process: a page that it touched, at @address, could not be provided. */
void __attribute__((noreturn))
syscall_out_of_memory(const struct trap_frame *frame, uintptr_t address);

/*
 * For results of memory_read() and its kin: what a process is not told is that
 * memory ran out. Return: @error, if it is anything else.
 */
int32_t syscall_checked(int error, const struct trap_frame *frame, uintptr_t address);

#endif
