/* SPDX-License-Identifier: MIT */
/*
 * System calls.
 *
 * No lock is needed, and nothing that was checked can change before it is used:
 * a process has one thread and no memory is shared, and the kernel is left in the
 * middle of a call only where it says so, by process_wait() and process_pause().
 */
#include "kernel/proc/syscall.h"
#include "kernel/dev/timer.h"
#include "kernel/proc/files.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"

#include <errno.h>
#include <limits.h>
#include <printf.h>
#include <stddef.h>
#include <string.h>

#define STATUS_MASK   0xFF
#define STATUS_SIGNAL 128
#define STATUS_KILLED (STATUS_SIGNAL + 9)
#define SIGNAL_MAX    64
#define NS_PER_TICK   (1000000000U / TIMER_HZ)

#define PROT_READ  1U
#define PROT_WRITE 2U
#define PROT_EXEC  4U

#define MAP_SHARED    0x01U
#define MAP_PRIVATE   0x02U
#define MAP_FIXED     0x10U
#define MAP_ANONYMOUS 0x20U

#define CLOCK_MONOTONIC 1U

/* Flags of a user_desc. */
#define DESC_32_BIT	 0x01U
#define DESC_CONTENTS	 0x06U
#define DESC_READ_ONLY	 0x08U
#define DESC_PAGES	 0x10U
#define DESC_NOT_PRESENT 0x20U

#define ANY_ENTRY UINT32_MAX /* the kernel shall choose one */

struct user_desc {
	uint32_t entry, base, limit, flags;
};

struct time_spec {
	uint32_t seconds, nanoseconds;
};

void syscall_out_of_memory(const struct trap_frame *frame, uintptr_t address)
{
	struct process_end end = { .fate = PROCESS_OUT_OF_MEMORY,
				   .status = STATUS_KILLED,
				   .address = address,
				   .eip = frame->eip };

	snprintf(end.reason, sizeof(end.reason),
		 "out of memory: no page for 0x%08lx, touched at eip 0x%08lx",
		 (unsigned long)address, (unsigned long)end.eip);
	process_exit(&end);
}

int32_t syscall_checked(int error, const struct trap_frame *frame, uintptr_t address)
{
	if (error == -ENOMEM)
		syscall_out_of_memory(frame, address);
	return error;
}

static int32_t sys_exit(struct process *process, const struct trap_frame *frame)
{
	const struct process_end end = { .fate = PROCESS_EXITED,
					 .status = (int)(frame->ebx & STATUS_MASK) };

	(void)process;
	process_exit(&end);
}

/* Signals that do nothing where they are not handled, or stop a process for somebody to see. */
static bool is_ignored(uint32_t number)
{
	return number == 0 || (number >= 17 && number <= 23) || number == 28;
}

/* There are no handlers: a signal is ignored, or the end. Nobody but itself may send one. */
static int32_t signal_self(const struct process *process, uint32_t to, uint32_t number)
{
	struct process_end end = { .fate = PROCESS_KILLED, .status = STATUS_SIGNAL + (int)number };

	if (to != process->id)
		return -ESRCH;
	if (number > SIGNAL_MAX)
		return -EINVAL;
	if (is_ignored(number))
		return 0;
	snprintf(end.reason, sizeof(end.reason), "ended itself by signal %u", number);
	process_exit(&end);
}

/* 0 is all of its group, which is itself. */
static int32_t sys_kill(struct process *process, const struct trap_frame *frame)
{
	return signal_self(process, frame->ebx ? frame->ebx : process->id, frame->ecx);
}

static int32_t sys_tkill(struct process *process, const struct trap_frame *frame)
{
	return (int32_t)frame->ebx > 0 ? signal_self(process, frame->ebx, frame->ecx) : -EINVAL;
}

static int32_t sys_tgkill(struct process *process, const struct trap_frame *frame)
{
	if ((int32_t)frame->ebx <= 0 || (int32_t)frame->ecx <= 0)
		return -EINVAL;
	return frame->ebx == process->id ? signal_self(process, frame->ecx, frame->edx) : -ESRCH;
}

static int32_t sys_getpid(struct process *process, const struct trap_frame *frame)
{
	(void)frame;
	return (int32_t)process->id;
}

static int32_t sys_brk(struct process *process, const struct trap_frame *frame)
{
	return (int32_t)memory_brk(&process->memory, frame->ebx);
}

/* What can be read can be run, and what can be written can be read. */
static unsigned int page_prot(uint32_t prot)
{
	return (prot ? PAGE_USER : 0) | (prot & PROT_WRITE ? PAGE_WRITE : 0);
}

static int32_t sys_mmap2(struct process *process, const struct trap_frame *frame)
{
	uint32_t prot = frame->edx & (PROT_READ | PROT_WRITE | PROT_EXEC), flags = frame->esi;

	if (!(flags & MAP_ANONYMOUS))
		return files_is_open(process, frame->edi) ? -ENODEV : -EBADF;
	if (!(flags & (MAP_SHARED | MAP_PRIVATE)))
		return -EINVAL;
	return memory_map(&process->memory, frame->ebx, frame->ecx, page_prot(prot),
			  flags & MAP_FIXED);
}

