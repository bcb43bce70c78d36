/* SPDX-License-Identifier: MIT */
/* A 16550 at 0x3F8. It also receives while interrupts are off: its queue holds 16 bytes. */
#include "kernel/dev/serial.h"
#include "kernel/x86/cpu.h"

#define COM1	   0x3F8
#define DATA	   (COM1 + 0)
#define INTERRUPTS (COM1 + 1)
#define QUEUE	   (COM1 + 2)
#define LINE	   (COM1 + 3)
#define MODEM	   (COM1 + 4)
#define STATUS	   (COM1 + 5)

#define STATUS_RECEIVED 0x01
#define STATUS_CAN_SEND 0x20
#define SEND_TRIES	100000

void serial_init(void)
{
	outb(INTERRUPTS, 0);
	outb(LINE, 0x80); /* the divisor's turn */
	outb(DATA, 1);
	outb(INTERRUPTS, 0);
	outb(LINE, 0x03);
	outb(QUEUE, 0x01); /* on, and what was received already stays */
	outb(MODEM, 0x03);
}

void serial_putc(char c)
{
	for (unsigned int i = 0; i < SEND_TRIES && !(inb(STATUS) & STATUS_CAN_SEND); i++)
		;
	outb(DATA, (uint8_t)c);
}

int serial_getc(void)
{
	uint8_t status = inb(STATUS);

	if (status == 0xFF || !(status & STATUS_RECEIVED))
		return -1;
	return inb(DATA);
}
