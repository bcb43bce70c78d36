/* SPDX-License-Identifier: MIT */
/* Each cell of the screen is two bytes at 0xB8000: a character and its colours. */
#include "kernel/dev/vga.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/cpu.h"

#include <stddef.h>

#define VGA_PHYS  0xB8000
#define COLUMNS	  VGA_COLUMNS
#define ROWS	  VGA_ROWS
#define BLANK	  0x0720 /* a space, light grey on black */
#define CRT_INDEX 0x3D4
#define CRT_DATA  0x3D5
#define TAB	  8

#define CRT_CURSOR_START 10
#define CURSOR_TOP_LINE	 13
#define CURSOR_OFF	 0x20

static volatile uint16_t *cells;
static unsigned int row, column;

static void move_cursor(void)
{
	unsigned int at = row * COLUMNS + column;

	outb(CRT_INDEX, 14);
	outb(CRT_DATA, (uint8_t)(at >> 8));
	outb(CRT_INDEX, 15);
	outb(CRT_DATA, (uint8_t)at);
}

bool vga_init(void)
{
	volatile uint16_t *screen = phys_to_virt(VGA_PHYS);

	screen[0] = BLANK;
	if (screen[0] != BLANK)
		return false;
	for (unsigned int i = 0; i < COLUMNS * ROWS; i++)
		screen[i] = BLANK;
	cells = screen;
	row = column = 0;
	move_cursor();
	return true;
}

static void scroll(void)
{
	for (unsigned int i = 0; i < COLUMNS * (ROWS - 1); i++)
		cells[i] = cells[i + COLUMNS];
	for (unsigned int i = COLUMNS * (ROWS - 1); i < COLUMNS * ROWS; i++)
		cells[i] = BLANK;
	row = ROWS - 1;
}

void vga_putc(char c)
{
	if (!cells)
		return;
	if (c == '\n') {
		column = 0;
		row++;
	} else if (c == '\r') {
		column = 0;
	} else if (c == '\b') {
		column -= column > 0;
	} else if (c == '\t') {
		column = (column + TAB) / TAB * TAB;
	} else if ((unsigned char)c >= ' ') {
		cells[row * COLUMNS + column++] = (uint16_t)((BLANK & 0xFF00) | (unsigned char)c);
	}
	if (column >= COLUMNS) {
		column = 0;
		row++;
	}
	if (row >= ROWS)
		scroll();
	move_cursor();
}

bool vga_present(void)
{
	return cells != NULL;
}

void vga_cell(unsigned int at_row, unsigned int at_column, uint16_t cell)
{
	if (cells && at_row < ROWS && at_column < COLUMNS)
		cells[at_row * COLUMNS + at_column] = cell;
}

void vga_keep(uint16_t to[VGA_ROWS * VGA_COLUMNS])
{
	for (unsigned int i = 0; cells && i < COLUMNS * ROWS; i++)
		to[i] = cells[i];
}

void vga_bring_back(const uint16_t from[VGA_ROWS * VGA_COLUMNS])
{
	for (unsigned int i = 0; cells && i < COLUMNS * ROWS; i++)
		cells[i] = from[i];
}

void vga_show_cursor(bool shown)
{
	if (!cells)
		return;
	outb(CRT_INDEX, CRT_CURSOR_START);
	outb(CRT_DATA, shown ? CURSOR_TOP_LINE : CURSOR_OFF);
}
