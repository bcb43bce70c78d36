/* SPDX-License-Identifier: MIT */
/* System calls: each does what it does on Linux, and refuses what it refuses there. */
#include "kernel/dev/console.h"
#include "kernel/dev/timer.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/proc/syscall.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <errno.h>
#include <string.h>

#define DATA	  (PROGRAM_DATA + 0x8000) /* behind the steps */
#define DATA_END  PROGRAM_HEAP
#define HEAP	  PROGRAM_HEAP
#define TOP	  USER_MAP_END
#define PAGE	  PAGE_SIZE
#define KERNEL	  0xC0100000U
#define NOT_THERE 0x20000000U

#define RW     3U
#define RO     1U
#define ANON   0x22U
#define FIXED  0x32U
#define SHARED 0x21U

#define PEEK(address)                                                                              \
	{                                                                                          \
		SCRIPT_PEEK, { address }, 0                                                        \
	}
#define POKE(address, value)                                                                       \
	{                                                                                          \
		SCRIPT_POKE, { address, value }, SCRIPT_POKE                                       \
	}
#define CALL(name, ...)                                                                            \
	SYSTEM_CALL_##name,                                                                        \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static struct program program;

/* Does the steps in a process, and says which of them did not have the result written there. */
static void give(struct step *steps, enum process_fate fate)
{
	static struct step expected[64];
	size_t n = 0;

	while (steps[n].call != SCRIPT_END)
		n++;
	memcpy(expected, steps, n * sizeof(steps[0]));
	CHECK_EQ(script_run(&program, steps), fate);
	for (size_t i = 0; i < n && fate == PROCESS_EXITED; i++) {
		if (steps[i].result == expected[i].result)
			continue;
		kprintf("# step %zu: call %u (0x%x, 0x%x, 0x%x)\n", i, steps[i].call,
			steps[i].args[0], steps[i].args[1], steps[i].args[2]);
		CHECK_EQ(steps[i].result, expected[i].result);
	}
}

#define GIVES(...) give((struct step[]){ __VA_ARGS__, { SCRIPT_END, { 0 }, 0 } }, PROCESS_EXITED)
#define ENDS(...)  give((struct step[]){ __VA_ARGS__, { SCRIPT_END, { 0 }, 0 } }, PROCESS_FAULTED)

static bool ended_at(uintptr_t address)
{
	return program.end.vector == TRAP_PAGE_FAULT && program.end.address == address;
}

KTEST(numbers_that_are_no_system_call_give_enosys)
{
	GIVES({ 0, { 0 }, -ENOSYS }, { 2, { 0 }, -ENOSYS }, { 7, { 0 }, -ENOSYS },
	      { 266, { 0 }, -ENOSYS }, { 400, { 0 }, -ENOSYS }, { 0x80000000, { 0 }, -ENOSYS },
	      { 0x7FFFFFFF, { 0 }, -ENOSYS }, { UINT32_MAX, { 0 }, -ENOSYS });
}

KTEST(exit_status_is_its_lowest_byte)
{
	give((struct step[]){ { CALL(EXIT, 0x12345), 0 }, { SCRIPT_END, { 0 }, 0 } },
	     PROCESS_EXITED);
	CHECK_EQ(program.end.status, 0x45);
	give((struct step[]){ { CALL(EXIT_GROUP, UINT32_MAX), 0 }, { SCRIPT_END, { 0 }, 0 } },
	     PROCESS_EXITED);
	CHECK_EQ(program.end.status, 0xFF);
}

KTEST(getpid_gettid_and_set_tid_address_give_the_processs_number)
{
	struct step steps[] = { { CALL(GETPID, 0), 0 },
				{ CALL(GETTID, 0), 0 },
				{ CALL(SET_TID_ADDRESS, DATA), 0 },
				{ CALL(SET_TID_ADDRESS, KERNEL), 0 },
				{ SCRIPT_END, { 0 }, 0 } };
	uint32_t before;

	CHECK_EQ(script_run(&program, steps), PROCESS_EXITED);
	for (unsigned int i = 1; i < 4; i++)
		CHECK_EQ(steps[i].result, steps[0].result);
	before = steps[0].result;
	CHECK_EQ(script_run(&program, steps), PROCESS_EXITED);
	CHECK_EQ(steps[0].result, before + 1);
}

