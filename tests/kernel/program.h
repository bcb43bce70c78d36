/* SPDX-License-Identifier: MIT */
/*
 * Programs for tests: a few instructions from user_code.S and some data become
 * an ELF file, a process is made of it, and what it writes is caught.
 *
 *	PROGRAM_TEXT   the file's headers, and the instructions behind them; read-only
 *	PROGRAM_DATA   the data, cleared up to PROGRAM_DATA_SIZE; where the heap begins
 */
#ifndef TESTS_KERNEL_PROGRAM_H
#define TESTS_KERNEL_PROGRAM_H

#define PROGRAM_TEXT	  0x08048000
#define PROGRAM_CODE	  0x08048100 /* where the instructions lie */
#define PROGRAM_DATA	  0x08060000
#define PROGRAM_DATA_SIZE 0x10000
#define PROGRAM_HEAP	  (PROGRAM_DATA + PROGRAM_DATA_SIZE)

/* What user_script does beside system calls. */
#define SCRIPT_END  0xFFFF0000
#define SCRIPT_PEEK 0xFFFF0001 /* the result is the word at the first argument */
#define SCRIPT_POKE 0xFFFF0002 /* the second argument becomes the word there */
#define SCRIPT_CALL 0xFFFF0003 /* what lies there is called; the result is what it leaves in eax */

#define SCRIPT_SIZE 0x7FFC /* at most; behind it user_script has a word for itself */

#define USER_STACK_LOWEST 0xBF800000

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/proc/process.h"

#define USER_CODE(name) extern const char user_##name[], user_##name##_end[]

/**
 * struct program - one process of a test
 * @options: for process_create(); may be changed before program_start()
 * @process: it, while it lives
 * @end: how it ended
 * @said: what it has written, terminated, as far as there is room; @length: how much that is
 * @typed: what it can read; then comes the end, or nothing yet with @more
 */
struct program {
	struct process_options options;
	struct process *process;
	struct process_end end;
	char *said;
	size_t length, room;
	const char *typed;
	bool more;
	char buffer[200]; /* for @said, but of scripts and files, which use one together */
};

/* One step of user_script, which begins at PROGRAM_DATA. */
struct step {
	uint32_t call, args[6], result;
};

/* Prepares a program: the file that it is made of is used by the next one, too. */
void program_make(struct program *program, const void *code, const void *code_end, const void *data,
		  size_t size);

/* The same for a whole file. What it writes is caught where scripts have theirs, too. */
void program_make_of_file(struct program *program, const void *file, size_t size);

#define PROGRAM(program, name) program_make(program, user_##name, user_##name##_end, NULL, 0)

/* Return: whether the process was created. */
bool program_start(struct program *program);

/* Steps until there is no process. */
void program_run_all(void);

/* Makes, starts and runs it. Return: its fate; PROCESS_LIVES if it was not created. */
enum process_fate program_run(struct program *program, const void *code, const void *code_end);

#define RUN(program, name) program_run(program, user_##name, user_##name##_end)

/**
 * script_run() - have a process do some steps, one after the other
 * @steps: up to one of SCRIPT_END; receives the results, if it comes to that
 *
 * Return: its fate.
 */
enum process_fate script_run(struct program *program, struct step *steps);

/* Prepares it only. */
void script_make(struct program *program, const struct step *steps);

#endif
#endif
