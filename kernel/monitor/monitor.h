/* SPDX-License-Identifier: MIT */
/* The monitor: commands typed on serial or keyboard. */
#ifndef KERNEL_MONITOR_MONITOR_H
#define KERNEL_MONITOR_MONITOR_H

/* Runs one line as if typed. Names an unknown command and goes on. */
void monitor_execute(char *line);

/* Reads and runs lines; `quit` is what ends it. */
void __attribute__((noreturn)) monitor_run(void);

/* Runs the commands that show everything, and leaves with EXIT_PASS, EXIT_FAIL if one fails. */
void __attribute__((noreturn)) monitor_demonstrate(void);

#endif
