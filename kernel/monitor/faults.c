/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong with heaps, done on purpose: each fault in a heap of its own
 * that is thrown away, so that the monitor goes on; or, if asked for, in the
 * kernel's heap, which panics as it would for anybody.
 *
 * docs/faults.md has all of them, with what becomes of each.
 */
#include "kernel/dev/console.h"
#include "kernel/mm/inspect.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/sandbox.h"
#include "kernel/x86/trap.h"

#include <string.h>

struct fault {
	const char *name, *summary;
	unsigned int row; /* of docs/faults.md */
	void (*provoke)(void);
};

static struct heap heap;
static struct brk brk;
static bool in_kernel;
static unsigned int reports;
static uintptr_t elsewhere[6] __attribute__((aligned(8))); /* memory that no heap has given */

static void *move_break(intptr_t increment)
{
	return brk_move(&brk, increment);
}

/* The hook of the heap that is thrown away. */
static void report(struct heap *of, const struct heap_fault *fault)
{
	kprintf("heap: pointer 0x%08lx: %s (0x%08zx, 0x%08zx)\n",
		(unsigned long)(uintptr_t)fault->block + HEAP_WORD, heap_fault_name(fault->kind),
		fault->expected, fault->found);
	inspect_block(of, fault->block);
	reports++;
}

static const char *prefix(void)
{
	return in_kernel ? "k" : "";
}

static char *take(const char *name, size_t size)
{
	char *ptr = in_kernel ? kmalloc(size) : heap_malloc(&heap, size);

	kprintf("  %s = %smalloc(%zu): 0x%08lx\n", name, prefix(), size,
		(unsigned long)(uintptr_t)ptr);
	return ptr;
}

static void give(const char *what, void *ptr)
{
	kprintf("  %sfree(%s)\n", prefix(), what);
	if (in_kernel)
		kfree(ptr);
	else
		heap_free(&heap, ptr);
}

static void misaligned(void)
{
	char *p = take("p", 100);

	give("p + 1", p + 1);
}

static void inside(void)
{
	char *p = take("p", 100);

	memset(p, 0, 100);
	give("p + 8", p + 8);
}

static void foreign(void)
{
	kprintf("  a perfect header is put before a variable of ours\n");
	elsewhere[1] = 16 | HEAP_IN_USE | HEAP_PREV_IN_USE;
	elsewhere[5] = elsewhere[1];
	give("the variable", &elsewhere[2]);
}

static void double_free(void)
{
	char *p = take("p", 100);

	give("p", p);
	give("p", p);
}

static void off_by_one(void)
{
	char *p = take("p", 100);

	take("q", 100);
	kprintf("  p[100] = 0\n");
	p[100] = 0;
	give("p", p);
}

static void overflow(void)
{
	char *p = take("p", 100), *q = take("q", 100);

	kprintf("  memset(p, 'A', 124)\n");
	memset(p, 'A', 124);
	give("q", q);
}

static void underflow(void)
{
	char *p = take("p", 100);

	kprintf("  memset(p - 4, 'A', 4)\n");
	memset(p - 4, 'A', 4);
	give("p", p);
}

static void length(void)
{
	uintptr_t *p = (void *)take("p", 100);

	take("q", 100);
	kprintf("  the length before p is made larger by 8\n");
	p[-1] += 8;
	give("p", p);
}

static void bit(void)
{
	uintptr_t *p = (void *)take("p", 100);

	take("q", 100);
	kprintf("  a bit of the length before p is flipped\n");
	p[-1] ^= 0x400;
	give("p", p);
}

/* Blocks that are not small go into a bin at once, linked through their first words. */
static void use_after_free(void)
{
	char *p = take("p", 1000);

	take("wall", 100);
	give("p", p);
	kprintf("  memset(p, 'A', 4)\n");
	memset(p, 'A', 4);
	take("r", 1000);
}

/* The classic: whoever unlinks p writes one forged word to where the other says. */
static void unlink(void)
{
	uintptr_t *p = (void *)take("p", 1000);
	char *q = take("q", 1000);

	take("wall", 100);
	give("p", p);
	kprintf("  p's links are made to lead to memory of ours that leads back\n");
	p[0] = (uintptr_t)&elsewhere[0];
	p[1] = (uintptr_t)&elsewhere[3];
	elsewhere[2] = (uintptr_t)p;
	elsewhere[3] = (uintptr_t)p - sizeof(size_t);
	give("q", q);
}

