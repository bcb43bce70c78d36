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
#define NAME_MAX    4096

#define O_CREAT 0x40U

#define AT_EMPTY_PATH	  0x1000U
#define STATX_BASIC_STATS 0x7FFU
#define IS_PIPE		  0010600U /* that its owner reads and writes */

struct io_vector {
	uint32_t base, size;
};

struct stat64 {
	uint64_t device;
	uint32_t reserved, inode_low, mode, links, user, group;
	uint64_t special;
	uint32_t reserved_2;
	uint64_t size;
	uint32_t block_size;
	uint64_t blocks;
	uint32_t times[6];
	uint64_t inode;
} __attribute__((packed));

struct statx {
	uint32_t mask, block_size;
	uint64_t attributes;
	uint32_t links, user, group;
	uint16_t mode, reserved;
	uint64_t rest[28];
};

_Static_assert(sizeof(struct stat64) == 96 && sizeof(struct statx) == 256, "as on Linux");

bool files_is_open(const struct process *process, uint32_t fd)
{
	return fd <= STDERR && !(process->closed & 1U << fd);
}

/* One line, or what there is of it. The process waits if that is nothing. */
static int32_t read_line(struct process *process, const struct trap_frame *frame, uintptr_t address,
			 size_t size)
{
	uint32_t n = 0;

	while (n < size && n < INT_MAX) {
		int c = process->input(process->context);
		char byte = (char)c;

		if (c == PROCESS_INPUT_END || (c == PROCESS_INPUT_NONE && n > 0))
			break;
		if (c == PROCESS_INPUT_NONE) {
			process_wait();
			continue;
		}
		syscall_checked(memory_write(&process->memory, address + n, &byte, 1), frame,
				address + n);
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
	return read_line(process, frame, frame->ecx, frame->edx);
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

/* How many bytes all pieces are, or an error. They are checked before anything is done. */
static int32_t check_vectors(struct process *process, const struct trap_frame *frame, bool write)
{
	uint32_t n = frame->edx, total = 0;
	struct io_vector vector;

	if (n > VECTORS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < n; i++) {
		if (read_vector(process, frame, i, &vector))
			return -EFAULT;
		if (vector.size > INT_MAX - total)
			return -EINVAL;
		if (!memory_allows(&process->memory, vector.base, vector.size, write))
			return -EFAULT;
		total += vector.size;
	}
	return (int32_t)total;
}

/* The first piece with room is filled, as far as there is something: that is a short read. */
int32_t files_readv(struct process *process, const struct trap_frame *frame)
{
	struct io_vector vector = { 0, 0 };
	int32_t total;

	if (frame->ebx != STDIN || !files_is_open(process, STDIN))
		return -EBADF;
	total = check_vectors(process, frame, true);
	if (total <= 0)
		return total;
	for (uint32_t i = 0; vector.size == 0; i++)
		read_vector(process, frame, i, &vector);
	return read_line(process, frame, vector.base, vector.size);
}

int32_t files_writev(struct process *process, const struct trap_frame *frame)
{
	struct io_vector vector;
	int32_t total;

	if (!can_be_written(process, frame->ebx))
		return -EBADF;
	total = check_vectors(process, frame, false);
	for (uint32_t i = 0; total > 0 && i < frame->edx; i++) {
		read_vector(process, frame, i, &vector);
		write_out(process, frame, vector.base, vector.size);
	}
	return total;
}

int32_t files_ioctl(struct process *process, const struct trap_frame *frame)
{
	return files_is_open(process, frame->ebx) ? -ENOTTY : -EBADF;
}

int32_t files_close(struct process *process, const struct trap_frame *frame)
{
	if (!files_is_open(process, frame->ebx))
		return -EBADF;
	process->closed |= 1U << frame->ebx;
	return 0;
}

/* How long a name is; or an error. */
static int32_t name_length(struct process *process, const struct trap_frame *frame,
			   uintptr_t address)
{
	char c;

	for (int32_t n = 0; n < NAME_MAX; n++) {
		uintptr_t at = address + (uintptr_t)n;

		if (syscall_checked(memory_read(&process->memory, &c, at, 1), frame, at))
			return -EFAULT;
		if (!c)
			return n;
	}
	return -ENAMETOOLONG;
}

static int32_t open_name(struct process *process, const struct trap_frame *frame, uintptr_t name,
			 uint32_t flags)
{
	int32_t length = name_length(process, frame, name);

	if (length < 0)
		return length;
	return length > 0 && flags & O_CREAT ? -EROFS : -ENOENT;
}

int32_t files_open(struct process *process, const struct trap_frame *frame)
{
	return open_name(process, frame, frame->ebx, frame->ecx);
}

int32_t files_openat(struct process *process, const struct trap_frame *frame)
{
	return open_name(process, frame, frame->ecx, frame->edx);
}

static int32_t give(struct process *process, const struct trap_frame *frame, uintptr_t to,
		    const void *from, size_t size)
{
	return syscall_checked(memory_write(&process->memory, to, from, size), frame, to);
}

int32_t files_fstat64(struct process *process, const struct trap_frame *frame)
{
	const struct stat64 stat = { .mode = IS_PIPE, .links = 1, .block_size = PAGE_SIZE };

	if (!files_is_open(process, frame->ebx))
		return -EBADF;
	return give(process, frame, frame->ecx, &stat, sizeof(stat));
}

int32_t files_statx(struct process *process, const struct trap_frame *frame)
{
	const struct statx stat = {
		.mask = STATX_BASIC_STATS, .mode = IS_PIPE, .links = 1, .block_size = PAGE_SIZE
	};
	int32_t length = name_length(process, frame, frame->ecx);

	if (length < 0)
		return length;
	if (length > 0 || !(frame->edx & AT_EMPTY_PATH))
		return -ENOENT;
	if (!files_is_open(process, frame->ebx))
		return -EBADF;
	return give(process, frame, frame->edi, &stat, sizeof(stat));
}

int32_t files_seek(struct process *process, const struct trap_frame *frame)
{
	return files_is_open(process, frame->ebx) ? -ESPIPE : -EBADF;
}
