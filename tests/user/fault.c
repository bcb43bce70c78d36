/* SPDX-License-Identifier: MIT */
/*
 * What ends a program from outside:
 *
 *	fault		lists all there is, each with the signal of Linux for it, and "processor"
 *			behind what an emulated one (QEMU's TCG) lets pass
 *	fault allowed	what comes next to some of them, and goes well
 *	fault NAME	does it, and should not come back
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

enum { ILL = 4, TRAP = 5, FPE = 8, SEGV = 11, SIGNALS = 64, PROCESSOR = SIGNALS };

typedef void deed(uintptr_t at);

static const char constant[] = "constant";
static char variable[16] = "variable";

/* Memory */

static void read_at(uintptr_t at)
{
	__asm__ volatile("movl (%0), %%eax" : : "r"(at) : "eax", "memory");
}

static void write_at(uintptr_t at)
{
	__asm__ volatile("movl $1, (%0)" : : "r"(at) : "memory");
}

static void call_at(uintptr_t at)
{
	__asm__ volatile("call *%0" : : "r"(at) : "eax", "ecx", "edx", "memory");
}

static void write_text(uintptr_t at)
{
	write_at((uintptr_t)write_text + at);
}

static void write_constant(uintptr_t at)
{
	write_at((uintptr_t)constant + at);
}

static uintptr_t behind_the_break(void)
{
	return ((uintptr_t)sbrk(0) + PAGE - 1) & ~(PAGE - 1);
}

static void read_behind_the_break(uintptr_t at)
{
	read_at(behind_the_break() + at);
}

static void read_given_back(uintptr_t at)
{
	uintptr_t page = behind_the_break();

	brk((void *)(page + PAGE));
	write_at(page);
	brk((void *)page);
	read_at(page + at);
}

static uintptr_t a_page(int protection)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	write_at((uintptr_t)page);
	mprotect(page, PAGE, protection);
	return (uintptr_t)page;
}

static void read_forbidden(uintptr_t at)
{
	read_at(a_page(PROT_NONE) + at);
}

static void write_read_only(uintptr_t at)
{
	write_at(a_page(PROT_READ) + at);
}

static void read_unmapped(uintptr_t at)
{
	uintptr_t page = a_page(PROT_READ);

	munmap((void *)page, PAGE);
	read_at(page + at);
}

static volatile int enough = 1 << 20;

static __attribute__((noinline)) int recurse(int depth)
{
	volatile char here[1000];

	here[0] = (char)depth;
	return depth < enough ? recurse(depth + 1) + here[0] : 0;
}

static void overflow_stack(uintptr_t at)
{
	variable[0] = (char)recurse((int)at);
}

static void push_at(uintptr_t at)
{
	__asm__ volatile("movl %0, %%esp; pushl %%eax" : : "r"(at) : "memory");
}

static void read_far_below_stack(uintptr_t at)
{
	read_at((uintptr_t)__builtin_frame_address(0) - at);
}

/* Instructions */

#define INSTRUCTION(name, text)                                                                    \
	static void name(uintptr_t at)                                                             \
	{                                                                                          \
		__asm__ volatile(text : : "a"(at), "d"(0) : "ecx", "memory", "cc");                \
	}

