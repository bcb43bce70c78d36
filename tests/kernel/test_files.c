/* SPDX-License-Identifier: MIT */
/* What a process has for files: three ends of pipes, which it can close, and nothing to open. */
#include "kernel/mm/layout.h"
#include "kernel/proc/syscall.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <errno.h>
#include <string.h>

#define DATA	      (PROGRAM_DATA + 0x8000) /* behind the steps */
#define DATA_END      PROGRAM_HEAP
#define BUFFER	      (PROGRAM_DATA + 0xC000)
#define NOT_THERE     0x20000000U
#define O_CREAT	      0x40
#define AT_EMPTY_PATH 0x1000
#define PIPE	      0010600U
#define BASIC_STATS   0x7FFU
#define NAME_MAX      4096

#define POKE(address, value)                                                                       \
	{                                                                                          \
		SCRIPT_POKE, { address, value }, SCRIPT_POKE                                       \
	}
#define PEEK(address, value)                                                                       \
	{                                                                                          \
		SCRIPT_PEEK, { address }, value                                                    \
	}

static struct program program;

/* Has a process do the steps, which must have the results that are written there. */
static void give(const struct step *steps, size_t n, const char *typed)
{
	const size_t size = n * sizeof(steps[0]);
	struct step done;

	script_make(&program, steps);
	program.typed = typed;
	CHECK(program_start(&program));
	program_run_all();
	CHECK_EQ(program.end.fate, PROCESS_EXITED);
	CHECK(program.length >= size);
	for (size_t i = 0; i < n; i++) {
		memcpy(&done, program.said + program.length - size + i * sizeof(done),
		       sizeof(done));
		CHECK_EQ(done.result, steps[i].result);
	}
}

#define GIVES(...)                                                                                 \
	do {                                                                                       \
		const struct step steps[] = { __VA_ARGS__, { SCRIPT_END, { 0 }, 0 } };             \
		give(steps, sizeof(steps) / sizeof(steps[0]) - 1, NULL);                           \
	} while (0)

KTEST(file_that_was_closed_is_none_and_the_others_are)
{
	GIVES({ SYSTEM_CALL_READ, { 0, BUFFER, 1 }, 0 }, { SYSTEM_CALL_CLOSE, { 0 }, 0 },
	      { SYSTEM_CALL_READ, { 0, BUFFER, 1 }, -EBADF }, { SYSTEM_CALL_CLOSE, { 0 }, -EBADF },
	      { SYSTEM_CALL_IOCTL, { 0 }, -EBADF }, { SYSTEM_CALL_IOCTL, { 2 }, -ENOTTY },
	      { SYSTEM_CALL_WRITE, { 2, DATA, 4 }, 4 }, { SYSTEM_CALL_CLOSE, { 2 }, 0 },
	      { SYSTEM_CALL_WRITE, { 2, DATA, 4 }, -EBADF },
	      { SYSTEM_CALL_WRITEV, { 2, DATA, 0 }, -EBADF },
	      { SYSTEM_CALL_WRITE, { 1, DATA, 4 }, 4 }, { SYSTEM_CALL_CLOSE, { 3 }, -EBADF },
	      { SYSTEM_CALL_CLOSE, { 32 }, -EBADF }, { SYSTEM_CALL_CLOSE, { UINT32_MAX }, -EBADF });
	GIVES({ SYSTEM_CALL_READ, { 0, BUFFER, 1 }, 0 }, { SYSTEM_CALL_WRITE, { 2, DATA, 4 }, 4 });
}

/* Pieces of 0, 3 and 5 bytes; a read ends with the piece. */
KTEST(readv_fills_the_first_piece_with_room)
{
	static const struct step pieces[] = {
		POKE(DATA, BUFFER),
		POKE(DATA + 8, BUFFER),
		POKE(DATA + 12, 3),
		POKE(DATA + 16, BUFFER + 4),
		POKE(DATA + 20, 5),
		{ SYSTEM_CALL_READV, { 0, DATA, 3 }, 3 },
		PEEK(BUFFER, 0x00636261),
		{ SYSTEM_CALL_READV, { 0, DATA + 16, 1 }, 4 },
		PEEK(BUFFER + 4, 0x0A666564),
		{ SYSTEM_CALL_READV, { 0, DATA, 1 }, 0 },
		{ SYSTEM_CALL_READV, { 0, DATA, 0 }, 0 },
		{ SYSTEM_CALL_READV, { 1, DATA, 3 }, -EBADF },
		{ SYSTEM_CALL_READV, { 0, DATA, 1025 }, -EINVAL },
		{ SYSTEM_CALL_READV, { 0, NOT_THERE, 1 }, -EFAULT },
		POKE(DATA + 16, PROGRAM_TEXT),
		{ SYSTEM_CALL_READV, { 0, DATA, 3 }, -EFAULT },
		{ SYSTEM_CALL_READV, { 0, DATA, 2 }, 2 },
		{ SYSTEM_CALL_READV, { 0, DATA, 2 }, 0 },
		{ SCRIPT_END, { 0 }, 0 },
	};

	give(pieces, sizeof(pieces) / sizeof(pieces[0]) - 1, "abcdef\ngh");
}

