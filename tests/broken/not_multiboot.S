/* SPDX-License-Identifier: MIT */
/* Enters the kernel as a loader would that knows nothing of Multiboot. */

	.section .boot.text, "ax"
	.global start_not_multiboot
	.type start_not_multiboot, @function
start_not_multiboot:
	movl $0x12345678, %eax
	jmp _start
	.size start_not_multiboot, . - start_not_multiboot

	.section .note.GNU-stack, "", @progbits
