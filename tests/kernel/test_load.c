/* SPDX-License-Identifier: MIT */
/* What a program finds when it begins: its segments, its heap, and its stack. */
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "kernel/proc/load.h"
#include "kernel/proc/process.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <string.h>

#define DATA_HEADER_SIZE 104 /* where the file has the size in memory of its second segment */

USER_CODE(arguments);
USER_CODE(spin);

static struct program program;

static uint32_t word_at(uintptr_t address)
{
	uint32_t word = 0xBAD;

	memory_peek(&program.process->memory, &word, address, sizeof(word));
	return word;
}

static bool text_at(uintptr_t address, const char *text)
{
	char found[32] = "";

	return memory_peek(&program.process->memory, found, address, strlen(text) + 1) &&
	       strcmp(found, text) == 0;
}

/* Where the auxiliary vector, which is at @at, has @type. */
static uint32_t auxiliary(uintptr_t at, uint32_t type)
{
	for (; word_at(at); at += 8)
		if (word_at(at) == type)
			return word_at(at + 4);
	return 0xBAD;
}

KTEST(arguments_and_auxiliary_vector_are_on_the_stack_as_on_linux)
{
	const size_t bytes = sizeof("test") + sizeof("one") + sizeof("two") + sizeof("three");
	const uintptr_t strings = USER_END - 4 - 16 - bytes;
	const uintptr_t pointer = (strings - (1 + 4 + 1 + 1 + 30) * 4) & ~15U;

	PROGRAM(&program, arguments);
	program.options.arguments = "  one two   three ";
	CHECK(program_start(&program));
	CHECK_EQ(word_at(pointer), 4);
	CHECK(text_at(word_at(pointer + 4), "test") && text_at(word_at(pointer + 8), "one"));
	CHECK(text_at(word_at(pointer + 12), "two") && text_at(word_at(pointer + 16), "three"));
	CHECK_EQ(word_at(pointer + 20), 0);
	CHECK_EQ(word_at(pointer + 24), 0);
	CHECK_EQ(auxiliary(pointer + 28, 3), PROGRAM_TEXT + 52);
	CHECK_EQ(auxiliary(pointer + 28, 4), 32);
	CHECK_EQ(auxiliary(pointer + 28, 5), 2);
	CHECK_EQ(auxiliary(pointer + 28, 6), PAGE_SIZE);
	CHECK_EQ(auxiliary(pointer + 28, 9), PROGRAM_CODE);
	CHECK_EQ(auxiliary(pointer + 28, 11), 0);
	CHECK_EQ(auxiliary(pointer + 28, 23), 0);
	CHECK_EQ(auxiliary(pointer + 28, 31), strings);
	CHECK_EQ(auxiliary(pointer + 28, 25), strings + bytes);
	CHECK(word_at(strings + bytes) != 0);
	CHECK_EQ(word_at(USER_END - 4), 0);
	program_run_all();
	CHECK_EQ(program.end.fate, PROCESS_EXITED);
	CHECK_EQ(program.end.status, 4); /* it found argc at a stack pointer that is aligned */
}

KTEST(program_without_arguments_has_its_name)
{
	CHECK_EQ(RUN(&program, arguments), PROCESS_EXITED);
	CHECK_EQ(program.end.status, 1);
}

KTEST(arguments_are_limited_and_more_of_them_refused)
{
	static char many[LOAD_ARGUMENTS_MAX];
	const char *reason;

	memset(many, 'x', sizeof(many) - 1);
	for (unsigned int i = 1; i < sizeof(many) - 1; i += 2)
		many[i] = ' ';
	PROGRAM(&program, arguments);
	program.options.arguments = many;
	reason = process_create(&program.options, NULL);
	CHECK(reason && strcmp(reason, "its arguments are too long") == 0);
	many[sizeof(many) - 6] = '\0'; /* what is left is the name's */
	CHECK(program_start(&program));
	program_run_all();
	CHECK_EQ(program.end.fate, PROCESS_EXITED);
	CHECK_EQ(program.end.status, (1 + (sizeof(many) - 6 + 1) / 2) & 0xFF);
}

