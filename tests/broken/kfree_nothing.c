/* SPDX-License-Identifier: MIT */
/* A kfree that does nothing: every other test that gives memory back leaks. */
#include "kernel/mm/kmalloc.h"
#include "tests/kernel/ktest.h"

void __wrap_kfree(void *ptr);

void __wrap_kfree(void *ptr)
{
	(void)ptr;
}

KTEST(planted_free_of_nothing)
{
	void *p = kmalloc(100);

	CHECK(p);
	kfree(p);
}