INSTRUCTION(divide_by_zero, "xorl %%ecx, %%ecx; divl %%ecx")
INSTRUCTION(overflow_quotient, "movl $-1, %%ecx; movl $0x80000000, %%eax; cltd; idivl %%ecx")
INSTRUCTION(undefined, "ud2")
INSTRUCTION(breakpoint, "int3")
INSTRUCTION(interrupt_13, "int $13")
INSTRUCTION(interrupt_32, "int $32")
INSTRUCTION(interrupt_255, "int $255")
INSTRUCTION(overflow, "movl $0x7fffffff, %%ecx; addl $1, %%ecx; into")
INSTRUCTION(out_of_bounds, "pushl $0; pushl $0; movl $1, %%ecx; bound %%ecx, (%%esp)")
INSTRUCTION(single_step, "pushf; orl $0x100, (%%esp); popf; nop")
INSTRUCTION(halt, "hlt")
INSTRUCTION(interrupts_off, "cli")
INSTRUCTION(interrupts_on, "sti")
INSTRUCTION(raise_privilege, "pushf; orl $0x3000, (%%esp); popf; cli")
INSTRUCTION(port_in, "movl $0x64, %%edx; inb %%dx, %%al")
INSTRUCTION(port_out, "movl $0xf4, %%edx; outb %%al, %%dx")
INSTRUCTION(read_cr0, "movl %%cr0, %%eax")
INSTRUCTION(write_cr3, "movl %%eax, %%cr3")
INSTRUCTION(write_dr7, "movl %%eax, %%dr7")
INSTRUCTION(load_gdt, "subl $8, %%esp; lgdt (%%esp)")
INSTRUCTION(load_idt, "subl $8, %%esp; lidt (%%esp)")
INSTRUCTION(load_task, "ltr %%ax")
INSTRUCTION(clear_ts, "clts")
INSTRUCTION(flush_page, "invlpg (%%eax)")
INSTRUCTION(read_msr, "xorl %%ecx, %%ecx; rdmsr")

/* Segments: null, the kernel's here and on Linux, none */

INSTRUCTION(load_ds, "movl %%eax, %%ds; movl (%%esp), %%eax; movl %%ds:variable, %%eax")
INSTRUCTION(load_ss, "movl %%eax, %%ss")
INSTRUCTION(load_gs, "movl %%eax, %%gs; movl %%gs:0, %%eax")
INSTRUCTION(return_far, "pushl %%eax; pushl $0xc0100000; lret")
INSTRUCTION(return_from_interrupt, "pushf; pushl %%eax; pushl $0xc0100000; iret")

/* Floating point */

static void x87_divide(uintptr_t at)
{
	uint16_t control = (uint16_t)at;

	__asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(control));
}

static void sse_divide(uintptr_t at)
{
	uint32_t control = at;

	__asm__ volatile("ldmxcsr %0; xorps %%xmm0, %%xmm0; divps %%xmm0, %%xmm0" : : "m"(control));
}

