/* SPDX-License-Identifier: MIT */
/* Scan codes of set 1 become characters in the interrupt and wait in a ring. */
#include "kernel/dev/keyboard.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#include <stdbool.h>
#include <stddef.h>

#define PORT_DATA   0x60
#define PORT_STATUS 0x64
#define RELEASED    0x80
#define LEFT_SHIFT  0x2A
#define RIGHT_SHIFT 0x36
#define RING	    64

static const char plain[] =
	"\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static char ring[RING];
static volatile unsigned int head, tail; /* only the interrupt moves head, only the reader tail */
static bool shift;

static void keyboard_interrupt(void)
{
	uint8_t code = inb(PORT_DATA);
	uint8_t key = code & (uint8_t)~RELEASED;
	char c;

	if (key == LEFT_SHIFT || key == RIGHT_SHIFT) {
		shift = !(code & RELEASED);
		return;
	}
	if ((code & RELEASED) || key >= sizeof(plain) - 1)
		return;
	c = shift ? shifted[key] : plain[key];
	if (c && head - tail < RING)
		ring[head++ % RING] = c;
}

void keyboard_init(void)
{
	while (inb(PORT_STATUS) != 0xFF && (inb(PORT_STATUS) & 1))
		inb(PORT_DATA); /* what was typed before us */
	irq_set_handler(IRQ_KEYBOARD, keyboard_interrupt);
}

int keyboard_getc(void)
{
	if (head == tail)
		return -1;
	return (unsigned char)ring[tail++ % RING];
}
