/* SPDX-License-Identifier: MIT */
/* Sending what differs: runs of cells, with a position before each and colours where they change. */
#include "kernel/monitor/screen.h"

#include <printf.h>
#include <stdarg.h>
#include <string.h>

/* Cells that are as wanted between two that are not: sending so many is cheaper than a position. */
#define WORTH_SENDING 6U

#define NO_COLOURS 0x100U /* no cell has them, so the first that is sent sets them */

void screen_clear(struct screen *screen)
{
	for (unsigned int row = 0; row < VGA_ROWS; row++)
		for (unsigned int column = 0; column < VGA_COLUMNS; column++)
			screen->cells[row][column] = VGA_CELL(' ', SCREEN_GREY, SCREEN_BLACK);
}

void screen_print(struct screen *screen, unsigned int row, unsigned int column, const char *fmt,
		  ...)
{
	char text[VGA_COLUMNS + 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (size_t i = 0; text[i] && column < VGA_COLUMNS; i++, column++)
		screen->cells[row][column] = VGA_CELL(text[i], SCREEN_GREY, SCREEN_BLACK);
}

struct sending {
	screen_put *put;
	void *context;
	unsigned int colours; /* the terminal's */
};

static void __attribute__((format(printf, 2, 3)))
send(const struct sending *sending, const char *fmt, ...)
{
	char text[32];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sending->put(sending->context, text, (size_t)n);
}

/* VGA has blue where a terminal has red. */
static unsigned int terminal_colour(unsigned int colour)
{
	return (colour & 2) | (colour & 1) << 2 | (colour & 4) >> 2;
}

static void send_cell(struct sending *sending, uint16_t cell)
{
	unsigned int colours = cell >> 8, front = colours & 15, back = colours >> 4;
	char c = (char)(cell & 0xFF);

	if (colours != sending->colours)
		send(sending, "\033[%u;%um",
		     (front & SCREEN_BRIGHT ? 90 : 30) + terminal_colour(front & 7),
		     40 + terminal_colour(back & 7));
	sending->colours = colours;
	if (c < ' ' || c == 127)
		c = ' ';
	sending->put(sending->context, &c, 1);
}

/* The next column from @from on whose cell differs, or where the row ends. */
static unsigned int next_difference(const uint16_t *shown, const uint16_t *wanted,
				    unsigned int from, unsigned int end)
{
	while (from < end && shown[from] == wanted[from])
		from++;
	return from;
}

/* Where to stop sending from @from on: what follows is as wanted for longer than a position is. */
static unsigned int end_of_run(const uint16_t *shown, const uint16_t *wanted, unsigned int from,
			       unsigned int end)
{
	unsigned int stop = from + 1, next = next_difference(shown, wanted, stop, end);

	while (next < end && next - stop < WORTH_SENDING) {
		stop = next + 1;
		next = next_difference(shown, wanted, stop, end);
	}
	return stop;
}

static void send_row(struct sending *sending, unsigned int row, const uint16_t *shown,
		     const uint16_t *wanted)
{
	unsigned int end = VGA_COLUMNS - (row == VGA_ROWS - 1), stop;

	for (unsigned int at = next_difference(shown, wanted, 0, end); at < end;
	     at = next_difference(shown, wanted, stop, end)) {
		stop = end_of_run(shown, wanted, at, end);
		send(sending, "\033[%u;%uH", row + 1, at + 1);
		for (unsigned int i = at; i < stop; i++)
			send_cell(sending, wanted[i]);
	}
}

void screen_send(const struct screen *shown, const struct screen *wanted, screen_put *put,
		 void *context)
{
	struct sending sending = { put, context, NO_COLOURS };

	for (unsigned int row = 0; row < VGA_ROWS; row++)
		send_row(&sending, row, shown->cells[row], wanted->cells[row]);
	if (sending.colours != NO_COLOURS)
		send(&sending, "\033[0m");
}
