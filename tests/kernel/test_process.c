/* SPDX-License-Identifier: MIT */
/* Processes: they run, side by side, end in every way, and leave nothing behind. */
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/ledger.h"
#include "kernel/proc/process.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <string.h>

USER_CODE(hello);

static struct program one;

KTEST(process_writes_and_exits_with_its_status)
{
	CHECK_EQ(RUN(&one, hello), PROCESS_EXITED);
	CHECK_EQ(one.end.status, 42);
	CHECK(strcmp(one.said, "hello from ring 3\n") == 0);
	CHECK(strcmp(one.end.reason, "") == 0);
}
