/* SPDX-License-Identifier: MIT */
/*
 * Processes.
 *
 * Each has a kernel stack, on which its system calls and faults are dealt with.
 * All switches go through process_step(), whose caller's stack is none of these:
 *
 *	process_step()  ->  A  ->  process_step()  ->  B  ->  process_step()
 *
 * A new process's stack is made as if it had been left once: switch_stack()
 * returns to trap_return(), which finds the frame of a trap above.
 *
 *	bottom                                              top of the kernel stack
 *	  ...  [ edi esi ebx ebp, trap_return ][ struct trap_frame ]
 */
#include "kernel/proc/process.h"
#include "kernel/dev/console.h"
#include "kernel/dev/timer.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/panic.h"
#include "kernel/proc/load.h"
#include "kernel/proc/tty.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/segments.h"
#include "kernel/x86/trap.h"

#include <printf.h>
#include <string.h>

#define EFLAGS_FIXED	   0x2U
#define KERNEL_STACK_PAGES (KERNEL_STACK_SIZE / PAGE_SIZE)
#define STATUS_KILLED	   (128 + 9)

/* What switch_stack() finds on a stack that it has not left itself. */
struct first_switch {
	uint32_t edi, esi, ebx, ebp, eip;
	struct trap_frame frame;
};

void switch_stack(void **from, void *to);

static struct process *processes[PROCESS_MAX]; /* by their kernel stacks */
static struct process *current;
static void *step_stack; /* where process_step() waits for the current one */
static uint32_t began;	 /* the tick at which it was switched to */
static unsigned int last_id, last_slot;

static uintptr_t stack_bottom(const struct process *process)
{
	return KERNEL_STACKS_BASE + process->slot * KERNEL_STACK_SLOT + PAGE_SIZE;
}

static uintptr_t stack_top(const struct process *process)
{
	return stack_bottom(process) + KERNEL_STACK_SIZE;
}

static void put_on_console(void *context, const char *text, size_t n)
{
	(void)context;
	console_write(text, n);
}

static void give_back(uint32_t frame)
{
	kassert(frame_free(frame, 0) == FRAME_FREED);
}

static bool create_stack(const struct process *process)
{
	uint32_t frames[KERNEL_STACK_PAGES], got = 0;

	while (got < KERNEL_STACK_PAGES && (frames[got] = frame_alloc(0, FRAME_STACK)))
		got++;
	if (got == KERNEL_STACK_PAGES &&
	    !paging_map_span(&kernel_space, stack_bottom(process), frames, got, PAGE_WRITE))
		return true;
	while (got > 0)
		give_back(frames[--got]);
	return false;
}

static void destroy_stack(const struct process *process)
{
	uint32_t frames[KERNEL_STACK_PAGES];

	kassert(paging_unmap_span(&kernel_space, stack_bottom(process), frames,
				  KERNEL_STACK_PAGES) == KERNEL_STACK_PAGES);
	for (unsigned int i = 0; i < KERNEL_STACK_PAGES; i++)
		give_back(frames[i]);
}

/* The registers that it begins with: all 0, but for these. */
static void prepare_stack(struct process *process, uintptr_t entry, uintptr_t stack_pointer)
{
	struct first_switch *first = (struct first_switch *)stack_top(process) - 1;

	memset(first, 0, sizeof(*first));
	first->eip = (uint32_t)(uintptr_t)trap_return;
	first->frame.ds = first->frame.es = SELECTOR_USER_DATA;
	first->frame.eip = entry;
	first->frame.cs = SELECTOR_USER_CODE;
	first->frame.eflags = EFLAGS_FIXED | EFLAGS_IF;
	first->frame.esp = stack_pointer;
	first->frame.ss = SELECTOR_USER_DATA;
	process->stack = first;
}

static const char *load(struct process *process, const struct process_options *options,
			const struct elf_program *program)
{
	const struct load_words words = { options->name, options->arguments };
	struct address_space *before = paging_switch(&process->memory.space);
	uintptr_t stack_pointer;
	const char *reason =
		load_program(&process->memory, program, options->file, &words, &stack_pointer);

	paging_switch(before);
	if (!reason)
		prepare_stack(process, program->entry, stack_pointer);
	return reason;
}

/* Memory and kernel stack; of the process itself its slot must be known. */
static const char *fill(struct process *process, const struct process_options *options,
			const struct elf_program *program)
{
	const char *reason = "there is no memory for a process";

	if (memory_create(&process->memory))
		return reason;
	if (create_stack(process)) {
		reason = load(process, options, program);
		if (!reason)
			return NULL;
		destroy_stack(process);
	}
	memory_destroy(&process->memory);
	return reason;
}

