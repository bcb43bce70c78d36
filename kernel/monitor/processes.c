/* SPDX-License-Identifier: MIT */
/*
 * Commands that run programs, and look at their processes.
 *
 * All processes but the one that a command waits for run while the monitor waits
 * for keys (kernel/monitor/input.h), so none of them runs while a command looks.
 */
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/mm/inspect.h"
#include "kernel/mm/layout.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/edit.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/programs.h"
#include "kernel/monitor/userheap.h"
#include "kernel/proc/process.h"
#include "kernel/proc/tty.h"

#include <printf.h>
#include <string.h>

#define SHOWN_USUALLY 20U

/**
 * struct job - a process that a command has started
 * @id: of the process; 0 if there is none here
 * @name: of its program
 * @end: how it ended, once it has
 */
struct job {
	unsigned int id;
	char name[PROCESS_NAME_SIZE];
	struct process_end end;
};

static struct job jobs[PROCESS_MAX];
static struct tty typed;
static unsigned int in_front; /* the process that a command waits for, 0 if there is none */
static bool interrupted;

static struct process *find_process(const char *text)
{
	struct process *process = process_next(NULL);
	uint32_t id;

	if (!command_number(text, 1, UINT32_MAX, &id))
		return NULL;
	while (process && process->id != id)
		process = process_next(process);
	if (!process)
		kprintf("there is no process %u; ps lists them\n", id);
	return process;
}

static const struct boot_module *find_module(const char *name)
{
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		if (strcmp(bootinfo.modules[i].name, name) == 0)
			return &bootinfo.modules[i];
	kprintf("there is no program %s; loaded as modules are:", name);
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		kprintf(" %s", bootinfo.modules[i].name);
	kprintf("%s\n", bootinfo.nmodules ? "" : " none");
	return NULL;
}

/* What is typed is for the process in front; one that is not waits. */
static int read_typed(void *context)
{
	int key;

	(void)context;
	if (process_current()->id != in_front)
		return PROCESS_INPUT_NONE;
	while (!typed.ended && !typed.closed && (key = input_poll()) != KEY_NONE) {
		interrupted |= key == KEY_CTRL_C;
		if (key < KEY_UP)
			tty_type(&typed, (char)key);
	}
	return tty_next(&typed);
}

/* Room for a job: one that ended long ago gives it up. NULL if as many run as can. */
static struct job *new_job(void)
{
	struct job *ended = NULL;

	for (size_t i = 0; i < PROCESS_MAX; i++) {
		if (!jobs[i].id)
			return &jobs[i];
		if (jobs[i].end.fate != PROCESS_LIVES && (!ended || jobs[i].id < ended->id))
			ended = &jobs[i];
	}
	return ended;
}

/* Its arguments: those that were typed, or if there are none those of the module. */
static const char *arguments_of(const struct call *call, const struct boot_module *module)
{
	static char text[EDIT_SIZE];
	size_t n = 0;

	if (call->n < 2)
		return module->arguments;
	for (size_t i = 1; i < call->n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 1 ? " " : "",
				      call->argument[i]);
	return text;
}

/* Makes a process of what was typed. Return: NULL if that cannot be, which is said. */
static struct job *create(const struct call *call)
{
	const struct boot_module *module = find_module(call->argument[0]);
	const char *reason = "there are too many processes";
	struct process_options options = { .input = read_typed };
	struct job *job = new_job();
	struct process *process;

	if (!module)
		return NULL;
	if (job) {
		options.arguments = arguments_of(call, module);
		options.end = &job->end;
		reason = programs_create(module, &options, &process);
	}
	if (reason) {
		kprintf("%s: %s\n", module->name, reason);
		return NULL;
	}
	job->id = process->id;
	strlcpy(job->name, process->name, sizeof(job->name));
	return job;
}

/* Every process here is one of them. */
static struct job *find_job(unsigned int id)
{
	size_t i = 0;

	while (jobs[i].id != id)
		i++;
	return &jobs[i];
}

