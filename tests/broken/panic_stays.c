/* SPDX-License-Identifier: MIT */
/*
 * The product, but it frees a block twice instead of running its monitor: few
 * panics have more to tell.
 */
#include "kernel/mm/kmalloc.h"
#include "kernel/run.h"

void __attribute__((noreturn)) __wrap_kernel_run(void);

void __wrap_kernel_run(void)
{
	void *block = kmalloc(100);

	kfree(block);
	kfree(block);
	for (;;)
		;
}
