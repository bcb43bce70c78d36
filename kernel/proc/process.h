/* SPDX-License-Identifier: MIT */
/*
 * Processes: programs that run in ring 3, each in memory of its own.
 *
 *	process_create()  ->  process_step(), process_step(), ...  ->  it has ended
 *
 * Whoever calls process_step() lends the processor to one process, and has it
 * back at the next tick of the timer, or when the process waits or ends. So the
 * kernel goes on with what it was doing, and nothing of it is ever preempted by a
 * process: between two steps all of them hold still, and can be looked at.
 *
 * When a process ends, however it does, all that it had is given back; what
 * stays is in the struct process_end of whoever created it.
 */
#ifndef KERNEL_PROC_PROCESS_H
#define KERNEL_PROC_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/layout.h"
#include "kernel/proc/memory.h"
#include "kernel/x86/fpu.h"

#define PROCESS_MAX	  KERNEL_STACKS
#define PROCESS_NAME_SIZE 32

enum process_fate {
	PROCESS_LIVES,
	PROCESS_EXITED,
	PROCESS_FAULTED,
	PROCESS_OUT_OF_MEMORY, /* a page that it touched could not be provided */
	PROCESS_KILLED,
};

/**
 * struct process_end - how a process ended
 * @fate: PROCESS_LIVES until it has
 * @status: what a shell would say: what it exited with, or 128 and the number of
 *          the signal that would have ended it on Linux
 * @vector: of the exception, with PROCESS_FAULTED
 * @address: that could not be used, with a page fault and PROCESS_OUT_OF_MEMORY
 * @eip: of the instruction, with these two
 * @reason: in words, "" if it exited
 */
struct process_end {
	enum process_fate fate;
	int status;
	uint32_t vector;
	uintptr_t address, eip;
	char reason[96];
};

/* Takes what a process writes. */
typedef void process_output(void *context, const char *text, size_t n);

/* Gives the next byte for a process to read, or one of these two. */
typedef int process_input(void *context);

#define PROCESS_INPUT_NONE (-1) /* not yet: the process waits */
#define PROCESS_INPUT_END  (-2)

/**
 * struct process_options - what a process is made of
 * @name: of the program; also its first argument
 * @arguments: the others, between spaces; NULL for none
 * @file: its bytes; not needed any more when the process is created
 * @size: how many
 * @output: where its writes go; NULL for the console. Why it ended goes there too
 * @input: where its reads come from; NULL for the console
 * @context: for these two
 * @end: receives how it ended, and must stay until then; NULL if nobody asks
 */
struct process_options {
	const char *name, *arguments;
	const void *file;
	size_t size;
	process_output *output;
	process_input *input;
	void *context;
	struct process_end *end;
};

/**
 * struct process - one process; to be looked at, and changed only by its own floor
 * @fpu: floating-point state while it does not run
 * @memory: see there
 * @id: from 1 up, never used twice
 * @name: cut to fit
 * @slot: which kernel stack it has
 * @stack: where that was left
 * @tls: descriptor of its segment for thread-local storage, 0 if it has none
 * @waits: it has nothing to do until there is something to read
 * @ticks: of the timer that have come while it ran
 * @heap: where the program keeps its struct heap, 0 if it does not say
 * @closed: a bit for each of its files that it has closed
 * @output, @input, @context: as in its options
 * @end: how it ended; copied to @end_to
 */
struct process {
	struct fpu_state fpu;
	struct memory memory;
	unsigned int id;
	char name[PROCESS_NAME_SIZE];
	unsigned int slot;
	void *stack;
	uint64_t tls;
	bool waits;
	uint32_t ticks;
	uintptr_t heap;
	uint32_t closed;
	process_output *output;
	process_input *input;
	void *context;
	struct process_end end, *end_to;
};

/**
 * process_create() - make a process of a program's file
 * @created: receives it, to be used until it has ended; may be NULL
 *
 * It runs when process_step() comes to it. O(size of the file).
 *
 * Return: NULL; in words why not, and then nothing is left of it.
 */
const char *process_create(const struct process_options *options, struct process **created);

/**
 * process_step() - let one process run, the next in turn
 *
 * With interrupts on. If all of them wait, sleeps until an interrupt comes.
 *
 * Return: whether there is any process left.
 */
bool process_step(void);

/* Ends a process that is not the current one. */
void process_kill(struct process *process);

/* One after the other: the first with NULL, NULL after the last. Not across a process_step(). */
struct process *process_next(const struct process *after);

/* The process that has called the kernel, or was interrupted; NULL if none was. */
struct process *process_current(void);

/*
 * For system calls and faults of the current process, on its kernel stack:
 */

/* Lets others run if the process has had its time. */
void process_pause(void);

/* Lets others run: it waits for something, and will look again when its turn comes. */
void process_wait(void);

/* Ends it. */
void __attribute__((noreturn)) process_exit(const struct process_end *end);

/* Gives it the segment that SELECTOR_USER_TLS stands for; 0 for none. */
void process_set_tls(uint64_t descriptor);

#endif
