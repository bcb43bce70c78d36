/* SPDX-License-Identifier: MIT */
/* Every check holds, but memory is not given back. */
#include "kernel/mm/kmalloc.h"
#include "tests/kernel/ktest.h"

KTEST(planted_leak)
{
	CHECK(kmalloc(100));
}