static void kill_front(void)
{
	struct process *process = process_next(NULL);

	while (process->id != in_front)
		process = process_next(process);
	kprintf("^C\n");
	process_kill(process);
}

/* Waits for a process, which has the keys meanwhile; others run beside it. */
static void wait_for(struct job *job)
{
	memset(&typed, 0, sizeof(typed));
	interrupted = false;
	in_front = job->id;
	while (job->end.fate == PROCESS_LIVES) {
		process_step();
		interrupted |= input_interrupted();
		if (interrupted && job->end.fate == PROCESS_LIVES)
			kill_front();
	}
	in_front = 0;
	kprintf("%s: status %d\n", job->name, job->end.status);
	job->id = 0;
}

static bool command_run(const struct call *call)
{
	struct job *job = create(call);

	if (job)
		wait_for(job);
	return job != NULL;
}

static bool command_start(const struct call *call)
{
	const struct job *job = create(call);

	if (job)
		kprintf("process %u (%s)\n", job->id, job->name);
	return job != NULL;
}

static bool command_fg(const struct call *call)
{
	const struct process *process = find_process(call->argument[0]);

	if (process)
		wait_for(find_job(process->id));
	return process != NULL;
}

static bool command_kill(const struct call *call)
{
	struct process *process = find_process(call->argument[0]);

	if (process)
		process_kill(process);
	return process != NULL;
}

static void print_process(struct process *process)
{
	kprintf("  %4u  %-12s  %-5s  %6u  0x%08lx  %6u\n", process->id, process->name,
		process->waits ? "waits" : "ready",
		paging_count(&process->memory.space, 0, USER_END),
		(unsigned long)process->memory.brk.end, process->ticks);
}

/* Those that have ended are told of once. */
static void print_ended(void)
{
	for (size_t i = 0; i < PROCESS_MAX; i++) {
		struct job *job = &jobs[i];

		if (!job->id || job->end.fate == PROCESS_LIVES)
			continue;
		kprintf("  %4u  %-12s  ended  status %d%s%s\n", job->id, job->name, job->end.status,
			job->end.reason[0] ? ": " : "", job->end.reason);
		job->id = 0;
	}
}

static bool command_ps(const struct call *call)
{
	(void)call;
	kprintf("    id  program       state   pages       break   ticks\n");
	for (struct process *process = process_next(NULL); process; process = process_next(process))
		print_process(process);
	print_ended();
	return true;
}

static void print_span(const struct memory *memory, uintptr_t from, uintptr_t to, unsigned int prot,
		       const char *name)
{
	kprintf("  0x%08lx  0x%08lx  %s  %6u  %s\n", (unsigned long)from, (unsigned long)to,
		!(prot & PAGE_USER) ? "---"
		: prot & PAGE_WRITE ? "rwx"
				    : "r-x",
		paging_count(&memory->space, from, to), name);
}

/* The heap is no area, but what lies between areas. */
static void print_heap(const struct memory *memory, uintptr_t from, uintptr_t to)
{
	uintptr_t base = memory->brk.base, end = (memory->brk.end + PAGE_MASK) & ~PAGE_MASK;

	from = from > base ? from : base;
	to = to < end ? to : end;
	if (from < to)
		print_span(memory, from, to, PAGE_USER | PAGE_WRITE, "heap");
}

static bool command_maps(const struct call *call)
{
	const struct process *process = find_process(call->argument[0]);
	const struct memory *memory;
	uintptr_t at = 0;

	if (!process)
		return false;
	memory = &process->memory;
	kprintf("  from        to          may   pages  what\n");
	for (const struct area *area = memory->areas.first; area; area = area->next) {
		print_heap(memory, at, area->start);
		print_span(memory, area->start, area->end, area->prot, area->name);
		at = area->end;
	}
	print_heap(memory, at, USER_END);
	kprintf("  break 0x%08lx, %lu bytes above its base 0x%08lx; limit 0x%08lx\n",
		(unsigned long)memory->brk.end, (unsigned long)(memory->brk.end - memory->brk.base),
		(unsigned long)memory->brk.base, (unsigned long)memory->brk.limit);
	return true;
}

