/* SPDX-License-Identifier: MIT */
/*
 * What memory costs a program in ring 3: its system calls, its page faults, and
 * malloc() of its C library. Counted there, by user/programs/bench.c.
 */
#include "kernel/dev/console.h"
#include "kernel/proc/process.h"
#include "tests/bench/bench.h"

#include <string.h>

extern const char file_bench[], file_bench_end[];

static char said[2048];
static size_t length;

static void listen(void *context, const char *text, size_t n)
{
	(void)context;
	if (n >= sizeof(said) - length)
		n = sizeof(said) - length - 1;
	memcpy(said + length, text, n);
	length += n;
	said[length] = '\0';
}

/* "CASE: WHAT      A/B", as the program has it. */
static void print_row(const char *row, const char *end)
{
	const char *figure = end, *name_end;

	while (figure > row && figure[-1] != ' ')
		figure--;
	for (name_end = figure; name_end > row && name_end[-1] == ' ';)
		name_end--;
	kprintf("# bench: program %.*s: %.*s instructions\n", (int)(name_end - row), row,
		(int)(end - figure), figure);
}

BENCH(quick_programs)
{
	struct process_end end = { .fate = PROCESS_LIVES };
	const struct process_options options = {
		.name = "bench",
		.file = file_bench,
		.size = (size_t)((uintptr_t)file_bench_end - (uintptr_t)file_bench),
		.output = listen,
		.end = &end,
	};
	const char *row = said, *line_end;

	length = 0;
	CHECK(!process_create(&options, NULL));
	while (process_step())
		;
	CHECK_EQ(end.fate, PROCESS_EXITED);
	CHECK_EQ(end.status, 0);
	for (; (line_end = strchr(row, '\n')); row = line_end + 1)
		print_row(row, line_end);
	CHECK_EQ(*row, '\0');
}
