/* SPDX-License-Identifier: MIT */
/* The VGA text screen, 80 columns by 25 rows. */
#ifndef KERNEL_DEV_VGA_H
#define KERNEL_DEV_VGA_H

#include <stdbool.h>
#include <stdint.h>

#define VGA_COLUMNS 80
#define VGA_ROWS    25

/* A cell of the screen: a character, and the numbers (0 to 15) of its colours in front and behind. */
#define VGA_CELL(c, front, back) ((uint16_t)((back) << 12 | (front) << 8 | (unsigned char)(c)))

/* Clears the screen. Return: false if no text screen answers at its address (as under UEFI). */
bool vga_init(void);

/*
 * Writes one character at the cursor, scrolling as needed; knows '\n', '\r', '\b' and '\t',
 * and passes over other control characters.
 */
void vga_putc(char c);

/* Whether there is a screen; without one nothing below has an effect. */
bool vga_present(void);

/* Puts a cell anywhere, without moving the cursor. */
void vga_cell(unsigned int row, unsigned int column, uint16_t cell);

/* Copies the screen, and brings it back: for what needs all of it for a while. */
void vga_keep(uint16_t to[VGA_ROWS * VGA_COLUMNS]);
void vga_bring_back(const uint16_t from[VGA_ROWS * VGA_COLUMNS]);

/* Shows the cursor, or hides it. */
void vga_show_cursor(bool shown);

#endif
