/* SPDX-License-Identifier: MIT */
/* What a terminal is sent makes it show the screen that is wanted, and costs little. */
#include "kernel/monitor/screen.h"
#include "tap.h"

#include <string.h>

#define ROUNDS 1000

/* A terminal: what it shows, where it is, and what came that it does not know. */
static struct screen terminal;
static unsigned int row, column, front, back;
static size_t bytes;
static bool sane;

static unsigned int vga_colour(unsigned int colour)
{
	static const unsigned int colours[] = { 0, 4, 2, 6, 1, 5, 3, 7 };

	return colours[colour % 8];
}

static void set_colour(unsigned int number)
{
	if (number == 0) {
		front = 7;
		back = 0;
	} else if (number >= 90) {
		front = 8 + vga_colour(number - 90);
	} else if (number >= 40) {
		back = vga_colour(number - 40);
	} else {
		front = vga_colour(number - 30);
	}
}

/* One sequence or one character at @text; how many bytes it has. */
static size_t interpret(const char *text)
{
	unsigned int a, b;
	int n = 0;

	if (sscanf(text, "\033[%u;%uH%n", &a, &b, &n) == 2 && n) {
		sane = sane && a >= 1 && a <= VGA_ROWS && b >= 1 && b <= VGA_COLUMNS;
		row = a - 1;
		column = b - 1;
	} else if (sscanf(text, "\033[%u;%um%n", &a, &b, &n) == 2 && n) {
		sane = sane && ((a >= 30 && a <= 37) || (a >= 90 && a <= 97)) && b >= 40 && b <= 47;
		set_colour(a);
		set_colour(b);
	} else if (sscanf(text, "\033[%um%n", &a, &n) == 1 && n) {
		sane = sane && a == 0;
		set_colour(a);
	} else {
		sane = sane && *text >= ' ' && *text < 127 && column < VGA_COLUMNS &&
		       (row < VGA_ROWS - 1 || column < VGA_COLUMNS - 1);
		if (sane)
			terminal.cells[row][column] = VGA_CELL(*text, front, back);
		column++;
		n = 1;
	}
	return (size_t)n;
}

static void put(void *context, const char *text, size_t n)
{
	char copy[64];

	(void)context;
	bytes += n;
	TAP_MUST(n < sizeof(copy));
	memcpy(copy, text, n);
	copy[n] = '\0';
	for (size_t at = 0; at < n;)
		at += interpret(copy + at);
}

static void send(const struct screen *shown, const struct screen *wanted)
{
	bytes = 0;
	sane = true;
	front = 7;
	back = 0;
	row = column = 0;
	screen_send(shown, wanted, put, NULL);
}

static bool shows(const struct screen *wanted)
{
	struct screen without_last = *wanted;

	without_last.cells[VGA_ROWS - 1][VGA_COLUMNS - 1] =
		terminal.cells[VGA_ROWS - 1][VGA_COLUMNS - 1];
	return sane && memcmp(&terminal, &without_last, sizeof(terminal)) == 0;
}

static struct screen shown, wanted;

static void little(void)
{
	screen_clear(&shown);
	wanted = terminal = shown;
	send(&shown, &wanted);
	tap_ok(bytes == 0 && shows(&wanted), "nothing is sent if nothing differs");
	wanted.cells[3][5] = VGA_CELL('x', SCREEN_WHITE, SCREEN_BLUE);
	send(&shown, &wanted);
	tap_ok(shows(&wanted) && bytes < 24, "one cell is a few bytes");
	shown = wanted;
	screen_print(&wanted, 7, 2, "%s %d", "text", 5);
	send(&shown, &wanted);
	tap_ok(shows(&wanted) && (char)wanted.cells[7][7] == '5', "text is printed");
	shown = wanted;
	wanted.cells[9][10] = wanted.cells[9][12] = VGA_CELL('y', SCREEN_GREY, SCREEN_BLACK);
	send(&shown, &wanted);
	tap_ok(shows(&wanted) && bytes < 24, "cells close to each other are one run");
	shown = wanted;
	screen_print(&wanted, 10, 75, "longer than the row");
	screen_print(&wanted, 11, 0, "%*s%s", 79, "", "longer");
	send(&shown, &wanted);
	tap_ok(shows(&wanted) && (char)wanted.cells[11][0] == ' ', "what does not fit is cut");
}

static void odd(void)
{
	screen_clear(&shown);
	wanted = terminal = shown;
	wanted.cells[VGA_ROWS - 1][VGA_COLUMNS - 1] = VGA_CELL('z', SCREEN_RED, SCREEN_BLACK);
	send(&shown, &wanted);
	tap_ok(bytes == 0 && shows(&wanted), "the last cell is never sent");
	wanted = shown;
	wanted.cells[0][0] = VGA_CELL(0xDB, SCREEN_RED, SCREEN_BLACK);
	wanted.cells[0][1] = VGA_CELL(7, SCREEN_RED, SCREEN_BLACK);
	wanted.cells[0][2] = VGA_CELL(127, SCREEN_RED, SCREEN_BLACK);
	send(&shown, &wanted);
	tap_ok(sane && (char)terminal.cells[0][0] == ' ' && (char)terminal.cells[0][1] == ' ' &&
		       (char)terminal.cells[0][2] == ' ',
	       "what a terminal has no character for is blank");
}

static uint32_t next_random(void)
{
	static uint32_t state = 0xFEDCBA;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static void noise(void)
{
	bool all = true;

	screen_clear(&shown);
	terminal = shown;
	for (int i = 0; i < ROUNDS; i++) {
		wanted = shown;
		for (uint32_t n = next_random() % 200; n > 0; n--)
			wanted.cells[next_random() % VGA_ROWS][next_random() % VGA_COLUMNS] =
				VGA_CELL(' ' + next_random() % 95, next_random() % 16,
					 next_random() % 8);
		send(&shown, &wanted);
		all = all && shows(&wanted);
		shown = wanted;
	}
	tap_ok(all, "after any change the terminal shows what is wanted");
}

int main(void)
{
	little();
	odd();
	noise();
	return tap_end();
}
