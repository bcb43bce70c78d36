/* SPDX-License-Identifier: MIT */
/*
 * Where a program begins. The kernel has put this on its stack:
 *
 *	esp -> argc | argv[0] ... NULL | envp[0] ... NULL | auxiliary vector
 */
	.text
	.global _start
	.type _start, @function
_start:
	xorl %ebp, %ebp			/* backtraces end here */
	movl %esp, %eax
	andl $-16, %esp			/* as at each call, by the i386 ABI */
	subl $12, %esp
	pushl %eax
	call start
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
