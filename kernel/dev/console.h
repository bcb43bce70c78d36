/* SPDX-License-Identifier: MIT */
/* One console over the serial port and the VGA text screen. */
#ifndef KERNEL_DEV_CONSOLE_H
#define KERNEL_DEV_CONSOLE_H

#include <stddef.h>

/* Serial port and, where there is one, the VGA text screen; the first thing in C. */
void console_init(void);

/* Writes @n bytes to serial and screen; '\n' becomes CR LF on the wire. */
void console_write(const char *text, size_t n);

/**
 * kprintf() - print to the console
 * @fmt: see libk/printf.h
 *
 * Return: characters written.
 */
int __attribute__((format(printf, 1, 2))) kprintf(const char *fmt, ...);

#endif