#define KINDS (HEAP_PIECE_FENCE + 1)

/* What a walk through a program's heap has seen, by kinds; the first @shown are printed. */
struct survey {
	uint32_t seen, shown;
	uint32_t pieces[KINDS];
	size_t bytes[KINDS], all;
};

static bool see(void *context, const struct heap_piece *piece)
{
	struct survey *survey = context;

	if (survey->seen++ < survey->shown)
		kprintf("  0x%08lx  %9zu bytes  %s\n", (unsigned long)(uintptr_t)piece->address,
			piece->size, inspect_piece_name(piece->kind));
	survey->pieces[piece->kind]++;
	survey->bytes[piece->kind] += piece->size;
	survey->all += piece->size;
	return true;
}

static void print_survey(const struct survey *survey, const struct brk *brk)
{
	if (survey->seen > survey->shown)
		kprintf("  and %u more\n", survey->seen - survey->shown);
	for (unsigned int kind = 0; kind < KINDS; kind++)
		if (survey->pieces[kind])
			kprintf("  %-18s %7u  %9zu bytes\n", inspect_piece_name(kind),
				survey->pieces[kind], survey->bytes[kind]);
	kprintf("  %-18s %7u  %9zu bytes; from its base to the break there are %lu\n", "all",
		survey->seen, survey->all, (unsigned long)(brk->end - brk->base));
}

static bool command_blocks(const struct call *call)
{
	struct process *process = find_process(call->argument[0]);
	struct survey survey = { .shown = SHOWN_USUALLY };
	struct userheap_fault fault;
	bool whole;

	if (!process ||
	    (call->n > 1 && !command_number(call->argument[1], 0, UINT32_MAX, &survey.shown)))
		return false;
	if (!process->heap) {
		kprintf("process %u (%s) does not say where its heap is\n", process->id,
			process->name);
		return false;
	}
	whole = userheap_walk(&process->memory, process->heap, see, &survey, &fault);
	print_survey(&survey, &process->memory.brk);
	if (!whole)
		kprintf("  not followed further: 0x%08lx: %s\n", (unsigned long)fault.address,
			fault.reason);
	return whole;
}

#define DETAILS_RUN                                                                                \
	"NAME is that of a module, which is a static program for Linux on i386. Without\n"         \
	"ARGUMENTS it has those that it was loaded with.\n"

static const struct command commands[] = {
	{ "run", "NAME [ARGUMENTS]", "a program that was loaded as a module, and wait for it",
	  DETAILS_RUN "What is typed it reads, a line at a time; Ctrl-D is the end, and Ctrl-C\n"
		      "kills it.\n",
	  1, WORDS_MOST - 1, false, command_run },
	{ "start", "NAME [ARGUMENTS]", "the same, and do not wait",
	  DETAILS_RUN "It waits when it wants to read, until fg gives it the keys.\n", 1,
	  WORDS_MOST - 1, false, command_start },
	{ "fg", "ID", "wait for a process that was started", NULL, 1, 1, false, command_fg },
	{ "kill", "ID", "end a process", NULL, 1, 1, false, command_kill },
	{ "ps", "", "the processes, and once those that have ended", NULL, 0, 0, false,
	  command_ps },
	{ "maps", "ID", "what a process may do where, and its break",
	  "Pages are those that are there: one comes when it is first touched. Whatever may\n"
	  "be read may be run, too: the processor makes no difference.\n",
	  1, 1, false, command_maps },
	{ "blocks", "ID [N]", "the blocks of a program's own heap",
	  "For programs over the C library of user/, which say where their heap is. Shows\n"
	  "the first N, and adds up all. A heap is seen as it is between two instructions:\n"
	  "in the middle of a call it may not be sound.\n",
	  1, 2, false, command_blocks },
};

const struct command_group process_commands = COMMAND_GROUP(commands);
