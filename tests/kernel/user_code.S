/* SPDX-License-Identifier: MIT */
/*
 * Programs for ring 3. Each is what lies between two labels, and runs at
 * PROGRAM_CODE, wherever it lies here: so addresses in it are relative, or made
 * by AT(). Its data is at PROGRAM_DATA.
 */
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
#define CURSOR (PROGRAM_DATA + PROGRAM_DATA_SIZE - 4)
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

	.section .note.GNU-stack, "", @progbits
