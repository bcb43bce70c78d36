/* SPDX-License-Identifier: MIT */
/*
 * A 16550 at 0x2F8. Its queue of 16 bytes holds up whoever sends when it is full.
 * (An emulator does that; a line does not.) Its interrupt fetches nothing: it
 * only wakes who found nothing, and is off until somebody does again.
 */
#include "kernel/dev/wire.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#define COM2	   0x2F8
#define DATA	   (COM2 + 0)
#define INTERRUPTS (COM2 + 1)
#define QUEUE	   (COM2 + 2)
#define LINE	   (COM2 + 3)
#define MODEM	   (COM2 + 4)
#define STATUS	   (COM2 + 5)
#define SCRATCH	   (COM2 + 7)

#define IRQ_COM2	3
#define WHEN_RECEIVED	0x01
#define MODEM_READY	0x0B /* and the line to the interrupt controller */
#define QUEUE_ON	0xC1 /* filled by up to 14 bytes at a time, not one by one */
#define STATUS_RECEIVED 0x01
#define STATUS_CAN_SEND 0x20
#define ANY_BYTE	0x5A

static void wake(void)
{
	outb(INTERRUPTS, 0);
}

bool wire_init(void)
{
	outb(SCRATCH, ANY_BYTE);
	if (inb(SCRATCH) != ANY_BYTE)
		return false;
	outb(INTERRUPTS, 0);
	outb(LINE, 0x80); /* the divisor's turn */
	outb(DATA, 1);
	outb(INTERRUPTS, 0);
	outb(LINE, 0x03);
	outb(QUEUE, QUEUE_ON); /* which drops a byte that came before */
	outb(MODEM, MODEM_READY);
	irq_set_handler(IRQ_COM2, wake);
	return true;
}

void wire_write(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		while (!(inb(STATUS) & STATUS_CAN_SEND))
			;
		outb(DATA, (uint8_t)bytes[i]);
	}
}

static int receive(void)
{
	if (inb(STATUS) & STATUS_RECEIVED)
		return inb(DATA);
	outb(INTERRUPTS, WHEN_RECEIVED);
	return WIRE_NOTHING;
}

/* Fetches what comes before the input; then true. */
static bool begun(void)
{
	static bool start;

	for (int c = 0; !start && c != WIRE_NOTHING; start = c == WIRE_START)
		c = receive();
	return start;
}

int wire_getc(void)
{
	static bool escaped, ended;
	int c;

	if (ended)
		return WIRE_END;
	c = begun() ? receive() : WIRE_NOTHING;
	if (c == WIRE_ESCAPE && !escaped) {
		escaped = true;
		c = receive();
	}
	if (c == WIRE_NOTHING)
		return c;
	ended = escaped && c != WIRE_ESCAPE;
	escaped = false;
	return ended ? WIRE_END : c;
}
