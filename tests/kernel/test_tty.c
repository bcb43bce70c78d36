/* SPDX-License-Identifier: MIT */
/* Lines that are typed: corrected, ended, and read once. */
#include "kernel/proc/process.h"
#include "kernel/proc/tty.h"
#include "tests/kernel/ktest.h"

#include <string.h>

static struct tty tty;

static void type(const char *text)
{
	while (*text)
		tty_type(&tty, *text++);
}

/* Whether it is what there is to read; all of it is then read. */
static bool reads(const char *text)
{
	for (; *text; text++)
		if (tty_next(&tty) != *text)
			return false;
	return tty_next(&tty) == PROCESS_INPUT_NONE;
}

KTEST(line_is_read_when_it_is_ended_and_can_be_corrected_until_then)
{
	memset(&tty, 0, sizeof(tty));
	CHECK(reads(""));
	type("# helx");
	CHECK(reads(""));
	type("\b\177llo\r");
	CHECK(reads("# hello\n"));
	type("#\b\b\b\n");
	CHECK(reads("\n"));
}

KTEST(end_is_typed_on_an_empty_line_and_read_once)
{
	memset(&tty, 0, sizeof(tty));
	type("\004");
	CHECK_EQ(tty_next(&tty), PROCESS_INPUT_END);
	CHECK(reads(""));
	type("# a\004b\033\n"); /* within a line, nothing; nor are other control characters */
	CHECK(reads("# ab\n"));
}

KTEST(what_does_not_fit_in_a_line_is_not_taken_but_its_end_is)
{
	memset(&tty, 0, sizeof(tty));
	type("#");
	for (unsigned int i = 0; i < TTY_LINE_SIZE + 10; i++)
		type("x");
	type("\n");
	CHECK_EQ(tty.length, TTY_LINE_SIZE);
	for (unsigned int i = 0; i < TTY_LINE_SIZE - 1; i++)
		CHECK_EQ(tty_next(&tty), i ? 'x' : '#');
	CHECK(reads("\n"));
}
