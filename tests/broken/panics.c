/* SPDX-License-Identifier: MIT */
/*
 * Faults that nobody returns from, one for each boot: panic.t asks for them by
 * name. Functions that are looked for in a backtrace must not be inlined.
 */
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/paging.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#define NOINLINE __attribute__((noinline))

extern char __text_start[];
USER_CODE(hello);

static volatile unsigned int quotient; /* so that the division is not left out */

static NOINLINE void divide_by_nothing(const volatile unsigned int *nothing)
{
	quotient = 100 / *nothing;
}

KTEST(panic_at_a_division_by_zero)
{
	volatile unsigned int nothing = 0;

	divide_by_nothing(&nothing);
}

static NOINLINE void write_to(volatile char *address)
{
	*address = 1;
}

KTEST(panic_at_a_write_to_kernel_text)
{
	write_to(__text_start);
}

KTEST(panic_at_a_null_pointer)
{
	write_to((volatile char *)8);
}

static NOINLINE int overflow_the_stack(volatile int *depth)
{
	volatile int here = *depth + 1;

	if (here < 0)
		return 0;
	return overflow_the_stack(&here) + here;
}

KTEST(panic_at_a_stack_overflow)
{
	volatile int depth = 0;

	overflow_the_stack(&depth);
}

/* Within a system call: on a stack that is shorter, and has a guard of its own. */
static void overflow_in_write(void *context, const char *text, size_t n)
{
	volatile int depth = 0;

	(void)context;
	(void)text;
	(void)n;
	irq_disable(); /* else one of them may be what overflows it */
	overflow_the_stack(&depth);
}

KTEST(panic_at_an_overflow_in_a_system_call)
{
	static struct program program;

	PROGRAM(&program, hello);
	program.options.output = overflow_in_write;
	program_start(&program);
	program_run_all();
}

static NOINLINE void call(void (*volatile function)(void))
{
	function();
	__asm__ volatile(""); /* so that it is a call, not a jump */
}

static void (*volatile no_function)(void);

KTEST(panic_at_a_call_of_null)
{
	call(no_function);
}

/* Two bytes that are an invalid instruction, and no code. */
static uint8_t data[16] __attribute__((aligned(16))) = { 0x0F, 0x0B };

KTEST(panic_at_a_jump_into_data)
{
	call((void (*)(void))(uintptr_t)data);
}

KTEST(panic_at_a_double_fault)
{
	__asm__ volatile("mov $0x2000, %esp\n\tpush %eax");
}

KTEST(panic_at_the_page_behind_the_break)
{
	char *ptr = kmalloc(100);

	write_to((volatile char *)(((uintptr_t)ptr & ~0xFFFU) + 0x11000));
}

KTEST(panic_at_an_unexpected_interrupt)
{
	__asm__ volatile("int $40");
}

KTEST(panic_at_an_invalid_instruction)
{
	__asm__ volatile("ud2");
}

KTEST(panic_at_a_failed_assertion)
{
	volatile int answer = 41;

	kassert(answer == 42);
}

KTEST(panic_at_a_block_freed_twice)
{
	void *ptr = kmalloc(100), *next = kmalloc(50);

	kfree(ptr);
	kfree(ptr);
	kfree(next);
}

/* Called while a call of kfree() is under way. */
static void allocate_again(struct heap *heap, const struct heap_fault *fault)
{
	(void)heap;
	(void)fault;
	kmalloc(1);
}

KTEST(panic_at_kmalloc_within_kfree)
{
	void *ptr = kmalloc(100);

	heap_set_fault(&kernel_heap, allocate_again);
	kfree(ptr);
	kfree(ptr);
}

/* What lies below the break is taken apart, each in another way, and then given back. */
static uintptr_t page_below_the_break(void)
{
	char *ptr = kmalloc(100 * PAGE_SIZE);

	kfree(ptr);
	return ((uintptr_t)ptr + 50 * PAGE_SIZE) & ~PAGE_MASK;
}

KTEST(panic_at_a_page_missing_below_the_break)
{
	paging_unmap(&kernel_space, page_below_the_break(), NULL);
	kheap_trim(0);
}

KTEST(panic_at_a_frame_missing_below_the_break)
{
	uint32_t frame;

	paging_translate(&kernel_space, page_below_the_break(), &frame, NULL);
	frame_free(frame, 0);
	kheap_trim(0);
}

KTEST(panic_at_a_page_table_freed)
{
	uint32_t frame = frame_alloc(0, FRAME_OTHER);

	paging_map(&kernel_space, TEMP_BASE, frame, 0);
	frame_free(kernel_space.dir[TEMP_BASE >> 22] >> PAGE_SHIFT, 0);
	paging_unmap(&kernel_space, TEMP_BASE, NULL);
}

KTEST(panic_at_a_ledger_that_disagrees)
{
	frame_alloc(0, FRAME_HEAP);
	panic("as told");
}

KTEST(panic_at_the_last_page)
{
	write_to((volatile char *)0xFFFFFFF0);
}

/* The first block's length is damaged, so that the second cannot be followed to. */
KTEST(panic_at_a_damaged_heap)
{
	size_t *first = kmalloc(100);
	char *second = kmalloc(100);

	first[-1] = 8;
	panic_at(second, "as told");
}

KTEST(panic_at_the_start_of_the_heap)
{
	kmalloc(100);
	panic_at((void *)HEAP_BASE, "as told");
}

KTEST(panic_at_the_fence_of_the_heap)
{
	kmalloc(100);
	panic_at((char *)ksbrk(0) - 1, "as told");
}

static volatile char *volatile nowhere;

static void report_that_fails(const void *concern)
{
	(void)concern;
	write_to(nowhere);
}

KTEST(panic_inside_a_panic)
{
	panic_set_report(report_that_fails);
	panic("the first one");
}