KTEST(write_gives_what_it_has_written_and_refuses_what_is_not_there)
{
	GIVES({ CALL(WRITE, 1, PROGRAM_DATA + 28, 4), 4 }, POKE(DATA, 0x34333231),
	      POKE(DATA_END - 4, 0x38373635), { CALL(WRITE, 1, DATA, 4), 4 },
	      { CALL(WRITE, 2, DATA_END - 4, 4), 4 }, { CALL(WRITE, 1, DATA, 0), 0 },
	      { CALL(WRITE, 1, 0, 0), 0 }, { CALL(WRITE, 1, DATA_END - 4, 5), -EFAULT },
	      { CALL(WRITE, 1, 0, 1), -EFAULT }, { CALL(WRITE, 1, KERNEL, 1), -EFAULT },
	      { CALL(WRITE, 1, USER_END - 1, 2), -EFAULT },
	      { CALL(WRITE, 1, UINT32_MAX, 1), -EFAULT },
	      { CALL(WRITE, 1, UINT32_MAX, UINT32_MAX), -EFAULT },
	      { CALL(WRITE, 1, DATA, UINT32_MAX), -EFAULT },
	      { CALL(WRITE, 1, DATA, 0 - DATA), -EFAULT },
	      { CALL(WRITE, 1, NOT_THERE, 1), -EFAULT }, { CALL(WRITE, 0, DATA, 4), -EBADF },
	      { CALL(WRITE, 3, DATA, 4), -EBADF }, { CALL(WRITE, -1, DATA, 4), -EBADF });
	CHECK_EQ(program.length, 12);
	CHECK(memcmp(program.said + 4, "12345678", 8) == 0);
}

/* A page that was not touched is provided for reading it, and the program's own text can be read. */
KTEST(write_of_memory_that_was_not_touched_gives_zeroes)
{
	GIVES({ CALL(WRITE, 1, DATA + 100, 3 * PAGE), 3 * PAGE },
	      { CALL(WRITE, 1, PROGRAM_TEXT, 4), 4 });
	for (unsigned int i = 0; i < 3 * PAGE; i++)
		CHECK_EQ(program.said[i], 0);
	CHECK(memcmp(program.said + 3 * PAGE, "\177ELF", 4) == 0);
}

KTEST(writev_writes_all_pieces_or_none)
{
	GIVES(POKE(DATA, 0x34333231), POKE(DATA + 16, DATA), POKE(DATA + 20, 2),
	      POKE(DATA + 24, DATA + 2), POKE(DATA + 28, 1), POKE(DATA + 32, 0), POKE(DATA + 36, 0),
	      { CALL(WRITEV, 1, DATA + 16, 3), 3 }, { CALL(WRITEV, 1, DATA + 16, 0), 0 },
	      { CALL(WRITEV, 0, DATA + 16, 1), -EBADF },
	      { CALL(WRITEV, 1, DATA + 16, 1025), -EINVAL },
	      { CALL(WRITEV, 1, DATA + 16, -1), -EINVAL },
	      { CALL(WRITEV, 1, DATA_END - 8, 2), -EFAULT },
	      { CALL(WRITEV, 1, KERNEL, 1), -EFAULT }, POKE(DATA + 32, KERNEL), POKE(DATA + 36, 1),
	      { CALL(WRITEV, 1, DATA + 16, 3), -EFAULT }, POKE(DATA + 36, 0x7FFFFFFD),
	      { CALL(WRITEV, 1, DATA + 16, 3), -EINVAL }, POKE(DATA + 36, UINT32_MAX),
	      { CALL(WRITEV, 1, DATA + 16, 3), -EINVAL });
	CHECK_EQ(program.length, 3);
	CHECK(memcmp(program.said, "123", 3) == 0);
}

