/* SPDX-License-Identifier: MIT */
/*
 * Counting the instructions of one call. In assembly, so that what is counted
 * beside the callee's own is the same whatever compiler made the rest; it is
 * measured in turn, on functions that do nothing, and taken off (bench.c).
 */
	.text

/* uint32_t bench_timed(bench_fn *fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t *result) */
	.global bench_timed
	.type bench_timed, @function
bench_timed:
	push %ebp
	mov %esp, %ebp
	push %ebx
	push %esi
	mov 8(%ebp), %ebx
	pushl 20(%ebp)
	pushl 16(%ebp)
	pushl 12(%ebp)
	rdtsc
	mov %eax, %esi
	call *%ebx
	mov %eax, %ebx
	rdtsc
	sub %esi, %eax
	mov 24(%ebp), %edx
	mov %ebx, (%edx)
	lea -8(%ebp), %esp
	pop %esi
	pop %ebx
	pop %ebp
	ret
	.size bench_timed, . - bench_timed

	.global bench_nothing
	.type bench_nothing, @function
bench_nothing:
	ret
	.size bench_nothing, . - bench_nothing

/* Nine instructions of its own, a call of the hook that maps two pages, and one that copies. */
	.global bench_nine
	.type bench_nine, @function
bench_nine:
	pushl $8192
	call bench_sbrk
	add $4, %esp
	pushl $1001
	pushl $bench_nine
	pushl %eax
	call memcpy
	add $12, %esp
	ret
	.size bench_nine, . - bench_nine

/*
 * A function of up to three arguments in place of TARGET, which adds what that
 * took to SPAN: struct bench_span of bench.c.
 */
	.macro SPANNED name, target, span
	.global \name
	.type \name, @function
\name:
	push %ebx
	push %esi
	rdtsc
	mov %eax, %ebx
	pushl 20(%esp)
	pushl 20(%esp)
	pushl 20(%esp)
	call \target
	add $12, %esp
	mov %eax, %esi
	rdtsc
	sub %ebx, %eax
	add %eax, \span
	incl \span + 4
	mov %esi, %eax
	pop %esi
	pop %ebx
	ret
	.size \name, . - \name
	.endm

	SPANNED bench_sbrk, bench_move_break, bench_in_hook
	SPANNED __wrap_memcpy, __real_memcpy, bench_in_copy

	.section .note.GNU-stack, "", @progbits
