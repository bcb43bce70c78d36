/* SPDX-License-Identifier: MIT */
/* Programs for ring 3 as they come from the linker: user/user.mk. */
	.macro FILE name
	.global file_\name, file_\name\()_end
	.balign 4
file_\name:
	.incbin "build/user/\name"
file_\name\()_end:
	.endm

	.section .rodata
	FILE hello
	FILE churn
	FILE sums
	FILE brk
	FILE malloc
	FILE memory
	FILE exhaust
	FILE fault
	FILE hostile

	.section .note.GNU-stack, "", @progbits