KTEST(long_name_is_cut_for_reports_and_whole_for_the_program)
{
	PROGRAM(&program, arguments);
	program.options.name = "a/name/that/is/longer/than/what/there/is/room/for";
	CHECK(program_start(&program));
	CHECK(strcmp(program.process->name, "a/name/that/is/longer/than/what") == 0);
	program_run_all();
	CHECK_EQ(program.end.status, 1);
}

KTEST(program_that_wants_more_memory_than_there_is_is_refused)
{
	uint32_t pages = frame_count(FRAME_FREE);
	uint32_t *size;
	const char *reason;

	if (pages > (LOAD_END - PROGRAM_DATA) / PAGE_SIZE)
		return; /* this machine has what the file can ask for */
	PROGRAM(&program, spin);
	size = (uint32_t *)(uintptr_t)((const char *)program.options.file + DATA_HEADER_SIZE);
	CHECK_EQ(*size, PROGRAM_DATA_SIZE);
	*size = pages * PAGE_SIZE;
	reason = process_create(&program.options, NULL);
	CHECK(reason && strcmp(reason, "it is larger than all memory that there is") == 0);
	*size = pages / 2 * PAGE_SIZE;
	CHECK(program_start(&program));
	CHECK_EQ(program.process->memory.brk.base, PROGRAM_DATA + *size);
	process_kill(program.process);
}

KTEST(segments_have_their_bytes_and_nothing_else_is_there_yet)
{
	const uint32_t data[] = { 1, 2, 3 };
	unsigned int prot = 99;
	struct memory *memory;

	program_make(&program, user_spin, user_spin_end, data, sizeof(data));
	CHECK(program_start(&program));
	memory = &program.process->memory;
	CHECK(text_at(PROGRAM_TEXT, "\177ELF\1\1\1"));
	CHECK(word_at(PROGRAM_DATA) == 1 && word_at(PROGRAM_DATA + 8) == 3);
	CHECK_EQ(word_at(PROGRAM_DATA + 12), 0);
	CHECK(paging_translate(&memory->space, PROGRAM_TEXT, NULL, &prot));
	CHECK_EQ(prot, PAGE_USER);
	CHECK(paging_translate(&memory->space, PROGRAM_DATA, NULL, &prot));
	CHECK_EQ(prot, PAGE_USER | PAGE_WRITE);
	CHECK(!paging_translate(&memory->space, PROGRAM_DATA + PAGE_SIZE, NULL, NULL));
	CHECK_EQ(memory->brk.base, PROGRAM_HEAP);
	process_kill(program.process);
}

KTEST(memory_of_a_process_is_looked_at_without_touching_it)
{
	static char bytes[3 * PAGE_SIZE];
	struct memory *memory;
	uint32_t pages;

	PROGRAM(&program, spin);
	CHECK(program_start(&program));
	memory = &program.process->memory;
	pages = frame_count(FRAME_USER);
	memset(bytes, 7, sizeof(bytes));
	CHECK(memory_peek(memory, bytes, PROGRAM_DATA + 100, sizeof(bytes)));
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		CHECK_EQ(bytes[i], 0);
	CHECK(!memory_peek(memory, bytes, PROGRAM_HEAP - 4, 5));
	CHECK(memory_peek(memory, bytes, PROGRAM_HEAP - 4, 4));
	CHECK(!memory_peek(memory, bytes, 0, 1));
	CHECK(!memory_peek(memory, bytes, USER_END, 1));
	CHECK(!memory_peek(memory, bytes, USER_END - 1, 2));
	CHECK(!memory_peek(memory, bytes, UINT32_MAX, 2));
	CHECK(memory_peek(memory, bytes, USER_END - 1, 1));
	CHECK_EQ(frame_count(FRAME_USER), pages);
	CHECK(!process_current());
	process_kill(program.process);
}
