/* SPDX-License-Identifier: MIT */
/*
 * System calls for the files of a process. It has three, each like one end of a
 * pipe: what it reads comes from the input that it was created with, what it
 * writes goes to the output.
 */
#include "kernel/proc/files.h"
#include "kernel/mm/layout.h"
#include "kernel/proc/process.h"
#include "kernel/proc/syscall.h"
#include "kernel/x86/trap.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#define STDIN	    0
#define STDERR	    2
#define VECTORS_MAX 1024 /* pieces of one writev() */

struct io_vector {
	uint32_t base, size;
};

bool files_is_open(const struct process *process, uint32_t fd)
{
	(void)process;
	return fd <= STDERR;
}

/* One line, or what there is of it. The process waits if that is nothing. */
static int32_t read_line(struct process *process, const struct trap_frame *frame)
{
	uint32_t n = 0;

	while (n < frame->edx && n < INT_MAX) {
		int c = process->input(process->context);
		char byte = (char)c;

		if (c == PROCESS_INPUT_END || (c == PROCESS_INPUT_NONE && n > 0))
			break;
		if (c == PROCESS_INPUT_NONE) {
			process_wait();
			continue;
		}
		syscall_checked(memory_write(&process->memory, frame->ecx + n, &byte, 1), frame,
				frame->ecx + n);
		n++;
		if (byte == '\n')
			break;
	}
	return (int32_t)n;
}

int32_t files_read(struct process *process, const struct trap_frame *frame)
{
	if (frame->ebx != STDIN || !files_is_open(process, STDIN))
		return -EBADF;
	if (!memory_allows(&process->memory, frame->ecx, frame->edx, true))
		return -EFAULT;
	return read_line(process, frame);
}

/* What the process may read, page by page: others run in between if it takes long. */
static void write_out(struct process *process, const struct trap_frame *frame, uintptr_t address,
		      size_t size)
{
	while (size > 0) {
		size_t n = PAGE_SIZE - (address & PAGE_MASK);

		n = n < size ? n : size;
		syscall_checked(memory_touch(&process->memory, address, false), frame, address);
		process->output(process->context, (const char *)address, n);
		address += n;
		size -= n;
		process_pause();
	}
}

static bool can_be_written(const struct process *process, uint32_t fd)
{
	return fd > STDIN && files_is_open(process, fd);
}

int32_t files_write(struct process *process, const struct trap_frame *frame)
{
	if (!can_be_written(process, frame->ebx))
		return -EBADF;
	if (!memory_allows(&process->memory, frame->ecx, frame->edx, false))
		return -EFAULT;
	if (frame->edx > INT_MAX)
		return -EINVAL;
	write_out(process, frame, frame->ecx, frame->edx);
	return (int32_t)frame->edx;
}

static int32_t read_vector(struct process *process, const struct trap_frame *frame, uint32_t i,
			   struct io_vector *vector)
{
	uintptr_t address = frame->ecx + i * sizeof(*vector);

	return syscall_checked(memory_read(&process->memory, vector, address, sizeof(*vector)),
			       frame, address);
}

/* All pieces are checked before the first is written. */
int32_t files_writev(struct process *process, const struct trap_frame *frame)
{
	uint32_t n = frame->edx, total = 0;
	struct io_vector vector;

	if (!can_be_written(process, frame->ebx))
		return -EBADF;
	if (n > VECTORS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		if (read_vector(process, frame, i, &vector))
			return -EFAULT;
		if (vector.size > INT_MAX - total)
			return -EINVAL;
		if (!memory_allows(&process->memory, vector.base, vector.size, false))
			return -EFAULT;
		total += vector.size;
	}
	for (uint32_t i = 0; i < n; i++) {
		read_vector(process, frame, i, &vector);
		write_out(process, frame, vector.base, vector.size);
	}
	return (int32_t)total;
}

int32_t files_ioctl(struct process *process, const struct trap_frame *frame)
{
	return files_is_open(process, frame->ebx) ? -ENOTTY : -EBADF;
}
