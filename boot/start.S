/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader to C.
 *
 * The loader leaves us at _start in 32-bit protected mode without paging,
 * with a magic number in eax and the address of its report in ebx. This file
 * maps the first 256 MiB twice, with pages of 4 MiB: where they are, so that
 * the next instruction is still there once paging is on, and at 0xC0000000,
 * where the kernel is linked. Then it jumps up, and calls kmain(magic, report)
 * on the boot stack. paging_init() replaces these tables by the final ones.
 */

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on page boundaries, memory map */

#define DIRECT_BASE 0xC0000000
#define BIG_PAGES 64		/* of 4 MiB: 256 MiB */
#define BIG_PAGE_FLAGS 0x83	/* present, writable, 4 MiB */
#define CR4_PSE 0x10
#define CR0_PG 0x80000000
#define CR0_WP 0x00010000

#define BOOT_STACK_SIZE 16384

	.section .multiboot, "a"
	.align 4
	.long MULTIBOOT_MAGIC
	.long MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.section .boot.text, "ax"
	.global _start
	.type _start, @function
_start:
	cli
	cld
	movl %eax, %esi

	movl $(boot_directory - DIRECT_BASE), %edi
	movl $BIG_PAGE_FLAGS, %eax
	movl $BIG_PAGES, %ecx
1:	movl %eax, (%edi)
	movl %eax, (DIRECT_BASE >> 20)(%edi)
	addl $0x400000, %eax
	addl $4, %edi
	decl %ecx
	jnz 1b

	movl %cr4, %eax
	orl $CR4_PSE, %eax
	movl %eax, %cr4
	movl $(boot_directory - DIRECT_BASE), %eax
	movl %eax, %cr3
	movl %cr0, %eax
	orl $(CR0_PG | CR0_WP), %eax
	movl %eax, %cr0
	movl $higher_half, %eax
	jmp *%eax
	.size _start, . - _start

	.text
	.type higher_half, @function
higher_half:
	movl $boot_stack_top, %esp
	xorl %ebp, %ebp		/* a backtrace ends here */
	pushl %ebx
	pushl %esi
	call kmain
1:	cli
	hlt
	jmp 1b
	.size higher_half, . - higher_half

	.section .bss
	.align 4096
	.global boot_directory
boot_directory:
	.skip 4096

	/* The page below the stack is never mapped: an overflow faults instead of going on. */
	.section .stack, "aw", @nobits
	.align 4096
	.global boot_stack_guard, boot_stack, boot_stack_top
boot_stack_guard:
	.skip 4096
boot_stack:
	.skip BOOT_STACK_SIZE
boot_stack_top:
	/* For the double fault, with a guard page of its own. */
	.global fault_stack_guard, fault_stack_top
fault_stack_guard:
	.skip 4096
fault_stack:
	.skip 4096
fault_stack_top:

	.section .note.GNU-stack, "", @progbits