KTEST(no_name_is_that_of_a_file_and_none_can_be_created)
{
	GIVES(POKE(DATA, 0x00636261), { SYSTEM_CALL_OPEN, { DATA, 0 }, -ENOENT },
	      { SYSTEM_CALL_OPENAT, { (uint32_t)-100, DATA, 0 }, -ENOENT },
	      { SYSTEM_CALL_OPEN, { DATA, O_CREAT }, -EROFS },
	      { SYSTEM_CALL_OPENAT, { (uint32_t)-100, DATA, O_CREAT }, -EROFS },
	      { SYSTEM_CALL_OPEN, { DATA + 4, O_CREAT }, -ENOENT }, /* of no letters */
	      { SYSTEM_CALL_OPEN, { 0, 0 }, -EFAULT },
	      { SYSTEM_CALL_OPENAT, { 0, DIRECT_BASE, 0 }, -EFAULT });
}

KTEST(name_without_an_end_is_refused)
{
	static char letters[NAME_MAX + 1];
	static const struct step long_name[] = {
		{ SYSTEM_CALL_READ, { 0, BUFFER, NAME_MAX }, NAME_MAX },
		{ SYSTEM_CALL_OPEN, { BUFFER }, -ENAMETOOLONG },
		POKE(BUFFER + NAME_MAX - 4, 0x00616161),
		{ SYSTEM_CALL_OPEN, { BUFFER }, -ENOENT },
		{ SCRIPT_END, { 0 }, 0 },
	};

	memset(letters, 'a', NAME_MAX);
	give(long_name, 4, letters);
	GIVES(POKE(DATA_END - 4, 0x61616161), { SYSTEM_CALL_OPEN, { DATA_END - 4 }, -EFAULT },
	      POKE(DATA_END - 4, 0x00616161), { SYSTEM_CALL_OPEN, { DATA_END - 4 }, -ENOENT });
}

KTEST(fstat64_and_statx_say_that_a_file_is_a_pipe)
{
	GIVES(POKE(BUFFER + 44, 1), { SYSTEM_CALL_FSTAT64, { 0, BUFFER }, 0 },
	      PEEK(BUFFER + 16, PIPE), PEEK(BUFFER + 20, 1), PEEK(BUFFER + 44, 0),
	      PEEK(BUFFER + 52, PAGE_SIZE), { SYSTEM_CALL_FSTAT64, { 3, BUFFER }, -EBADF },
	      { SYSTEM_CALL_FSTAT64, { 0, DATA_END - 96 }, 0 },
	      { SYSTEM_CALL_FSTAT64, { 0, DATA_END - 92 }, -EFAULT },
	      { SYSTEM_CALL_STATX, { 2, DATA, AT_EMPTY_PATH, 0, BUFFER }, 0 },
	      PEEK(BUFFER, BASIC_STATS), PEEK(BUFFER + 4, PAGE_SIZE), PEEK(BUFFER + 28, PIPE),
	      { SYSTEM_CALL_STATX, { 2, DATA, 0, 0, BUFFER }, -ENOENT },
	      { SYSTEM_CALL_STATX, { 3, DATA, AT_EMPTY_PATH, 0, BUFFER }, -EBADF },
	      { SYSTEM_CALL_STATX, { 2, NOT_THERE, AT_EMPTY_PATH, 0, BUFFER }, -EFAULT },
	      { SYSTEM_CALL_STATX, { 2, DATA, AT_EMPTY_PATH, 0, DATA_END - 256 }, 0 },
	      { SYSTEM_CALL_STATX, { 2, DATA, AT_EMPTY_PATH, 0, DATA_END - 252 }, -EFAULT },
	      POKE(DATA, 0x61),
	      { SYSTEM_CALL_STATX, { 2, DATA, AT_EMPTY_PATH, 0, BUFFER }, -ENOENT });
}

KTEST(pipe_has_no_place_to_go_to)
{
	GIVES({ SYSTEM_CALL_LSEEK, { 0, 1, 0 }, -ESPIPE }, { SYSTEM_CALL_LSEEK, { 3 }, -EBADF },
	      { SYSTEM_CALL_LLSEEK, { 1, 0, 0, BUFFER, 1 }, -ESPIPE },
	      { SYSTEM_CALL_LLSEEK, { 9, 0, 0, BUFFER, 1 }, -EBADF });
}
