/* SPDX-License-Identifier: MIT */
/*
 * void raw_call(struct raw_call *call)
 *
 * While the call is made the stack pointer may point nowhere, and es, fs and gs
 * to nothing. Only ds is as it should be, and what is needed lies in memory.
 */
	.text
	.global raw_call
	.type raw_call, @function
raw_call:
	pushl %ebp
	pushl %edi
	pushl %esi
	pushl %ebx
	pushl %es
	pushl %fs
	pushl %gs
	pushfl
	movl 36(%esp), %eax
	movl %eax, current
	movl %esp, own_stack

	movl 36(%eax), %ecx
	movl %ecx, %es
	movl %ecx, %fs
	movl %ecx, %gs
	movl 32(%eax), %ecx
	pushfl
	orl %ecx, (%esp)
	popfl
	movl 4(%eax), %ebx
	movl 8(%eax), %ecx
	movl 12(%eax), %edx
	movl 16(%eax), %esi
	movl 20(%eax), %edi
	movl 24(%eax), %ebp
	cmpl $0, 28(%eax)
	je on_this_stack
	movl 28(%eax), %esp
on_this_stack:
	movl (%eax), %eax
	int $0x80

	xchgl %eax, current		/* the result is there now */
	movl %ebx, 4(%eax)
	movl %ecx, 8(%eax)
	movl %edx, 12(%eax)
	movl %esi, 16(%eax)
	movl %edi, 20(%eax)
	movl %ebp, 24(%eax)
	cmpl $0, 28(%eax)
	je was_on_this_stack
	movl %esp, 28(%eax)
was_on_this_stack:
	movl own_stack, %esp
	pushfl
	popl %ecx
	andl $0x204400, %ecx		/* FLAGS */
	movl %ecx, 32(%eax)
	movl %es, %ecx
	movl %ecx, 36(%eax)
	movl current, %ecx
	movl %ecx, (%eax)

	popfl
	popl %gs
	popl %fs
	popl %es
	popl %ebx
	popl %esi
	popl %edi
	popl %ebp
	ret
	.size raw_call, . - raw_call

	.local current, own_stack
	.comm current, 4
	.comm own_stack, 4

	.section .note.GNU-stack, "", @progbits
