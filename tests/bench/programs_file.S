/* SPDX-License-Identifier: MIT */
/* A program for ring 3 as it comes from the linker: user/user.mk. */
	.section .rodata
	.global file_bench, file_bench_end
	.balign 4
file_bench:
	.incbin "build/user/bench"
file_bench_end:

	.section .note.GNU-stack, "", @progbits