/* A line at a time, of what was typed. */
KTEST(read_gives_a_line_and_then_the_end)
{
	static const uint32_t expected[] = { 3, 4, 0, -EFAULT, -EFAULT, -EBADF, 0, 2, 0, 0 };
	struct step steps[] = { { CALL(READ, 0, DATA, 3), 0 },
				{ CALL(READ, 0, DATA + 3, 100), 0 },
				{ CALL(READ, 0, DATA, 0), 0 },
				{ CALL(READ, 0, PROGRAM_TEXT, 1), 0 },
				{ CALL(READ, 0, DATA_END - 1, 2), 0 },
				{ CALL(READ, 1, DATA, 1), 0 },
				{ CALL(READ, 0, 0, 0), 0 },
				{ CALL(READ, 0, DATA_END - 2, 2), 0 },
				{ CALL(READ, 0, DATA, 1), 0 },
				{ CALL(READ, 0, DATA, 1), 0 },
				{ CALL(WRITE, 1, DATA, 7), 0 },
				{ SCRIPT_END, { 0 }, 0 } };

	script_make(&program, steps);
	program.typed = "abcdef\nxy";
	CHECK(program_start(&program));
	program_run_all();
	CHECK_EQ(program.end.fate, PROCESS_EXITED);
	CHECK_EQ(program.length, 7 + sizeof(steps) - sizeof(steps[0]));
	CHECK(memcmp(program.said, "abcdef\n", 7) == 0);
	memcpy(steps, program.said + 7, program.length - 7);
	for (unsigned int i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		CHECK_EQ(steps[i].result, expected[i]);
}

KTEST(ioctl_says_that_nothing_is_a_terminal)
{
	GIVES({ CALL(IOCTL, 0, 0x5401, DATA), -ENOTTY }, { CALL(IOCTL, 2, 0x5413, 0), -ENOTTY },
	      { CALL(IOCTL, 3, 0x5401, DATA), -EBADF }, { CALL(IOCTL, -1, 0, 0), -EBADF });
}

KTEST(brk_gives_the_break_as_it_is_then)
{
	GIVES({ CALL(BRK, 0), HEAP }, { CALL(BRK, HEAP + 1), HEAP + 1 }, PEEK(HEAP),
	      POKE(HEAP + PAGE - 4, 5), { CALL(BRK, HEAP + 3 * PAGE), HEAP + 3 * PAGE },
	      PEEK(HEAP + PAGE - 4), POKE(HEAP + 3 * PAGE - 4, 6),
	      { SCRIPT_PEEK, { HEAP + 3 * PAGE - 4 }, 6 }, { CALL(BRK, HEAP + PAGE), HEAP + PAGE },
	      { CALL(BRK, HEAP + 3 * PAGE), HEAP + 3 * PAGE }, PEEK(HEAP + 3 * PAGE - 4),
	      { CALL(BRK, HEAP), HEAP }, { CALL(BRK, HEAP - 1), HEAP },
	      { CALL(BRK, PROGRAM_DATA), HEAP }, { CALL(BRK, 1), HEAP },
	      { CALL(BRK, KERNEL), HEAP }, { CALL(BRK, UINT32_MAX), HEAP },
	      { CALL(BRK, USER_STACK_BASE), HEAP }, { CALL(BRK, TOP), HEAP },
	      { CALL(BRK, TOP - 1), HEAP });
}

KTEST(memory_above_the_break_cannot_be_touched)
{
	ENDS({ CALL(BRK, HEAP + PAGE), HEAP + PAGE }, POKE(HEAP + PAGE - 4, 1), PEEK(HEAP + PAGE));
	CHECK(ended_at(HEAP + PAGE));
	ENDS({ CALL(BRK, HEAP + 2 * PAGE), 0 }, POKE(HEAP + PAGE, 1), { CALL(BRK, HEAP + PAGE), 0 },
	     PEEK(HEAP + PAGE));
	CHECK(ended_at(HEAP + PAGE));
}

KTEST(memory_that_was_given_back_is_refused_as_a_buffer)
{
	GIVES({ CALL(BRK, HEAP + 2 * PAGE), HEAP + 2 * PAGE }, POKE(HEAP + PAGE, 1),
	      { CALL(WRITE, 1, HEAP + PAGE, 4), 4 }, { CALL(BRK, HEAP + PAGE), HEAP + PAGE },
	      { CALL(WRITE, 1, HEAP + PAGE, 4), -EFAULT },
	      { CALL(READ, 0, HEAP + PAGE, 4), -EFAULT },
	      { CALL(CLOCK_GETTIME, 1, HEAP + PAGE - 4), -EFAULT },
	      { CALL(MMAP2, 0, PAGE, RW, ANON, -1, 0), TOP - PAGE }, POKE(TOP - PAGE, 1),
	      { CALL(MUNMAP, TOP - PAGE, PAGE), 0 }, { CALL(WRITE, 1, TOP - PAGE, 1), -EFAULT });
}

KTEST(brk_does_not_run_into_a_mapping_nor_touch_one)
{
	const uint32_t at = HEAP + 8 * PAGE;

	GIVES({ CALL(MMAP2, at, PAGE, RW, FIXED, -1, 0), at }, POKE(at, 7),
	      { CALL(BRK, HEAP + 7 * PAGE), HEAP + 7 * PAGE },
	      { CALL(BRK, HEAP + 7 * PAGE + 1), HEAP + 7 * PAGE },
	      { CALL(BRK, HEAP + 9 * PAGE), HEAP + 7 * PAGE }, { SCRIPT_PEEK, { at }, 7 },
	      { CALL(MUNMAP, at, PAGE), 0 }, { CALL(BRK, HEAP + 9 * PAGE), HEAP + 9 * PAGE },
	      PEEK(at));
}

KTEST(brk_is_refused_what_could_never_be_provided)
{
	uint32_t most = HEAP + frame_count(FRAME_FREE) * PAGE;

	if (frame_count(FRAME_FREE) > (TOP - HEAP) / PAGE - 2)
		return; /* this machine can provide all that there are addresses for */
	GIVES({ CALL(BRK, most + PAGE), HEAP },
	      { CALL(BRK, HEAP + (most - HEAP) / 2), HEAP + (most - HEAP) / 2 },
	      { CALL(MMAP2, 0, most + PAGE - HEAP, RW, ANON, -1, 0), -ENOMEM });
}

KTEST(mmap2_gives_room_from_the_top_downwards)
{
	GIVES({ CALL(MMAP2, 0, 1, RW, ANON, -1, 0), TOP - PAGE }, PEEK(TOP - PAGE),
	      POKE(TOP - 4, 9), { SCRIPT_PEEK, { TOP - 4 }, 9 },
	      { CALL(MMAP2, 0, 3 * PAGE, RW, ANON, -1, 0), TOP - 4 * PAGE },
	      { CALL(MUNMAP, TOP - 2 * PAGE, 2 * PAGE), 0 },
	      { CALL(MMAP2, 0, PAGE, RW, ANON, -1, 0), TOP - PAGE }, PEEK(TOP - 4),
	      { CALL(MMAP2, 0, 2 * PAGE, RW, SHARED | ANON, -1, 0), TOP - 6 * PAGE },
	      { CALL(MMAP2, NOT_THERE, PAGE, RW, ANON, -1, 0), NOT_THERE },
	      { CALL(MMAP2, NOT_THERE, PAGE, RW, ANON, -1, 0), TOP - 2 * PAGE },
	      { CALL(MMAP2, NOT_THERE + PAGE + 1, PAGE, RW, ANON, -1, 0), NOT_THERE + 2 * PAGE },
	      { CALL(MMAP2, HEAP, PAGE, RW, ANON, -1, 0), TOP - 7 * PAGE },
	      { CALL(MMAP2, KERNEL, PAGE, RW, ANON, -1, 0), TOP - 8 * PAGE },
	      { CALL(MMAP2, 0x1000, PAGE, RW, ANON, -1, 0), TOP - 9 * PAGE });
}

KTEST(mmap2_at_a_fixed_place_replaces_what_was_there)
{
	GIVES({ CALL(MMAP2, NOT_THERE, 4 * PAGE, RW, ANON, -1, 0), NOT_THERE }, POKE(NOT_THERE, 1),
	      POKE(NOT_THERE + PAGE, 2), POKE(NOT_THERE + 2 * PAGE, 3),
	      { CALL(MMAP2, NOT_THERE + PAGE, PAGE, RW, FIXED, -1, 0), NOT_THERE + PAGE },
	      { SCRIPT_PEEK, { NOT_THERE }, 1 }, PEEK(NOT_THERE + PAGE),
	      { SCRIPT_PEEK, { NOT_THERE + 2 * PAGE }, 3 },
	      { CALL(MMAP2, USER_BASE, PAGE, RW, FIXED, -1, 0), USER_BASE },
	      { CALL(MMAP2, USER_BASE - PAGE, PAGE, RW, FIXED, -1, 0), -EPERM },
	      { CALL(MMAP2, 0, PAGE, RW, FIXED, -1, 0), -EPERM },
	      { CALL(MMAP2, NOT_THERE + 1, PAGE, RW, FIXED, -1, 0), -EINVAL },
	      { CALL(MMAP2, USER_END, PAGE, RW, FIXED, -1, 0), -ENOMEM },
	      { CALL(MMAP2, KERNEL, PAGE, RW, FIXED, -1, 0), -ENOMEM },
	      { CALL(MMAP2, USER_STACK_BASE, USER_STACK_SIZE + 1, RW, FIXED, -1, 0), -ENOMEM },
	      { CALL(MMAP2, UINT32_MAX - PAGE + 1, PAGE, RW, FIXED, -1, 0), -ENOMEM });
}

KTEST(mmap2_refuses_what_makes_no_sense)
{
	GIVES({ CALL(MMAP2, 0, 0, RW, ANON, -1, 0), -EINVAL },
	      { CALL(MMAP2, 0, PAGE, RW, 0x20, -1, 0), -EINVAL },
	      { CALL(MMAP2, 0, PAGE, RW, 0x02, 0, 0), -ENODEV },
	      { CALL(MMAP2, 0, PAGE, RW, 0x02, 3, 0), -EBADF },
	      { CALL(MMAP2, 0, PAGE, RW, 0x02, -1, 0), -EBADF },
	      { CALL(MMAP2, 0, UINT32_MAX, RW, ANON, -1, 0), -ENOMEM },
	      { CALL(MMAP2, 0, 0xC0000000, RW, ANON, -1, 0), -ENOMEM },
	      { CALL(MMAP2, 0, 0xFFFFF000, RW, ANON, -1, 0), -ENOMEM });
}

KTEST(munmap_takes_away_what_there_is_of_a_span)
{
	GIVES({ CALL(MMAP2, NOT_THERE, 4 * PAGE, RW, ANON, -1, 0), NOT_THERE }, POKE(NOT_THERE, 1),
	      POKE(NOT_THERE + PAGE, 2), POKE(NOT_THERE + 3 * PAGE, 3),
	      { CALL(MUNMAP, NOT_THERE + PAGE, PAGE + 1), 0 }, { SCRIPT_PEEK, { NOT_THERE }, 1 },
	      { SCRIPT_PEEK, { NOT_THERE + 3 * PAGE }, 3 },
	      { CALL(WRITE, 1, NOT_THERE + PAGE, 1), -EFAULT },
	      { CALL(WRITE, 1, NOT_THERE + 3 * PAGE - 1, 1), -EFAULT },
	      { CALL(MUNMAP, NOT_THERE - PAGE, 8 * PAGE), 0 },
	      { CALL(WRITE, 1, NOT_THERE, 1), -EFAULT }, { CALL(MUNMAP, NOT_THERE, PAGE), 0 },
	      { CALL(MUNMAP, NOT_THERE + 1, PAGE), -EINVAL },
	      { CALL(MUNMAP, NOT_THERE, 0), -EINVAL }, { CALL(MUNMAP, KERNEL, PAGE), -EINVAL },
	      { CALL(MUNMAP, USER_END - PAGE, 2 * PAGE), -EINVAL },
	      { CALL(MUNMAP, NOT_THERE, UINT32_MAX), -EINVAL },
	      { CALL(MUNMAP, NOT_THERE, 0 - NOT_THERE), -EINVAL });
	ENDS({ CALL(MUNMAP, PROGRAM_DATA + 0x9000, PAGE), 0 }, PEEK(PROGRAM_DATA + 0x9000));
	CHECK(ended_at(PROGRAM_DATA + 0x9000));
}

/* All of it, at once: the next instruction is not there any more. */
KTEST(process_that_unmaps_everything_ends_by_that)
{
	ENDS({ CALL(MUNMAP, 0, USER_END), 0 });
	CHECK_EQ(program.end.vector, TRAP_PAGE_FAULT);
	CHECK_EQ(program.end.address, program.end.eip);
}

KTEST(mprotect_changes_what_may_be_done_with_pages_there_and_pages_to_come)
{
	GIVES({ CALL(MMAP2, NOT_THERE, 4 * PAGE, RW, ANON, -1, 0), NOT_THERE },
	      POKE(NOT_THERE + PAGE, 2), { CALL(MPROTECT, NOT_THERE + PAGE, 2 * PAGE, RO), 0 },
	      { SCRIPT_PEEK, { NOT_THERE + PAGE }, 2 }, PEEK(NOT_THERE + 2 * PAGE),
	      { CALL(READ, 0, NOT_THERE + PAGE, 1), -EFAULT }, POKE(NOT_THERE + 3 * PAGE, 3),
	      { CALL(MPROTECT, NOT_THERE, 4 * PAGE, 0), 0 },
	      { CALL(WRITE, 1, NOT_THERE + PAGE, 1), -EFAULT },
	      { CALL(MPROTECT, NOT_THERE, 4 * PAGE, RW | 4), 0 },
	      { SCRIPT_PEEK, { NOT_THERE + PAGE }, 2 }, POKE(NOT_THERE + 2 * PAGE, 5),
	      { CALL(MPROTECT, NOT_THERE, 0, RO), 0 },
	      { CALL(MPROTECT, NOT_THERE + 1, PAGE, RO), -EINVAL },
	      { CALL(MPROTECT, NOT_THERE, PAGE, 8), -EINVAL },
	      { CALL(MPROTECT, NOT_THERE, 5 * PAGE, RO), -ENOMEM },
	      { CALL(MPROTECT, NOT_THERE, UINT32_MAX, RO), -ENOMEM },
	      { CALL(MPROTECT, KERNEL, PAGE, RW), -ENOMEM },
	      { CALL(MPROTECT, USER_END - PAGE, 2 * PAGE, RW), -ENOMEM },
	      POKE(NOT_THERE + PAGE, 4)); /* what was refused has changed nothing */
}

KTEST(pages_that_are_protected_end_who_does_it_anyway)
{
	ENDS({ CALL(MMAP2, NOT_THERE, PAGE, RO, ANON, -1, 0), 0 }, PEEK(NOT_THERE),
	     POKE(NOT_THERE, 1));
	CHECK(ended_at(NOT_THERE) && strstr(program.end.reason, "which is protected"));
	ENDS({ CALL(MMAP2, NOT_THERE, PAGE, RO, ANON, -1, 0), 0 }, POKE(NOT_THERE + 8, 1));
	CHECK(ended_at(NOT_THERE + 8) && strstr(program.end.reason, "which is protected"));
	ENDS({ CALL(MMAP2, NOT_THERE, PAGE, 0, ANON, -1, 0), 0 }, PEEK(NOT_THERE));
	CHECK(ended_at(NOT_THERE));
	ENDS({ CALL(MMAP2, NOT_THERE, PAGE, RW, ANON, -1, 0), 0 }, POKE(NOT_THERE, 1),
	     { CALL(MPROTECT, NOT_THERE, PAGE, 0), 0 }, PEEK(NOT_THERE));
	CHECK(ended_at(NOT_THERE));
}

/* The heap is no area of its own, but parts of it can be protected, unmapped and mapped over. */
KTEST(parts_of_the_heap_are_protected_unmapped_and_replaced)
{
	GIVES({ CALL(BRK, HEAP + 8 * PAGE), HEAP + 8 * PAGE }, POKE(HEAP, 1),
	      POKE(HEAP + 2 * PAGE, 2), POKE(HEAP + 4 * PAGE, 3),
	      { CALL(MPROTECT, HEAP + 2 * PAGE, PAGE, RO), 0 },
	      { SCRIPT_PEEK, { HEAP + 2 * PAGE }, 2 },
	      { CALL(READ, 0, HEAP + 2 * PAGE, 4), -EFAULT },
	      { CALL(MUNMAP, HEAP + 4 * PAGE, PAGE), 0 },
	      { CALL(WRITE, 1, HEAP + 4 * PAGE, 1), -EFAULT },
	      { CALL(MPROTECT, HEAP + 4 * PAGE, PAGE, RW), -ENOMEM },
	      { CALL(MMAP2, HEAP + 6 * PAGE, PAGE, RW, FIXED, -1, 0), HEAP + 6 * PAGE },
	      POKE(HEAP + 6 * PAGE, 4), POKE(HEAP + 7 * PAGE, 5),
	      { CALL(BRK, HEAP + PAGE), HEAP + PAGE },
	      { CALL(WRITE, 1, HEAP + 6 * PAGE, 1), -EFAULT },
	      { CALL(BRK, HEAP + 8 * PAGE), HEAP + 8 * PAGE }, PEEK(HEAP + 2 * PAGE),
	      PEEK(HEAP + 4 * PAGE), PEEK(HEAP + 6 * PAGE), POKE(HEAP + 2 * PAGE, 1),
	      { SCRIPT_PEEK, { HEAP }, 1 });
	ENDS({ CALL(BRK, HEAP + 2 * PAGE), 0 }, POKE(HEAP, 1), { CALL(MUNMAP, HEAP, PAGE), 0 },
	     PEEK(HEAP));
	CHECK(ended_at(HEAP) && strstr(program.end.reason, "which is not mapped"));
}

static struct step *put_step(struct step *at, const struct step *step)
{
	*at++ = *step;
	at->call = SCRIPT_END;
	return at;
}

#define PUT(at, ...) put_step(at, &(const struct step){ __VA_ARGS__, 0 })

/*
 * A process has an area for its text, its data and its stack already; then one
 * that begins in the heap and ends behind it, and as many others as there can be,
 * three of each mapping. Whatever takes one more is refused, what takes none is not.
 */
KTEST(too_many_areas_are_refused)
{
	static struct step steps[2 + 2 * (AREAS_MAX - 4) / 3 + 8];
	const unsigned int n = (AREAS_MAX - 4) / 3;
	struct step *at = steps;

	at = PUT(at, CALL(BRK, HEAP + 3 * PAGE));
	at = PUT(at, CALL(MMAP2, HEAP + PAGE, 3 * PAGE, RW, FIXED));
	for (unsigned int i = 0; i < n; i++) {
		at = PUT(at, CALL(MMAP2, NOT_THERE + 4 * i * PAGE, 3 * PAGE, RW, FIXED));
		at = PUT(at, CALL(MPROTECT, NOT_THERE + (4 * i + 1) * PAGE, PAGE, RO));
	}
	at = PUT(at, CALL(MMAP2, NOT_THERE - 2 * PAGE, PAGE, RW, FIXED));
	at = PUT(at, CALL(MPROTECT, DATA + PAGE, PAGE, RO));
	at = PUT(at, CALL(MUNMAP, DATA + PAGE, PAGE));
	at = PUT(at, CALL(MUNMAP, HEAP, PAGE));
	at = PUT(at, CALL(BRK, HEAP + 2 * PAGE)); /* it would cut one in two */
	at = PUT(at, CALL(MUNMAP, NOT_THERE, PAGE));
	PUT(at, CALL(BRK, HEAP + 2 * PAGE));
	CHECK_EQ(script_run(&program, steps), PROCESS_EXITED);
	CHECK_EQ(steps[0].result, HEAP + 3 * PAGE);
	CHECK_EQ(steps[1].result, HEAP + PAGE);
	for (unsigned int i = 0; i < n; i++) {
		CHECK_EQ(steps[2 + 2 * i].result, NOT_THERE + 4 * i * PAGE);
		CHECK_EQ(steps[2 + 2 * i + 1].result, 0);
	}
	at = &steps[2 + 2 * n];
	for (unsigned int i = 0; i < 4; i++)
		CHECK_EQ(at[i].result, -ENOMEM);
	CHECK_EQ(at[4].result, HEAP + 3 * PAGE);
	CHECK_EQ(at[5].result, 0);
	CHECK_EQ(at[6].result, HEAP + 2 * PAGE);
}

KTEST(stack_grows_down_to_its_limit_when_it_is_touched)
{
	GIVES(POKE(USER_STACK_BASE, 1), { SCRIPT_PEEK, { USER_STACK_BASE }, 1 },
	      PEEK(USER_STACK_BASE + PAGE), { CALL(WRITE, 1, USER_STACK_BASE, 1), 1 },
	      { CALL(WRITE, 1, USER_STACK_BASE - 1, 1), -EFAULT },
	      { CALL(MPROTECT, USER_STACK_BASE, PAGE, RO), 0 },
	      { CALL(READ, 0, USER_STACK_BASE, 1), -EFAULT },
	      { CALL(MUNMAP, USER_STACK_BASE, PAGE), 0 },
	      { CALL(WRITE, 1, USER_STACK_BASE, 1), -EFAULT });
}

KTEST(set_thread_area_has_one_entry_and_refuses_the_rest)
{
	GIVES(POKE(DATA, UINT32_MAX), POKE(DATA + 4, DATA), POKE(DATA + 8, 0xFFFFF),
	      POKE(DATA + 12, 0x51), { CALL(SET_THREAD_AREA, DATA), 0 },
	      { SCRIPT_PEEK, { DATA }, 6 }, { CALL(SET_THREAD_AREA, DATA), 0 },
	      POKE(DATA, UINT32_MAX), { CALL(SET_THREAD_AREA, DATA), -ESRCH }, POKE(DATA, 7),
	      { CALL(SET_THREAD_AREA, DATA), -EINVAL }, POKE(DATA, 0),
	      { CALL(SET_THREAD_AREA, DATA), -EINVAL }, POKE(DATA, 6), POKE(DATA + 12, 0x50),
	      { CALL(SET_THREAD_AREA, DATA), -EINVAL }, POKE(DATA + 12, 0x55),
	      { CALL(SET_THREAD_AREA, DATA), -EINVAL }, POKE(DATA + 12, 0x71),
	      { CALL(SET_THREAD_AREA, DATA), -EINVAL }, POKE(DATA + 12, 0x51),
	      POKE(DATA + 8, 0x100000), { CALL(SET_THREAD_AREA, DATA), -EINVAL },
	      { CALL(SET_THREAD_AREA, 0), -EFAULT }, { CALL(SET_THREAD_AREA, KERNEL), -EFAULT },
	      { CALL(SET_THREAD_AREA, DATA_END - 12), -EFAULT }, POKE(DATA + 4, 0),
	      POKE(DATA + 8, 0), POKE(DATA + 12, 0), { CALL(SET_THREAD_AREA, DATA), 0 },
	      POKE(DATA, UINT32_MAX), { CALL(SET_THREAD_AREA, DATA), 0 },
	      { SCRIPT_PEEK, { DATA }, 6 });
}

/* The entry's number must be written back, which this page does not allow: nothing is set. */
KTEST(set_thread_area_that_cannot_say_its_entry_sets_none)
{
	GIVES({ CALL(MMAP2, NOT_THERE, PAGE, RW, ANON, -1, 0), NOT_THERE },
	      POKE(NOT_THERE, UINT32_MAX), POKE(NOT_THERE + 8, 0xFFFFF), POKE(NOT_THERE + 12, 0x51),
	      { CALL(MPROTECT, NOT_THERE, PAGE, RO), 0 },
	      { CALL(SET_THREAD_AREA, NOT_THERE), -EFAULT },
	      { CALL(MPROTECT, NOT_THERE, PAGE, RW), 0 }, { CALL(SET_THREAD_AREA, NOT_THERE), 0 });
}

KTEST(clock_gettime_tells_the_time_since_boot)
{
	struct step steps[] = { { CALL(CLOCK_GETTIME, 1, DATA), 0 },
				PEEK(DATA),
				PEEK(DATA + 4),
				{ CALL(CLOCK_GETTIME, 0, DATA), -EINVAL },
				{ CALL(CLOCK_GETTIME, 1, KERNEL), -EFAULT },
				{ CALL(CLOCK_GETTIME, 1, DATA_END - 4), -EFAULT },
				{ SCRIPT_END, { 0 }, 0 } };
	uint32_t before = timer_ticks(), told;

	CHECK_EQ(script_run(&program, steps), PROCESS_EXITED);
	told = steps[1].result * TIMER_HZ + steps[2].result / (1000000000 / TIMER_HZ);
	CHECK(told - before <= timer_ticks() - before);
	CHECK_EQ(steps[3].result, -EINVAL);
	CHECK_EQ(steps[4].result, -EFAULT);
	CHECK_EQ(steps[5].result, -EFAULT);
}

/* Frames are refused from the n-th on, while a call touches memory in its process's name. */
static void check_out_of_memory(const struct step *step)
{
	struct step steps[] = { *step, { SCRIPT_END, { 0 }, 0 } };
	uint32_t n = 0;

	do {
		script_make(&program, steps);
		CHECK(program_start(&program));
		frame_fail_at(++n, UINT32_MAX);
		program_run_all();
		frame_fail_at(0, 0);
	} while (program.end.fate == PROCESS_OUT_OF_MEMORY && n < 20);
	CHECK_EQ(program.end.fate, PROCESS_EXITED);
	CHECK(n > 2);
}

KTEST(memory_that_runs_out_within_a_call_ends_its_process)
{
	check_out_of_memory(&(struct step){ CALL(WRITE, 1, DATA + PAGE, 2 * PAGE), 0 });
	check_out_of_memory(&(struct step){ CALL(CLOCK_GETTIME, 1, DATA + 2 * PAGE - 4), 0 });
	check_out_of_memory(&(struct step){ CALL(SET_THREAD_AREA, DATA + 2 * PAGE - 4), 0 });
	check_out_of_memory(&(struct step){ CALL(WRITEV, 1, DATA + 2 * PAGE - 4, 1), 0 });
}

/* No error of the kernel's own comes through, whatever is asked: a short version of the long run. */
KTEST(system_calls_with_arguments_at_random_do_no_harm)
{
	static const uint32_t calls[] = { 3,   4,   5,	 7,   19,  20,	45,  54,  91,  125, 140,
					  145, 146, 192, 197, 224, 243, 258, 265, 295, 383 };
	static const uint32_t words[] = { 0,
					  1,
					  2,
					  6,
					  DATA,
					  DATA_END - 1,
					  HEAP,
					  HEAP + PAGE,
					  NOT_THERE,
					  USER_STACK_BASE,
					  USER_END - 1,
					  USER_END,
					  KERNEL,
					  0xD0000000,
					  0xFFFFF000,
					  UINT32_MAX,
					  0x7FFFFFFF,
					  0x80000000,
					  PAGE,
					  ANON,
					  FIXED,
					  RW };
	static struct step steps[200];

	for (unsigned int round = 0; round < 100 && !ktest_failed(); round++) {
		for (unsigned int i = 0; i < 199; i++) {
			steps[i].call = calls[ktest_random() % (sizeof(calls) / sizeof(calls[0]))];
			for (unsigned int j = 0; j < 6; j++)
				steps[i].args[j] =
					words[ktest_random() % (sizeof(words) / sizeof(words[0]))] +
					(ktest_random() % 4 ? 0 : ktest_random() % 8);
		}
		steps[199].call = SCRIPT_END;
		script_run(&program, steps);
		CHECK(program.end.fate != PROCESS_LIVES);
	}
}
