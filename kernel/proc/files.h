/* SPDX-License-Identifier: MIT */
/*
 * System calls for the files of a process; see kernel/proc/syscall.h. There is no
 * file system: a process has its input, 0, and its output, 1 and 2.
 */
#ifndef KERNEL_PROC_FILES_H
#define KERNEL_PROC_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct process;
struct trap_frame;

/* Whether a number is that of an open file. */
bool files_is_open(const struct process *process, uint32_t fd);

int32_t files_read(struct process *process, const struct trap_frame *frame);
int32_t files_write(struct process *process, const struct trap_frame *frame);
int32_t files_readv(struct process *process, const struct trap_frame *frame);
int32_t files_writev(struct process *process, const struct trap_frame *frame);

/* A file that was closed is none any more. */
int32_t files_close(struct process *process, const struct trap_frame *frame);

/* Of any name: there is no such file, and none can be created. */
int32_t files_open(struct process *process, const struct trap_frame *frame);
int32_t files_openat(struct process *process, const struct trap_frame *frame);

/* Of an open file: it is a pipe. */
int32_t files_fstat64(struct process *process, const struct trap_frame *frame);
int32_t files_statx(struct process *process, const struct trap_frame *frame);
int32_t files_seek(struct process *process, const struct trap_frame *frame);

/* Says of each that it is no terminal. */
int32_t files_ioctl(struct process *process, const struct trap_frame *frame);

#endif
