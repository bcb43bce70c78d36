/* SPDX-License-Identifier: MIT */
/* The interval timer: channel 0 divides 1,193,182 Hz down to TIMER_HZ. */
#include "kernel/dev/timer.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#include <stddef.h>

#define PIT_HZ		   1193182U
#define PIT_CHANNEL0	   0x40
#define PIT_COMMAND	   0x43
#define PIT_RATE_GENERATOR 0x34

static volatile uint32_t ticks;
static timer_hook *volatile tick_hook;

static void timer_interrupt(void)
{
	timer_hook *hook = tick_hook;

	ticks++;
	if (hook)
		hook();
}

void timer_init(void)
{
	const unsigned int divisor = PIT_HZ / TIMER_HZ;

	outb(PIT_COMMAND, PIT_RATE_GENERATOR);
	outb(PIT_CHANNEL0, divisor & 0xFF);
	outb(PIT_CHANNEL0, divisor >> 8);
	irq_set_handler(IRQ_TIMER, timer_interrupt);
}

uint32_t timer_ticks(void)
{
	return ticks;
}

timer_hook *timer_set_hook(timer_hook *hook)
{
	timer_hook *before = tick_hook;

	tick_hook = hook;
	return before;
}
