/* SPDX-License-Identifier: MIT */
/* Program files with damage at random: refused, or run to whatever end; nothing of them is left. */
#include "kernel/dev/console.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/layout.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <string.h>

#define ROUNDS	3000U
#define HEADERS (52 + 2 * 32) /* the ELF header, and two of a program */
#define SIZE	(2 * PAGE_SIZE)
#define STEPS	4

USER_CODE(hello);

static struct program one;
static char damaged[SIZE];

static uint32_t some_word(uint32_t before)
{
	static const uint32_t words[] = {
		0,	   1,	     2,		  PAGE_SIZE, SIZE,	 SIZE - 1, PROGRAM_TEXT,
		USER_BASE, USER_END, DIRECT_BASE, 1U << 31,  UINT32_MAX,
	};

	switch (ktest_random() % 4) {
	case 0:
		return before ^ 1U << ktest_random() % 32;
	case 1:
		return before + ktest_random() % 9 - 4;
	case 2:
		return ktest_random();
	default:
		return words[ktest_random() % (sizeof(words) / sizeof(words[0]))];
	}
}

static void damage(void)
{
	PROGRAM(&one, hello);
	memcpy(damaged, one.options.file, SIZE);
	for (uint32_t left = 1 + ktest_random() % 3; left > 0; left--) {
		char *at = damaged + ktest_random() % (HEADERS / 4) * 4;
		uint32_t word;

		memcpy(&word, at, sizeof(word));
		word = some_word(word);
		memcpy(at, &word, sizeof(word));
	}
	one.options.file = damaged;
	one.options.size = ktest_random() % 4 ? SIZE : ktest_random() % (SIZE + 1);
}

/* What was created runs for a while; those are counted. */
static void try_to_run(uint32_t *run)
{
	struct process *process;
	const char *reason = process_create(&one.options, &process);

	if (reason) {
		CHECK(*reason && !process_next(NULL));
		return;
	}
	++*run;
	for (int i = 0; i < STEPS && process_step(); i++)
		;
	if (process_next(NULL))
		process_kill(process);
	CHECK(one.end.fate != PROCESS_LIVES);
}

KTEST(program_that_is_damaged_is_refused_or_runs_and_leaves_nothing)
{
	uint32_t run = 0;

	for (uint32_t round = 0; round < ROUNDS && !ktest_failed(); round++) {
		damage();
		try_to_run(&run);
		CHECK_EQ(frame_count(FRAME_USER) + frame_count(FRAME_STACK), 0);
	}
	kprintf("# %u of %u damaged programs ran\n", run, ROUNDS);
	CHECK(run > ROUNDS / 20 && run < ROUNDS / 20 * 19);
}
