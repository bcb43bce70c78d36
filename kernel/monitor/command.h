/* SPDX-License-Identifier: MIT */
/*
 * The commands of the monitor.
 *
 * A file has its commands in a struct command_group, and monitor.c has a list of
 * those; `help` shows them in that order.
 */
#ifndef KERNEL_MONITOR_COMMAND_H
#define KERNEL_MONITOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/monitor/words.h"

/* What was typed: "handle = command argument ...". @handle is NULL if there was none. */
struct call {
	const char *handle;
	size_t n;
	char *argument[WORDS_MOST];
};

/**
 * struct command - one command
 * @name: a word
 * @usage: its arguments, for a person; "" without any
 * @summary: what it does, in a line
 * @details: more of that, lines that end in '\n'; NULL if there is no more
 * @least: arguments it needs
 * @most: and may have
 * @gives_handle: whether "handle =" may stand before it
 * @run: does it, and says what is wrong with its arguments if that is what is wrong;
 *	false if it did not do it, or if what it shows is not as it should be
 */
struct command {
	const char *name, *usage, *summary, *details;
	size_t least, most;
	bool gives_handle;
	bool (*run)(const struct call *call);
};

struct command_group {
	const struct command *commands;
	size_t n;
};

#define COMMAND_GROUP(array)                                                                       \
	{                                                                                          \
		array, sizeof(array) / sizeof((array)[0])                                          \
	}

extern const struct command_group machine_commands, heap_commands, handle_commands, break_commands,
	trace_commands, map_commands, fault_commands, process_commands;

/* Only in images that have tests; elsewhere their address is NULL. */
extern const struct command_group test_commands __attribute__((weak));

/* A number from @least to @most, or says what else it is, and false. */
bool command_number(const char *text, uint32_t least, uint32_t most, uint32_t *number);

#endif
