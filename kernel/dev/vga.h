/* SPDX-License-Identifier: MIT */
/* The VGA text screen, 80 columns by 25 rows. */
#ifndef KERNEL_DEV_VGA_H
#define KERNEL_DEV_VGA_H

#include <stdbool.h>

/* Clears the screen. Return: false if no text screen answers at its address (as under UEFI). */
bool vga_init(void);

/* Writes one character at the cursor, scrolling as needed; knows '\n', '\r', '\b' and '\t'. */
void vga_putc(char c);

#endif
