/* SPDX-License-Identifier: MIT */
/* One line between the keys and whoever reads it. */
#include "kernel/proc/tty.h"
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/proc/process.h"

#include <stdbool.h>
#include <stddef.h>

#define LINE_SIZE 256
#define BACKSPACE 8
#define DELETE	  127
#define CONTROL_D 4

static char line[LINE_SIZE];
static size_t length,
	given; /* of the line, and of that what was read; none is if it is not ended */
static bool ended;

static int next_key(void)
{
	int c = serial_getc();

	return c < 0 ? keyboard_getc() : c;
}

static void take(char c)
{
	if ((c == BACKSPACE || c == DELETE) && length > 0) {
		length--;
		kprintf("\b \b");
	} else if (c == '\n' || (c >= ' ' && c < DELETE && length < LINE_SIZE - 1)) {
		line[length++] = c;
		ended = c == '\n';
		console_write(&c, 1);
	}
}

static int give(void)
{
	int c = (unsigned char)line[given++];

	if (given == length) {
		length = given = 0;
		ended = false;
	}
	return c;
}

int tty_read(void *context)
{
	(void)context;
	while (!ended) {
		int c = next_key();

		if (c < 0)
			return PROCESS_INPUT_NONE;
		if (c == CONTROL_D && length == 0)
			return PROCESS_INPUT_END;
		take(c == '\r' ? '\n' : (char)c);
	}
	return give();
}