static void describe(struct process *process, const struct process_options *options,
		     const struct elf_program *program)
{
	fpu_reset(&process->fpu);
	process->id = ++last_id;
	strlcpy(process->name, options->name, sizeof(process->name));
	process->heap = program->heap;
	process->output = options->output ? options->output : put_on_console;
	process->input = options->input ? options->input : tty_read_console;
	process->context = options->context;
	process->end_to = options->end;
	if (options->end)
		memset(options->end, 0, sizeof(*options->end));
}

static bool find_slot(unsigned int *slot)
{
	for (*slot = 0; *slot < PROCESS_MAX; ++*slot)
		if (!processes[*slot])
			return true;
	return false;
}

const char *process_create(const struct process_options *options, struct process **created)
{
	struct elf_program program;
	struct process *process;
	unsigned int slot;
	const char *reason = elf_read(&program, options->file, options->size, USER_BASE, LOAD_END);

	if (reason)
		return reason;
	if (!find_slot(&slot))
		return "there are too many processes";
	process = kmemalign(_Alignof(struct process), sizeof(*process));
	if (!process)
		return "there is no memory for a process";
	memset(process, 0, sizeof(*process));
	process->slot = slot;
	reason = fill(process, options, &program);
	if (reason) {
		kfree(process);
		return reason;
	}
	describe(process, options, &program);
	processes[slot] = process;
	if (created)
		*created = process;
	return NULL;
}

static void report(const struct process *process)
{
	char line[PROCESS_NAME_SIZE + sizeof(process->end.reason) + 48];
	int n = snprintf(line, sizeof(line), "process %u (%s): %s\n", process->id, process->name,
			 process->end.reason);

	process->output(process->context, line, (size_t)n);
}

/* Not on its own stack, nor in its own space. */
static void dispose(struct process *process)
{
	processes[process->slot] = NULL;
	if (process->end.reason[0])
		report(process);
	if (process->end_to)
		*process->end_to = process->end;
	destroy_stack(process);
	memory_destroy(&process->memory);
	kfree(process);
}

/* To a process, until it comes back through leave(). */
static void enter(struct process *process)
{
	unsigned long flags = irq_save();
	struct address_space *before = paging_switch(&process->memory.space);

	current = process;
	process->waits = false;
	began = timer_ticks();
	segments_use_kernel_stack(stack_top(process));
	segments_set_tls(process->tls);
	fpu_restore(&process->fpu);
	switch_stack(&step_stack, process->stack);
	fpu_save(&process->fpu);
	segments_set_tls(0);
	segments_use_kernel_stack(0);
	current = NULL;
	process->ticks += timer_ticks() - began;
	paging_switch(before);
	irq_restore(flags);
}

static void leave(void)
{
	unsigned long flags = irq_save();

	switch_stack(&current->stack, step_stack);
	irq_restore(flags);
}

static struct process *next_in_turn(void)
{
	for (unsigned int i = 0; i < PROCESS_MAX; i++) {
		last_slot = (last_slot + 1) % PROCESS_MAX;
		if (processes[last_slot])
			return processes[last_slot];
	}
	return NULL;
}

static bool all_wait(void)
{
	for (unsigned int i = 0; i < PROCESS_MAX; i++)
		if (processes[i] && !processes[i]->waits)
			return false;
	return true;
}

bool process_step(void)
{
	struct process *process = next_in_turn();

	kassert(!current);
	if (!process)
		return false;
	enter(process);
	if (process->end.fate != PROCESS_LIVES)
		dispose(process);
	if (!process_next(NULL))
		return false;
	if (all_wait())
		cpu_idle();
	return true;
}

void process_kill(struct process *process)
{
	kassert(process != current);
	process->end = (struct process_end){ .fate = PROCESS_KILLED,
					     .status = STATUS_KILLED,
					     .reason = "killed" };
	dispose(process);
}

struct process *process_next(const struct process *after)
{
	for (unsigned int i = after ? after->slot + 1 : 0; i < PROCESS_MAX; i++)
		if (processes[i])
			return processes[i];
	return NULL;
}

struct process *process_current(void)
{
	return current;
}

void process_pause(void)
{
	if (timer_ticks() != began)
		leave();
}

void process_wait(void)
{
	current->waits = true;
	leave();
}

void process_exit(const struct process_end *end)
{
	current->end = *end;
	leave();
	panic("process %u goes on after its end", current->id);
}

void process_set_tls(uint64_t descriptor)
{
	current->tls = descriptor;
	segments_set_tls(descriptor);
}
