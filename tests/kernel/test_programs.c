/* SPDX-License-Identifier: MIT */
/*
 * Programs in C over the C library of user/, whose malloc is our heap over sbrk():
 * what they find out on Linux they find out here (tests/user has both).
 */
#include "kernel/dev/console.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/ledger.h"
#include "kernel/proc/process.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <printf.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM_FILE(name) extern const char file_##name[], file_##name##_end[]
#define FILE_OF(name)	   file_##name, (size_t)((uintptr_t)file_##name##_end - (uintptr_t)file_##name)

PROGRAM_FILE(hello);
PROGRAM_FILE(churn);
PROGRAM_FILE(sums);
PROGRAM_FILE(brk);
PROGRAM_FILE(malloc);
PROGRAM_FILE(memory);
PROGRAM_FILE(exhaust);
PROGRAM_FILE(fault);
PROGRAM_FILE(hostile);

/* What these programs ask for at most: large blocks, and all of a stack. */
#define ENOUGH_FRAMES 4096U

static struct program program, other;

static enum process_fate run(const void *file, size_t size, const char *arguments)
{
	program_make_of_file(&program, file, size);
	program.options.arguments = arguments;
	if (program_start(&program))
		program_run_all();
	return program.end.fate;
}

static void print_said(void)
{
	kprintf("# %s\n# ", program.end.reason);
	for (const char *at = program.said; *at; at++)
		kprintf("%c%s", *at, *at == '\n' ? "# " : "");
	kprintf("\n");
}

/* It checks by itself, and says what does not hold. */
static void check_finds_nothing_wrong(const void *file, size_t size, const char *arguments)
{
	bool well = run(file, size, arguments) == PROCESS_EXITED && program.end.status == 0;

	if (!well)
		print_said();
	CHECK(well);
	CHECK(strstr(program.said, "\nok 1 - "));
}

KTEST(program_tells_its_arguments_and_its_break)
{
	CHECK_EQ(run(FILE_OF(hello), "one two"), PROCESS_EXITED);
	CHECK_EQ(program.end.status, 0);
	CHECK(strncmp(program.said, "hello from process ", 19) == 0);
	CHECK(strstr(program.said, "\nargument 0  test\nargument 1  one\nargument 2  two\nbreak "));
	CHECK(strstr(program.said, " bytes up\n"));
}

KTEST(brk_and_sbrk_of_a_program_are_those_of_posix)
{
	if (frame_count(FRAME_FREE) >= ENOUGH_FRAMES)
		check_finds_nothing_wrong(FILE_OF(brk), NULL);
}

KTEST(malloc_of_a_program_is_that_of_iso_c)
{
	if (frame_count(FRAME_FREE) >= ENOUGH_FRAMES)
		check_finds_nothing_wrong(FILE_OF(malloc), NULL);
}

KTEST(memory_of_a_program_reads_zero_and_is_mapped_and_protected)
{
	check_finds_nothing_wrong(FILE_OF(memory), NULL);
}

KTEST(programs_side_by_side_come_to_their_sums)
{
	char said[200];

	CHECK_EQ(run(FILE_OF(sums), "7"), PROCESS_EXITED);
	CHECK_EQ(program.end.status, 0);
	strlcpy(said, program.said, sizeof(said));
	program_make_of_file(&other, FILE_OF(churn));
	CHECK(program_start(&other));
	CHECK(process_step());
	program_make_of_file(&program, FILE_OF(sums));
	program.options.arguments = "7";
	program.said = program.buffer;
	program.room = sizeof(program.buffer);
	CHECK(program_start(&program));
	program_run_all();
	CHECK_EQ(program.end.status, 0);
	CHECK_EQ(other.end.status, 0);
	CHECK(strcmp(program.said, said) == 0);
}

KTEST(program_takes_what_there_is_and_is_told_when_it_is_all)
{
	if (frame_count(FRAME_FREE) > 0x10000)
		return; /* it would take long, on a large machine */
	check_finds_nothing_wrong(FILE_OF(exhaust), "sbrk 1");
	check_finds_nothing_wrong(FILE_OF(exhaust), "malloc 1");
}

KTEST(hostile_system_calls_at_random_find_nothing_wrong)
{
	char arguments[40];

	snprintf(arguments, sizeof(arguments), "%u 20000 all", ktest_random());
	check_finds_nothing_wrong(FILE_OF(hostile), arguments);
}

/* The list is "NAME SIGNAL", or "NAME SIGNAL processor" for what the emulator lets pass. */
KTEST(program_that_faults_in_any_way_ends_by_the_signal_of_linux)
{
	static char list[4096];
	unsigned int n = 0;

	if (frame_count(FRAME_FREE) < ENOUGH_FRAMES)
		return;
	CHECK_EQ(run(FILE_OF(fault), NULL), PROCESS_EXITED);
	CHECK(program.length < sizeof(list));
	strlcpy(list, program.said, sizeof(list));
	for (char *line = list, *next; *line; line = next) {
		char *space = strchr(line, ' '), *rest;
		int number;

		next = strchr(line, '\n') + 1;
		CHECK(space && space < next);
		*space = '\0';
		number = (int)strtoul(space + 1, &rest, 10);
		if (*rest != '\n')
			continue;
		run(FILE_OF(fault), line);
		if (program.end.fate != PROCESS_FAULTED || program.end.status != 128 + number)
			kprintf("# %s: status %d\n", line, program.end.status);
		CHECK_EQ(program.end.fate, PROCESS_FAULTED);
		CHECK_EQ(program.end.status, 128 + number);
		n++;
	}
	CHECK(n > 50);
	CHECK_EQ(run(FILE_OF(fault), "allowed"), PROCESS_EXITED);
	CHECK_EQ(program.end.status, 0);
}

/* A heap in it, some of it touched, some of it freed: all comes back, whenever it ends. */
KTEST(program_killed_at_any_step_leaves_nothing)
{
	static struct ledger before, after;

	ledger_read(&before);
	for (unsigned int steps = 0; steps < 20; steps++) {
		program_make_of_file(&program, FILE_OF(churn));
		CHECK(program_start(&program));
		for (unsigned int i = 0; i < steps; i++)
			process_step();
		if (program.end.fate == PROCESS_LIVES)
			process_kill(program.process);
		kheap_trim(0);
		ledger_read(&after);
		CHECK(!ledger_disagreement(&after));
		CHECK_EQ(after.counted[FRAME_FREE], before.counted[FRAME_FREE]);
	}
}
