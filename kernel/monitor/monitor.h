/* SPDX-License-Identifier: MIT */
/* The monitor: commands typed on serial or keyboard. */
#ifndef KERNEL_MONITOR_MONITOR_H
#define KERNEL_MONITOR_MONITOR_H

#include <stdbool.h>

/**
 * monitor_execute() - run one line as if it were typed
 * @line: is cut into words in place
 *
 * What is wrong with it is said.
 *
 * Return: whether it is a command, or empty, and was done; a command that shows
 * something returns false if that is not as it should be.
 */
bool monitor_execute(char *line);

/* Reads and runs lines; `quit` is what ends it. */
void __attribute__((noreturn)) monitor_run(void);

/* Runs the commands that show everything, and leaves with EXIT_PASS, EXIT_FAIL if one fails. */
void __attribute__((noreturn)) monitor_demonstrate(void);

#endif
