/* SPDX-License-Identifier: MIT */
/*
 * One entry point for each of the first 48 vectors, 32 exceptions and 16 lines
 * of the interrupt controllers, and one for system calls. Each brings the stack
 * into the shape of struct trap_frame, makes the kernel's segments the current
 * ones, and calls trap_dispatch() with a pointer to the frame.
 */
#include "kernel/x86/segments.h"

#define VECTORS 48
#define SYSTEM_CALL 0x80

	.macro STUB vector
	.type trap_stub_\vector, @function
trap_stub_\vector:
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21 \
	      || \vector == 29 || \vector == 30)
	pushl $0		/* the processor pushed no error code */
	.endif
	pushl $\vector
	jmp trap_entry
	.size trap_stub_\vector, . - trap_stub_\vector
	.endm

	.text
	.altmacro
	.set i, 0
	.rept VECTORS
	STUB %i
	.set i, i + 1
	.endr
	STUB SYSTEM_CALL

	.type trap_entry, @function
trap_entry:
	pushal
	pushl %ds
	pushl %es
	pushl %fs
	pushl %gs
	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	cld
	pushl %esp
	call trap_dispatch
	addl $4, %esp
	.size trap_entry, . - trap_entry

	/* What cannot be loaded here or by iret, mend_return() in trap.c changes on the stack. */
	.global trap_return, trap_return_loaded, trap_return_iret
	.type trap_return, @function
trap_return:
	popl %gs
	popl %fs
	popl %es
	popl %ds
trap_return_loaded:
	popal
	addl $8, %esp		/* vector and error code */
trap_return_iret:
	iret
	.size trap_return, . - trap_return

	/*
	 * int trap_setjmp(struct trap_point *): 0, and 1 when trap_longjmp()
	 * comes back to it. What a C function may expect to be preserved is
	 * kept, and the interrupt flag.
	 */
	.global trap_setjmp
	.type trap_setjmp, @function
trap_setjmp:
	movl 4(%esp), %eax
	movl %ebx, (%eax)
	movl %esi, 4(%eax)
	movl %edi, 8(%eax)
	movl %ebp, 12(%eax)
	leal 4(%esp), %ecx
	movl %ecx, 16(%eax)
	movl (%esp), %ecx
	movl %ecx, 20(%eax)
	pushfl
	popl 24(%eax)
	xorl %eax, %eax
	ret
	.size trap_setjmp, . - trap_setjmp

	.global trap_longjmp
	.type trap_longjmp, @function
trap_longjmp:
	movl 4(%esp), %eax
	movl (%eax), %ebx
	movl 4(%eax), %esi
	movl 8(%eax), %edi
	movl 12(%eax), %ebp
	movl 16(%eax), %esp
	pushl 24(%eax)
	popfl
	movl 20(%eax), %ecx
	movl $1, %eax
	jmp *%ecx
	.size trap_longjmp, . - trap_longjmp

	/* The table of all stubs, for the IDT. */
	.section .rodata
	.align 4
	.global trap_stubs
trap_stubs:
	.macro ENTRY vector
	.long trap_stub_\vector
	.endm
	.set i, 0
	.rept VECTORS
	ENTRY %i
	.set i, i + 1
	.endr
	ENTRY SYSTEM_CALL

	.section .note.GNU-stack, "", @progbits
