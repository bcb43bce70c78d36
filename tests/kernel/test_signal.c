/* SPDX-License-Identifier: MIT */
/* Signals: all that a process can do with one is to end itself, as abort() does. */
#include "kernel/proc/syscall.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <errno.h>
#include <string.h>

#define ABORT	  6
#define TERMINATE 15
#define CHILD	  17
#define STOP	  19
#define WINDOW	  28
#define LAST	  64

static struct program one;

/* Ids are given out one after the other: that of the next process. */
static uint32_t next_id(void)
{
	struct step steps[] = { { SYSTEM_CALL_GETPID, { 0 }, 0 }, { SCRIPT_END, { 0 }, 0 } };

	return script_run(&one, steps) == PROCESS_EXITED ? steps[0].result + 1 : 0;
}

static void check_ends(uint32_t call, uint32_t number, const char *reason)
{
	uint32_t id = next_id();
	struct step steps[] = {
		{ call, { id, call == SYSTEM_CALL_TGKILL ? id : number, number }, 0 },
		{ SCRIPT_END, { 0 }, 0 },
	};

	CHECK_EQ(script_run(&one, steps), PROCESS_KILLED);
	CHECK_EQ(one.end.status, 128 + (int)number);
	CHECK(strcmp(one.end.reason, reason) == 0);
	CHECK(strstr(one.said, reason) != NULL);
}

KTEST(signal_to_itself_is_the_end_of_a_process)
{
	check_ends(SYSTEM_CALL_TGKILL, ABORT, "ended itself by signal 6");
	check_ends(SYSTEM_CALL_TKILL, TERMINATE, "ended itself by signal 15");
	check_ends(SYSTEM_CALL_KILL, LAST, "ended itself by signal 64");
}

KTEST(signal_to_its_group_is_one_to_itself)
{
	struct step steps[] = { { SYSTEM_CALL_KILL, { 0, ABORT }, 0 }, { SCRIPT_END, { 0 }, 0 } };

	CHECK_EQ(script_run(&one, steps), PROCESS_KILLED);
	CHECK_EQ(one.end.status, 128 + ABORT);
}

KTEST(signal_that_does_nothing_on_linux_does_nothing)
{
	uint32_t id = next_id();
	struct step steps[] = {
		{ SYSTEM_CALL_KILL, { id, 0 }, 1 },
		{ SYSTEM_CALL_TKILL, { id, CHILD }, 1 },
		{ SYSTEM_CALL_TGKILL, { id, id, WINDOW }, 1 },
		{ SYSTEM_CALL_KILL, { id, STOP }, 1 },
		{ SCRIPT_END, { 0 }, 0 },
	};

	CHECK_EQ(script_run(&one, steps), PROCESS_EXITED);
	for (int i = 0; i < 4; i++)
		CHECK_EQ((int)steps[i].result, 0);
}

KTEST(signal_to_nobody_or_of_no_kind_is_refused)
{
	uint32_t id = next_id();
	struct step steps[] = {
		{ SYSTEM_CALL_KILL, { id + 1, ABORT }, 0 },
		{ SYSTEM_CALL_TKILL, { id - 1, ABORT }, 0 },
		{ SYSTEM_CALL_TGKILL, { id, id + 1, ABORT }, 0 },
		{ SYSTEM_CALL_TGKILL, { id + 1, id, ABORT }, 0 },
		{ SYSTEM_CALL_KILL, { id, LAST + 1 }, 0 },
		{ SYSTEM_CALL_TKILL, { 0, ABORT }, 0 },
		{ SYSTEM_CALL_TGKILL, { 0, id, ABORT }, 0 },
		{ SYSTEM_CALL_TGKILL, { id, (uint32_t)-1, ABORT }, 0 },
		{ SCRIPT_END, { 0 }, 0 },
	};
	static const int expected[] = { -ESRCH,	 -ESRCH,  -ESRCH,  -ESRCH,
					-EINVAL, -EINVAL, -EINVAL, -EINVAL };

	CHECK_EQ(script_run(&one, steps), PROCESS_EXITED);
	for (int i = 0; i < 8; i++)
		CHECK_EQ((int)steps[i].result, expected[i]);
}
