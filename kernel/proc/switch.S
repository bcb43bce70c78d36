/* SPDX-License-Identifier: MIT */
	/*
	 * void switch_stack(void **from, void *to): goes on where @to was left, and
	 * leaves in *@from where the caller can be gone on with. What a C function
	 * may expect to be preserved lies on the stack that is left:
	 *
	 *	stack pointer ->  edi  esi  ebx  ebp  return address
	 */
	.text
	.global switch_stack
	.type switch_stack, @function
switch_stack:
	movl 4(%esp), %eax
	movl 8(%esp), %edx
	pushl %ebp
	pushl %ebx
	pushl %esi
	pushl %edi
	movl %esp, (%eax)
	movl %edx, %esp
	popl %edi
	popl %esi
	popl %ebx
	popl %ebp
	ret
	.size switch_stack, . - switch_stack

	.section .note.GNU-stack, "", @progbits
