/* SPDX-License-Identifier: MIT */
/* The console as a program knows it: a line at a time, that can be corrected until it is ended. */
#ifndef KERNEL_PROC_TTY_H
#define KERNEL_PROC_TTY_H

/**
 * tty_read() - the next byte of what was typed on the console
 * @context: is not looked at
 *
 * A process_input. Echoes; understands backspace and, on an empty line, control
 * and D for the end. What does not fit in a line is not taken.
 *
 * Return: a byte of a line that was ended, PROCESS_INPUT_NONE if none was, or
 * PROCESS_INPUT_END.
 */
int tty_read(void *context);

#endif
