/* SPDX-License-Identifier: MIT */
/*
 * Programs for ring 3. Each is what lies between two labels, and runs at
 * PROGRAM_CODE, wherever it lies here: so addresses in it are relative, or made
 * by AT(). Its data is at PROGRAM_DATA.
 */
#include "kernel/x86/segments.h"
#include "tests/kernel/program.h"

#define EXIT 1
#define WRITE 4

	.macro BEGIN name
	.global user_\name, user_\name\()_end
user_\name:
	.endm

	.macro END name
user_\name\()_end:
	.endm

	.section .rodata

	/* Prints, and exits with 42. */
	BEGIN hello
hello_start:
	movl $WRITE, %eax
	movl $1, %ebx
	movl $(hello_text - hello_start + PROGRAM_CODE), %ecx
	movl $(hello_text_end - hello_text), %edx
	int $0x80
	movl $EXIT, %eax
	movl $42, %ebx
	int $0x80
hello_text:
	.ascii "hello from ring 3\n"
hello_text_end:
	END hello

	/*
	 * Does what struct step says, one after the other from PROGRAM_DATA on, and
	 * writes down the results. In the end it writes them all to the console.
	 */
#define CURSOR (PROGRAM_DATA + SCRIPT_SIZE)
	BEGIN script
	movl $PROGRAM_DATA, CURSOR
1:	movl CURSOR, %eax
	movl 4(%eax), %ebx
	movl 8(%eax), %ecx
	movl 12(%eax), %edx
	movl 16(%eax), %esi
	movl 20(%eax), %edi
	movl 24(%eax), %ebp
	movl (%eax), %eax
	cmpl $SCRIPT_END, %eax
	je 6f
	cmpl $SCRIPT_PEEK, %eax
	je 3f
	cmpl $SCRIPT_POKE, %eax
	je 4f
	cmpl $SCRIPT_CALL, %eax
	je 5f
	int $0x80
2:	movl CURSOR, %edx
	movl %eax, 28(%edx)
	addl $32, CURSOR
	jmp 1b
3:	movl (%ebx), %eax
	jmp 2b
4:	movl %ecx, (%ebx)
	jmp 2b
5:	call *%ebx
	jmp 2b
