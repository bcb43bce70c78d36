/* SPDX-License-Identifier: MIT */
/*
 * A 16550 at 0x3F8. What it receives it keeps in a queue of 16 bytes until the
 * interrupt fetches it into a ring. Is that full, the bytes stay in the queue,
 * where the sender may be held up by them; else the queue runs over, which the
 * 16550 tells us.
 */
#include "kernel/dev/serial.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#define COM1	   0x3F8
#define DATA	   (COM1 + 0)
#define INTERRUPTS (COM1 + 1)
#define QUEUE	   (COM1 + 2)
#define LINE	   (COM1 + 3)
#define MODEM	   (COM1 + 4)
#define STATUS	   (COM1 + 5)

#define WHEN_RECEIVED	0x01
#define MODEM_READY	0x0B /* and the line to the interrupt controller */
#define MODEM_LOOP	0x10
#define STATUS_RECEIVED 0x01
#define STATUS_LOST	0x02
#define STATUS_CAN_SEND 0x20
#define STATUS_NO_PORT	0xFF
#define SEND_TRIES	100000
#define RING		256U

static uint8_t ring[RING];
static unsigned int head, tail;
static volatile bool lost;

/*
 * Turning the queue on drops a byte that has come before. So that one is read
 * first, and the port is cut off from the line until the queue is on.
 */
static void start_queue(void)
{
	uint8_t status;

	outb(MODEM, MODEM_LOOP);
	status = inb(STATUS);
	if (status != STATUS_NO_PORT && (status & STATUS_RECEIVED))
		ring[head++ % RING] = inb(DATA);
	outb(QUEUE, 0x01);
	outb(MODEM, MODEM_READY);
}

void serial_init(void)
{
	outb(INTERRUPTS, 0);
	outb(LINE, 0x80); /* the divisor's turn */
	outb(DATA, 1);
	outb(INTERRUPTS, 0);
	outb(LINE, 0x03);
	start_queue();
}

/* Fetches what there is and has room. With interrupts off. */
static void fetch(void)
{
	uint8_t status = inb(STATUS);

	while (status != STATUS_NO_PORT && (status & STATUS_RECEIVED) && head - tail < RING) {
		lost |= (status & STATUS_LOST) != 0;
		ring[head++ % RING] = inb(DATA);
		status = inb(STATUS);
	}
	lost |= status != STATUS_NO_PORT && (status & STATUS_LOST);
	outb(INTERRUPTS, head - tail < RING ? WHEN_RECEIVED : 0);
}

void serial_listen(void)
{
	unsigned long flags = irq_save();

	irq_set_handler(IRQ_SERIAL, fetch);
	fetch();
	irq_restore(flags);
}

void serial_putc(char c)
{
	for (unsigned int i = 0; i < SEND_TRIES && !(inb(STATUS) & STATUS_CAN_SEND); i++)
		;
	outb(DATA, (uint8_t)c);
}

int serial_getc(void)
{
	unsigned long flags = irq_save();
	int c = -1;

	fetch();
	if (head != tail)
		c = ring[tail++ % RING];
	irq_restore(flags);
	return c;
}

bool serial_lost(void)
{
	unsigned long flags = irq_save();
	bool before = lost;

	lost = false;
	irq_restore(flags);
	return before;
}
