/* SPDX-License-Identifier: MIT */
/*
 * Memory to play with: a program break of the person's own, and room for a heap
 * that is damaged on purpose.
 *
 *	TEMP_BASE               + 3 MiB            + 3.5 MiB
 *	 | the person's break ... | a heap for fault |
 *
 * The kernel heap's break is moved by kmalloc and nobody else, so brk and sbrk
 * move another one. It is the same code over the same page frames.
 */
#ifndef KERNEL_MONITOR_SANDBOX_H
#define KERNEL_MONITOR_SANDBOX_H

#include "kernel/mm/brk.h"
#include "kernel/mm/layout.h"

#define SANDBOX_BASE	   TEMP_BASE
#define SANDBOX_LIMIT	   (TEMP_BASE + 0x300000U)
#define SANDBOX_HEAP_BASE  SANDBOX_LIMIT
#define SANDBOX_HEAP_LIMIT (TEMP_BASE + 0x380000U)

/* The person's break, set up when it is first asked for. */
struct brk *sandbox_brk(void);

#endif