static void too_large(void)
{
	take("p", SIZE_MAX);
	kprintf("  NULL: asking for the impossible is refused, and is no fault\n");
	reports++;
}

static void write_to(void *address)
{
	*(volatile char *)address = 1;
}

/* Nothing is mapped at @address; the trap is caught, unless it shall be the kernel's. */
static void trap_at(uintptr_t address)
{
	struct trap_frame frame;

	kprintf("  a byte is written to 0x%08lx\n", (unsigned long)address);
	if (in_kernel)
		write_to((void *)address);
	if (!trap_catch(write_to, (void *)address, &frame))
		return;
	kprintf("%s: writing 0x%08lx, which is not mapped\n", trap_name(frame.vector),
		(unsigned long)address);
	reports++;
}

static void behind_break(void)
{
	take("p", 100);
	trap_at((in_kernel ? kernel_brk.end : brk.end) + PAGE_MASK);
}

static void null(void)
{
	trap_at(0);
}

/* Not inlined, and not made a loop. */
static __attribute__((noinline)) int descend(volatile int *depth)
{
	volatile int here = *depth + 1;

	return here < 0 ? 0 : descend(&here) + here;
}

static void stack(void)
{
	volatile int depth = 0;

	if (in_kernel)
		descend(&depth);
	kprintf("  there is one stack, and the monitor is on it: only with the word panic\n");
}

static const struct fault faults[] = {
	{ "misaligned", "free of a pointer that is off by one", 1, misaligned },
	{ "inside", "free of a pointer into a block", 2, inside },
	{ "foreign", "free of what no malloc gave", 3, foreign },
	{ "double-free", "a block freed twice", 5, double_free },
	{ "off-by-one", "a zero byte past the end", 12, off_by_one },
	{ "overflow", "24 bytes past the end", 13, overflow },
	{ "underflow", "a word before the start", 15, underflow },
	{ "bit", "a bit of a length flipped", 17, bit },
	{ "length", "a length too large by 8", 20, length },
	{ "use-after-free", "a link of a free block overwritten", 25, use_after_free },
	{ "unlink", "links forged so that they agree", 28, unlink },
	{ "too-large", "more asked for than can be", 35, too_large },
	{ "behind-break", "a byte behind the break", 32, behind_break },
	{ "stack", "recursion without an end", 51, stack },
	{ "null", "a byte through a null pointer", 32, null },
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

static const struct fault *find(const char *name)
{
	for (size_t i = 0; i < FAULTS; i++)
		if (strcmp(faults[i].name, name) == 0)
			return &faults[i];
	return NULL;
}

/* Return: whether it was seen by a call or, later, by the walk of everything. */
static bool provoke(const struct fault *fault)
{
	struct heap_fault found;

	brk_init(&brk, &kernel_space, SANDBOX_HEAP_BASE, SANDBOX_HEAP_LIMIT);
	brk.owner = FRAME_OTHER;
	heap_init(&heap, move_break);
	heap_set_fault(&heap, report);
	reports = 0;
	fault->provoke();
	if (reports == 0 && !in_kernel && !heap_check(&heap, &found)) {
		kprintf("no call saw it, but the walk of all blocks does:\n");
		report(&heap, &found);
	}
	brk_set(&brk, brk.base);
	return reports > 0;
}

static bool command_fault(const struct call *call)
{
	const struct fault *fault = call->n > 0 ? find(call->argument[0]) : NULL;

	for (size_t i = 0; i < FAULTS && call->n == 0; i++)
		kprintf("  %-15s %-36s row %2u of docs/faults.md\n", faults[i].name,
			faults[i].summary, faults[i].row);
	if (call->n == 0)
		return true;
	if (!fault) {
		kprintf("there is no fault %s; fault alone lists them\n", call->argument[0]);
		return false;
	}
	in_kernel = call->n > 1;
	if (in_kernel && strcmp(call->argument[1], "panic") != 0) {
		kprintf("%s: panic is the only word there\n", call->argument[1]);
		return false;
	}
	return provoke(fault);
}

static const struct command commands[] = {
	{ "fault", "[NAME [panic]]", "break a heap on purpose, and see what it says",
	  "fault alone lists them. Each is done to a heap that is then thrown away, and\n"
	  "whose hook prints what it is told. With the word panic it is done to the\n"
	  "kernel's own heap: the panic ends this session.\n",
	  0, 2, false, command_fault },
};

const struct command_group fault_commands = COMMAND_GROUP(commands);
