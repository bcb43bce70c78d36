/* SPDX-License-Identifier: MIT */
/*
 * What comes over the serial line is given in its order, or it is told that
 * some is lost: with the port looped back to itself, so that it receives what it
 * sends. Meanwhile the console is silent, and a CHECK must wait.
 */
#include "kernel/dev/serial.h"
#include "kernel/x86/cpu.h"
#include "tests/kernel/ktest.h"

#define MODEM	   0x3FC
#define LOOP	   0x10
#define QUEUE	   16
#define MANY	   200
#define DRAINED_IN 100000

static unsigned long flags;
static uint8_t modem;

static void loop_back(void)
{
	flags = irq_save();
	modem = inb(MODEM);
	outb(MODEM, modem | LOOP);
	while (serial_getc() >= 0)
		;
	serial_lost();
}

static void end_loop(void)
{
	while (serial_getc() >= 0)
		;
	outb(MODEM, modem);
	irq_restore(flags);
}

/* Bytes from @from on that come in order. */
static unsigned int received(unsigned int from)
{
	unsigned int n = 0;

	while (serial_getc() == (int)((from + n) & 0xFF))
		n++;
	return n;
}

static void send(unsigned int from, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		serial_putc((char)(from + i));
}

KTEST(serial_line_gives_what_it_receives)
{
	unsigned int got;
	bool lost;

	loop_back();
	send(100, QUEUE);
	got = received(100);
	lost = serial_lost();
	end_loop();
	CHECK_EQ(got, QUEUE);
	CHECK(!lost);
}

KTEST(serial_line_that_runs_over_is_told_once)
{
	bool lost, again;
	unsigned int got;

	loop_back();
	send(0, QUEUE + 1);
	got = received(0);
	lost = serial_lost();
	again = serial_lost();
	end_loop();
	CHECK_EQ(got, QUEUE);
	CHECK(lost);
	CHECK(!again);
}

/* With interrupts on, what is not read waits in the ring, far beyond the port's own queue. */
KTEST(serial_line_is_heard_while_nobody_reads)
{
	unsigned int got;
	bool lost;

	loop_back();
	irq_enable();
	for (unsigned int i = 0; i < MANY; i++) {
		serial_putc((char)i);
		for (volatile unsigned int wait = 0; wait < DRAINED_IN / MANY; wait++)
			;
	}
	irq_disable();
	got = received(0);
	lost = serial_lost();
	end_loop();
	CHECK_EQ(got, MANY);
	CHECK(!lost);
}
