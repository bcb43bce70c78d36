/* SPDX-License-Identifier: MIT */
/* A terminal as a program knows it: a line at a time, that can be corrected until it is ended. */
#ifndef KERNEL_PROC_TTY_H
#define KERNEL_PROC_TTY_H

#include <stdbool.h>
#include <stddef.h>

#define TTY_LINE_SIZE 256

/**
 * struct tty - the line between the keys and whoever reads it; cleared, it is empty
 * @line: what was typed
 * @length: how much of it
 * @given: how much of that was read
 * @ended: the line can be read; none can be typed until all of it was
 * @closed: the end was typed, and not yet read
 */
struct tty {
	char line[TTY_LINE_SIZE];
	size_t length, given;
	bool ended, closed;
};

/**
 * tty_type() - a key was pressed
 * @c: its character
 *
 * Echoes it on the console. Understands backspace and, on an empty line, control
 * and D for the end. What does not fit in the line, but its end, is not taken.
 */
void tty_type(struct tty *tty, char c);

/* The next byte of a line that was ended, or PROCESS_INPUT_NONE, or PROCESS_INPUT_END once. */
int tty_next(struct tty *tty);

/* A process_input: reads what is typed on the console. @context is not looked at. */
int tty_read_console(void *context);

#endif