static const struct fault {
	const char *name;
	int signal;
	deed *deed;
	uintptr_t at;
} faults[] = {
	{ "read-null", SEGV, read_at, 0 },
	{ "read-page-0", SEGV, read_at, 4092 },
	{ "read-low", SEGV, read_at, 0xFFFC },
	{ "read-kernel", SEGV, read_at, 0xC0100000 },
	{ "read-kernel-start", SEGV, read_at, 0xC0000000 },
	{ "read-kernel-heap", SEGV, read_at, 0xD0000000 },
	{ "read-top", SEGV, read_at, 0xFFFFFFFC },
	{ "read-around-top", SEGV, read_at, 0xFFFFFFFE },
	{ "read-behind-break", SEGV, read_behind_the_break, 0 },
	{ "read-given-back", SEGV, read_given_back, 0 },
	{ "read-forbidden", SEGV, read_forbidden, 0 },
	{ "read-unmapped", SEGV, read_unmapped, 0 },
	{ "read-below-stack", SEGV, read_far_below_stack, 64 << 20 },
	{ "write-null", SEGV, write_at, 0 },
	{ "write-kernel", SEGV, write_at, 0xC0100000 },
	{ "write-top", SEGV, write_at, 0xFFFFF000 },
	{ "write-text", SEGV, write_text, 0 },
	{ "write-constant", SEGV, write_constant, 0 },
	{ "write-read-only", SEGV, write_read_only, 0 },
	{ "call-null", SEGV, call_at, 0 },
	{ "call-kernel", SEGV, call_at, 0xC0100000 },
	{ "call-top", SEGV, call_at, 0xFFFFFFFF },
	{ "push-null", SEGV, push_at, 0 },
	{ "push-low", SEGV, push_at, 4 },
	{ "push-kernel", SEGV, push_at, 0xC0200000 },
	{ "stack-overflow", SEGV, overflow_stack, 0 },
	{ "divide-by-zero", FPE, divide_by_zero, 1 },
	{ "divide-overflow", FPE, overflow_quotient, 0 },
	{ "x87", FPE, x87_divide, 0x37B },
	{ "sse", FPE | PROCESSOR, sse_divide, 0x1F00 },
	{ "sse-reserved", SEGV | PROCESSOR, sse_divide, 0xFFFFFFFF },
	{ "ud2", ILL, undefined, 0 },
	{ "int3", TRAP, breakpoint, 0 },
	{ "single-step", TRAP, single_step, 0 },
	{ "int-13", SEGV, interrupt_13, 0 },
	{ "int-32", SEGV, interrupt_32, 0 },
	{ "int-255", SEGV, interrupt_255, 0 },
	{ "into", SEGV, overflow, 0 },
	{ "bound", SEGV, out_of_bounds, 0 },
	{ "hlt", SEGV, halt, 0 },
	{ "cli", SEGV, interrupts_off, 0 },
	{ "sti", SEGV, interrupts_on, 0 },
	{ "iopl", SEGV, raise_privilege, 0 },
	{ "in", SEGV, port_in, 0 },
	{ "out", SEGV, port_out, 0 },
	{ "read-cr0", SEGV, read_cr0, 0 },
	{ "write-cr3", SEGV, write_cr3, 0 },
	{ "write-dr7", SEGV, write_dr7, 0 },
	{ "lgdt", SEGV, load_gdt, 0 },
	{ "lidt", SEGV, load_idt, 0 },
	{ "ltr", SEGV, load_task, 0x28 },
	{ "clts", SEGV, clear_ts, 0 },
	{ "invlpg", SEGV, flush_page, 0 },
	{ "rdmsr", SEGV, read_msr, 0 },
	{ "ds-null", SEGV | PROCESSOR, load_ds, 0 },
	{ "ds-kernel", SEGV, load_ds, 0x10 },
	{ "ds-kernel-linux", SEGV, load_ds, 0x18 },
	{ "ds-none", SEGV, load_ds, 0xFFF8 },
	{ "ds-no-ldt", SEGV, load_ds, 0x0F },
	{ "ss-null", SEGV, load_ss, 0 },
	{ "ss-kernel", SEGV, load_ss, 0x10 },
	{ "gs-null", SEGV, load_gs, 0 },
	{ "lret-kernel", SEGV, return_far, 0x08 },
	{ "lret-kernel-linux", SEGV, return_far, 0x10 },
	{ "iret-kernel", SEGV, return_from_interrupt, 0x08 },
};

static void nothing(void)
{
}

static void do_what_is_allowed(void)
{
	uintptr_t page = a_page(PROT_READ | PROT_WRITE), end = behind_the_break();

	read_at((uintptr_t)constant);
	read_at((uintptr_t)do_what_is_allowed);
	write_at((uintptr_t)variable);
	call_at((uintptr_t)nothing);
	read_at(page + PAGE - 4);
	write_at(page);
	brk((void *)(end + 1));
	write_at(end + PAGE - 4);
	write_at((uintptr_t)__builtin_frame_address(0) - ((uintptr_t)1 << 20));
	x87_divide(0x37F);
	sse_divide(0x1F80);
	__asm__ volatile("movl %0, %%gs" : : "r"(0));
	puts("allowed");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "allowed") == 0) {
		do_what_is_allowed();
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(name, faults[i].name) == 0)
			faults[i].deed(faults[i].at);
		if (!*name)
			printf("%s %d%s\n", faults[i].name, faults[i].signal % SIGNALS,
			       faults[i].signal & PROCESSOR ? " processor" : "");
	}
	if (!*name)
		return EXIT_SUCCESS;
	printf("%s: not ended\n", name);
	return EXIT_FAILURE;
}