6:	movl $WRITE, %eax
	movl $1, %ebx
	movl $PROGRAM_DATA, %ecx
	movl CURSOR, %edx
	subl %ecx, %edx
	int $0x80
	movl $EXIT, %eax
	xorl %ebx, %ebx
	int $0x80
	END script

	/* Those below do what ends them. What goes on exits with 7. */
	.macro END_FAULT name
	movl $EXIT, %eax
	movl $7, %ebx
	int $0x80
	END \name
	.endm

	BEGIN divide
	xorl %ecx, %ecx
	divl %ecx
	END_FAULT divide

	BEGIN single_step
	pushfl
	orl $0x100, (%esp)
	popfl
	nop
	END_FAULT single_step

	BEGIN breakpoint
	int3
	END_FAULT breakpoint

	BEGIN overflow
	movb $127, %al
	addb $1, %al
	into
	END_FAULT overflow

	BEGIN bound
	pushl $1
	pushl $0
	movl $5, %eax
	boundl %eax, (%esp)
	END_FAULT bound

	BEGIN invalid
	ud2
	END_FAULT invalid

	BEGIN nested_task
	pushfl
	orl $0x4000, (%esp)
	popfl
	iret
	END_FAULT nested_task

	BEGIN cli
	cli
	END_FAULT cli

	BEGIN sti
	sti
	END_FAULT sti

	BEGIN hlt
	hlt
	END_FAULT hlt

	BEGIN in
	inb $0x60, %al
	END_FAULT in

	BEGIN out
	outb %al, $0x20
	END_FAULT out

	BEGIN outs
	movl $PROGRAM_DATA, %esi
	movw $0x3F8, %dx
	outsb
	END_FAULT outs

	BEGIN in_after_popf
	pushl $0x3202
	popfl
	inb $0x60, %al
	END_FAULT in_after_popf

	BEGIN lgdt
	lgdt PROGRAM_DATA
	END_FAULT lgdt

	BEGIN lidt
	lidt PROGRAM_DATA
	END_FAULT lidt

	BEGIN lldt
	xorl %eax, %eax
	lldt %ax
	END_FAULT lldt

	BEGIN ltr
	movw $SELECTOR_TASK, %ax
	ltr %ax
	END_FAULT ltr

	BEGIN lmsw
	lmsw %ax
	END_FAULT lmsw

	BEGIN clts
	clts
	END_FAULT clts

	BEGIN invlpg
	invlpg PROGRAM_DATA
	END_FAULT invlpg

	BEGIN wbinvd
	wbinvd
	END_FAULT wbinvd

	BEGIN read_cr0
	movl %cr0, %eax
	END_FAULT read_cr0

	BEGIN write_cr3
	movl %eax, %cr3
	END_FAULT write_cr3

	BEGIN write_cr4
	movl %eax, %cr4
	END_FAULT write_cr4

	BEGIN write_dr7
	movl %eax, %dr7
	END_FAULT write_dr7

	BEGIN rdmsr
	movl $0x174, %ecx
	rdmsr
	END_FAULT rdmsr

	BEGIN wrmsr
	movl $0x176, %ecx
	wrmsr
	END_FAULT wrmsr

	BEGIN sysenter
	sysenter
	END_FAULT sysenter

	BEGIN load_ds
	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ds
	END_FAULT load_ds

	BEGIN load_es
	movl $SELECTOR_KERNEL_CODE, %eax
	movl %eax, %es
	END_FAULT load_es

	BEGIN load_fs
	movl $SELECTOR_TASK, %eax
	movl %eax, %fs
	END_FAULT load_fs

	BEGIN load_gs
	movl $SELECTOR_USER_TLS, %eax
	movl %eax, %gs
	END_FAULT load_gs

	BEGIN load_gs_local
	movl $0x0F, %eax
	movl %eax, %gs
	END_FAULT load_gs_local

	BEGIN load_gs_beyond
	movl $0xFFFB, %eax
	movl %eax, %gs
	END_FAULT load_gs_beyond

	BEGIN load_ss
	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ss
	END_FAULT load_ss

	BEGIN load_ss_null
	xorl %eax, %eax
	movl %eax, %ss
	END_FAULT load_ss_null

	BEGIN load_ss_code
	movl $SELECTOR_USER_CODE, %eax
	movl %eax, %ss
	END_FAULT load_ss_code

	BEGIN jump_far
	ljmp $SELECTOR_KERNEL_CODE, $0xC0100000
	END_FAULT jump_far

	BEGIN jump_task
	ljmp $SELECTOR_FAULT_TASK, $0
	END_FAULT jump_task

	BEGIN return_far
	pushl $SELECTOR_KERNEL_CODE
	pushl $0xC0100000
	lret
	END_FAULT return_far

	BEGIN return_interrupt
	pushfl
	pushl $SELECTOR_KERNEL_CODE
	pushl $0xC0100000
	iret
	END_FAULT return_interrupt

	BEGIN movaps
	movaps PROGRAM_DATA + 4, %xmm0
	END_FAULT movaps

	BEGIN float
	movl $0x37B, PROGRAM_DATA
	fldcw PROGRAM_DATA
	fld1
	fldz
	fdivrp
	fwait
	END_FAULT float

	BEGIN push_on_kernel
	movl $0xC0200000, %esp
	movl $20, %eax
	int $0x80
	pushl %eax
	END_FAULT push_on_kernel

	BEGIN overflow_stack
	movl $(USER_STACK_LOWEST + 8), %esp
1:	call 1b
	END_FAULT overflow_stack

	/*
	 * State of its own, looked at while others run. Its data begins with a number
	 * of its own and how often to look. Exits with 0 if all stayed as it was.
	 */
	BEGIN state
	movl PROGRAM_DATA, %ebp
	movl PROGRAM_DATA + 4, %ecx
	movl %ebp, PROGRAM_DATA + 0x1000
	movd %ebp, %xmm0
	pshufd $0, %xmm0, %xmm0
	movaps %xmm0, %xmm7
	fildl PROGRAM_DATA
	movl %ebp, %ebx
	movl %ebp, %esi
	movl %ebp, %edi
1:	pushl %ebp
	popl %edx
	cmpl %ebp, %edx
	jne 2f
	cmpl %ebp, %ebx
	jne 2f
	cmpl %ebp, %esi
	jne 2f
	cmpl %ebp, %edi
	jne 2f
	cmpl %ebp, PROGRAM_DATA + 0x1000
	jne 2f
	movaps %xmm7, %xmm1
	pcmpeqd %xmm0, %xmm1
	pmovmskb %xmm1, %eax
	cmpl $0xFFFF, %eax
	jne 2f
	movd %xmm7, %eax
	cmpl %ebp, %eax
	jne 2f
	fistl PROGRAM_DATA + 8
	cmpl %ebp, PROGRAM_DATA + 8
	jne 2f
	decl %ecx
	jnz 1b
	movl $EXIT, %eax
	xorl %ebx, %ebx
	int $0x80
2:	movl $EXIT, %eax
	movl $1, %ebx
	int $0x80
	END state

	/* Whether floating point is at its beginning: exits with 0 if so. */
	BEGIN clean
	fnstcw PROGRAM_DATA
	cmpw $0x37F, PROGRAM_DATA
	jne 1f
	fnstsw %ax
	testw %ax, %ax
	jnz 1f
	stmxcsr PROGRAM_DATA
	cmpl $0x1F80, PROGRAM_DATA
	jne 1f
	.irp register, 1, 2, 3, 4, 5, 6, 7
	por %xmm\register, %xmm0
	.endr
	pxor %xmm1, %xmm1
	pcmpeqd %xmm1, %xmm0
	pmovmskb %xmm0, %eax
	cmpl $0xFFFF, %eax
	jne 1f
	movl $EXIT, %eax
	xorl %ebx, %ebx
	int $0x80
