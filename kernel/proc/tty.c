/* SPDX-License-Identifier: MIT */
/* One line between the keys and whoever reads it. */
#include "kernel/proc/tty.h"
#include "kernel/dev/console.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/proc/process.h"

#define BACKSPACE 8
#define DELETE	  127
#define CONTROL_D 4

static struct tty console;

void tty_type(struct tty *tty, char c)
{
	if (c == '\r')
		c = '\n';
	if ((c == BACKSPACE || c == DELETE) && tty->length > 0) {
		tty->length--;
		kprintf("\b \b");
	} else if (c == '\n' || (c >= ' ' && c < DELETE && tty->length < TTY_LINE_SIZE - 1)) {
		tty->line[tty->length++] = c;
		tty->ended = c == '\n';
		console_write(&c, 1);
	} else if (c == CONTROL_D && tty->length == 0) {
		tty->closed = true;
	}
}

int tty_next(struct tty *tty)
{
	int c = PROCESS_INPUT_NONE;

	if (tty->closed) {
		tty->closed = false;
		return PROCESS_INPUT_END;
	}
	if (tty->ended)
		c = (unsigned char)tty->line[tty->given++];
	if (tty->given == tty->length) {
		tty->length = tty->given = 0;
		tty->ended = false;
	}
	return c;
}

static int next_key(void)
{
	int c = serial_getc();

	return c < 0 ? keyboard_getc() : c;
}

int tty_read_console(void *context)
{
	int c = 0;

	(void)context;
	while (!console.ended && !console.closed && (c = next_key()) >= 0)
		tty_type(&console, (char)c);
	return tty_next(&console);
}
