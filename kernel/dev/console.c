/* SPDX-License-Identifier: MIT */
/* The console: whatever is written goes to the serial port and to the screen. */
#include "kernel/dev/console.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/vga.h"

#include <printf.h>

void console_init(void)
{
	serial_init();
	if (!vga_init())
		kprintf("console: no VGA text screen here, serial only\n");
}

void console_write(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			serial_putc('\r');
		serial_putc(text[i]);
		vga_putc(text[i]);
	}
}

static void put_console(void *context, const char *text, size_t n)
{
	(void)context;
	console_write(text, n);
}

int kprintf(const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vprintf_to(put_console, NULL, fmt, args);
	va_end(args);
	return length;
}