1:	movl $EXIT, %eax
	movl $1, %ebx
	int $0x80
	END clean

	/* Exits with the number of its arguments, or 99 if the stack is not aligned. */
	BEGIN arguments
	movl $EXIT, %eax
	movl (%esp), %ebx
	testl $15, %esp
	jz 1f
	movl $99, %ebx
1:	int $0x80
	END arguments

	/* Never ends. */
	BEGIN spin
1:	jmp 1b
	END spin

	/* Never ends either, and is in the kernel all the time. */
	BEGIN call_on
1:	movl $20, %eax
	int $0x80
	jmp 1b
	END call_on

	/* Exits with the byte that it reads. */
	BEGIN read_one
	movl $3, %eax
	xorl %ebx, %ebx
	movl $PROGRAM_DATA, %ecx
	movl $1, %edx
	int $0x80
	movl $EXIT, %eax
	movzbl PROGRAM_DATA, %ebx
	int $0x80
	END read_one

	/* Touches every page of its heap, which it has made as large as its data says; and does not
	 * end if that says so. */
	BEGIN touch_heap
	movl $45, %eax
	movl PROGRAM_DATA, %ebx
	int $0x80
	cmpl %ebx, %eax
	jne 2f
	movl $PROGRAM_HEAP, %ecx
1:	movl %ecx, (%ecx)
	addl $4096, %ecx
	cmpl %ebx, %ecx
	jb 1b
3:	cmpl $0, PROGRAM_DATA + 4
	jne 3b
	movl $EXIT, %eax
	xorl %ebx, %ebx
	int $0x80
2:	movl $EXIT, %eax
	movl $1, %ebx
	int $0x80
	END touch_heap

	/*
	 * A segment of its own is loaded, as gs, and found to hold the word that its
	 * data has at 16; it is taken away while it is loaded, and gs is 0 then.
	 */
	BEGIN thread_area
	movl $243, %eax
	movl $PROGRAM_DATA, %ebx
	int $0x80
	testl %eax, %eax
	jnz 1f
	movl PROGRAM_DATA, %eax
	leal 3(,%eax,8), %eax
	movl %eax, %gs
	movl PROGRAM_DATA + 16, %edx
	movl PROGRAM_DATA + 20, %ecx
2:	cmpl %gs:0, %edx
	jne 1f
	decl %ecx
	jnz 2b
	movl $0, PROGRAM_DATA + 4
	movl $0, PROGRAM_DATA + 8
	movl $0x28, PROGRAM_DATA + 12
	movl $243, %eax
	movl $PROGRAM_DATA, %ebx
	int $0x80
	testl %eax, %eax
	jnz 1f
	movl %gs, %eax
	testl %eax, %eax
	jnz 1f
	movl $EXIT, %eax
	xorl %ebx, %ebx
	int $0x80
1:	movl $EXIT, %eax
	movl $1, %ebx
	int $0x80
	END thread_area

	/* The same with ss, which becomes the ordinary one, and with all the others at once. */
	BEGIN thread_area_as_stack
	movl $243, %eax
	movl $PROGRAM_DATA, %ebx
	int $0x80
	movl $SELECTOR_USER_TLS, %eax
	movl %eax, %ss
	movl %eax, %gs
	movl %eax, %fs
	movl %eax, %es
	movl $0, PROGRAM_DATA + 4
	movl $0, PROGRAM_DATA + 8
	movl $0x28, PROGRAM_DATA + 12
	movl $243, %eax
	movl $PROGRAM_DATA, %ebx
	movl %ebx, %edx
	int $0x80
	movl %ss, %eax
	cmpl $SELECTOR_USER_DATA, %eax
	jne 1f
	movl %gs, %eax
	movl %fs, %ebx
	movl %es, %ecx
	orl %ebx, %eax
	orl %ecx, %eax
	jnz 1f
	pushl %eax
	movl $EXIT, %eax
	xorl %ebx, %ebx
	int $0x80
1:	movl $EXIT, %eax
	movl $1, %ebx
	int $0x80
	END thread_area_as_stack

	/* ds as well, which nothing works without: the next access is its end. */
	BEGIN thread_area_as_data
	movl $243, %eax
	movl $PROGRAM_DATA, %ebx
	int $0x80
	movl $SELECTOR_USER_TLS, %eax
	movl $0, PROGRAM_DATA + 4
	movl $0, PROGRAM_DATA + 8
	movl $0x28, PROGRAM_DATA + 12
	movl %eax, %ds
	movl $243, %eax
	movl $PROGRAM_DATA, %ebx
	int $0x80
	movl PROGRAM_DATA, %eax
	END_FAULT thread_area_as_data

	.section .note.GNU-stack, "", @progbits
