/* SPDX-License-Identifier: MIT */
/*
 * A screenful of cells, each a character and its colours, as the VGA text screen
 * has it; and what a terminal is sent to show the same. Pure, and tested on the
 * host as well.
 */
#ifndef KERNEL_MONITOR_SCREEN_H
#define KERNEL_MONITOR_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/dev/vga.h"

struct screen {
	uint16_t cells[VGA_ROWS][VGA_COLUMNS];
};

/* The colours of a cell; only front colours can be bright. */
enum screen_colour {
	SCREEN_BLACK,
	SCREEN_BLUE,
	SCREEN_GREEN,
	SCREEN_CYAN,
	SCREEN_RED,
	SCREEN_MAGENTA,
	SCREEN_BROWN,
	SCREEN_GREY,
	SCREEN_BRIGHT,
	SCREEN_LIGHT_BLUE = SCREEN_BRIGHT + SCREEN_BLUE,
	SCREEN_WHITE = SCREEN_BRIGHT + SCREEN_GREY,
};

/* Blank, grey on black. */
void screen_clear(struct screen *screen);

/* Prints in a row from a column on, grey on black; what does not fit is cut. */
void __attribute__((format(printf, 4, 5)))
screen_print(struct screen *screen, unsigned int row, unsigned int column, const char *fmt, ...);

typedef void screen_put(void *context, const char *text, size_t n);

/**
 * screen_send() - make a terminal that shows one screen show another
 * @shown: what it shows
 * @wanted: what it shall show
 * @put: sends some bytes
 *
 * Sends cursor positions, colours, and the cells that differ, as a VT100 with
 * colours understands them. The last cell of the last row is never sent: that
 * would scroll some terminals.
 */
void screen_send(const struct screen *shown, const struct screen *wanted, screen_put *put,
		 void *context);

#endif
