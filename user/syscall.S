/* SPDX-License-Identifier: MIT */
/*
 * long syscall(long number, ...)
 *
 * Six arguments are handed on, whatever the caller gave: what it did not give,
 * the kernel does not look at.
 *
 *	esp + 44  the sixth argument
 *	      24  the first
 *	      20  the number
 *	      16  return address
 *	       0  ebx, esi, edi, ebp of the caller
 */
	.text
	.global syscall
	.type syscall, @function
syscall:
	pushl %ebp
	pushl %edi
	pushl %esi
	pushl %ebx
	movl 20(%esp), %eax
	movl 24(%esp), %ebx
	movl 28(%esp), %ecx
	movl 32(%esp), %edx
	movl 36(%esp), %esi
	movl 40(%esp), %edi
	movl 44(%esp), %ebp
	int $0x80
	popl %ebx
	popl %esi
	popl %edi
	popl %ebp
	cmpl $-4095, %eax
	jae failed
	ret
failed:
	negl %eax
	movl %eax, errno
	movl $-1, %eax
	ret
	.size syscall, . - syscall

	.section .note.GNU-stack, "", @progbits