static int32_t sys_munmap(struct process *process, const struct trap_frame *frame)
{
	return memory_unmap(&process->memory, frame->ebx, frame->ecx);
}

static int32_t sys_mprotect(struct process *process, const struct trap_frame *frame)
{
	if (frame->edx & ~(PROT_READ | PROT_WRITE | PROT_EXEC))
		return -EINVAL;
	return memory_protect(&process->memory, frame->ebx, frame->ecx, page_prot(frame->edx));
}

/* A descriptor that stands for none: all 0, or read-only and not present and nothing else. */
static bool is_empty(const struct user_desc *desc)
{
	uint32_t flags = desc->flags & (DESC_32_BIT | DESC_CONTENTS | DESC_READ_ONLY | DESC_PAGES |
					DESC_NOT_PRESENT);

	return desc->base == 0 && desc->limit == 0 &&
	       (flags == 0 || flags == (DESC_READ_ONLY | DESC_NOT_PRESENT));
}

/* Of Linux's three entries there is the first; and of its segments those of 32 bits for data. */
static int32_t sys_set_thread_area(struct process *process, const struct trap_frame *frame)
{
	struct user_desc desc;
	bool choose;

	if (syscall_checked(memory_read(&process->memory, &desc, frame->ebx, sizeof(desc)), frame,
			    frame->ebx))
		return -EFAULT;
	choose = desc.entry == ANY_ENTRY;
	if (!choose && desc.entry != SEGMENT_TLS_ENTRY)
		return -EINVAL;
	if (!is_empty(&desc) && ((desc.flags & (DESC_CONTENTS | DESC_NOT_PRESENT)) ||
				 !(desc.flags & DESC_32_BIT) || desc.limit > 0xFFFFF))
		return -EINVAL;
	if (choose && process->tls)
		return -ESRCH;
	desc.entry = SEGMENT_TLS_ENTRY;
	if (choose && syscall_checked(memory_write(&process->memory, frame->ebx, &desc.entry,
						   sizeof(desc.entry)),
				      frame, frame->ebx))
		return -EFAULT;
	process_set_tls(is_empty(&desc)
				? 0
				: segment_for_user(desc.base, desc.limit, desc.flags & DESC_PAGES,
						   !(desc.flags & DESC_READ_ONLY)));
	return 0;
}

/* Time since boot: there is no other clock. */
static int32_t sys_clock_gettime(struct process *process, const struct trap_frame *frame)
{
	uint32_t ticks = timer_ticks();
	const struct time_spec now = { ticks / TIMER_HZ, ticks % TIMER_HZ * NS_PER_TICK };

	if (frame->ebx != CLOCK_MONOTONIC)
		return -EINVAL;
	return syscall_checked(memory_write(&process->memory, frame->ecx, &now, sizeof(now)), frame,
			       frame->ecx);
}

typedef int32_t system_call(struct process *process, const struct trap_frame *frame);

static system_call *const system_calls[] = {
	[SYSTEM_CALL_EXIT] = sys_exit,
	[SYSTEM_CALL_READ] = files_read,
	[SYSTEM_CALL_WRITE] = files_write,
	[SYSTEM_CALL_OPEN] = files_open,
	[SYSTEM_CALL_CLOSE] = files_close,
	[SYSTEM_CALL_LSEEK] = files_seek,
	[SYSTEM_CALL_GETPID] = sys_getpid,
	[SYSTEM_CALL_KILL] = sys_kill,
	[SYSTEM_CALL_BRK] = sys_brk,
	[SYSTEM_CALL_IOCTL] = files_ioctl,
	[SYSTEM_CALL_MUNMAP] = sys_munmap,
	[SYSTEM_CALL_MPROTECT] = sys_mprotect,
	[SYSTEM_CALL_LLSEEK] = files_seek,
	[SYSTEM_CALL_READV] = files_readv,
	[SYSTEM_CALL_WRITEV] = files_writev,
	[SYSTEM_CALL_MMAP2] = sys_mmap2,
	[SYSTEM_CALL_FSTAT64] = files_fstat64,
	[SYSTEM_CALL_GETTID] = sys_getpid,
	[SYSTEM_CALL_TKILL] = sys_tkill,
	[SYSTEM_CALL_SET_THREAD_AREA] = sys_set_thread_area,
	[SYSTEM_CALL_EXIT_GROUP] = sys_exit,
	[SYSTEM_CALL_SET_TID_ADDRESS] = sys_getpid,
	[SYSTEM_CALL_CLOCK_GETTIME] = sys_clock_gettime,
	[SYSTEM_CALL_TGKILL] = sys_tgkill,
	[SYSTEM_CALL_OPENAT] = files_openat,
	[SYSTEM_CALL_STATX] = files_statx,
};

void syscall_dispatch(struct process *process, struct trap_frame *frame)
{
	const uint32_t n = sizeof(system_calls) / sizeof(system_calls[0]);
	system_call *call = frame->eax < n ? system_calls[frame->eax] : NULL;

	frame->eax = call ? (uint32_t)call(process, frame) : (uint32_t)-ENOSYS;
}
