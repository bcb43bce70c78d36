/* SPDX-License-Identifier: MIT */
/*
 * Scan codes of set 1 become characters in the interrupt and wait in a ring. A
 * key that is no character becomes the bytes that a VT100 sends for it.
 */
#include "kernel/dev/keyboard.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"

#include <stddef.h>
#include <string.h>

#define PORT_DATA   0x60
#define PORT_STATUS 0x64
#define RELEASED    0x80
#define EXTENDED    0xE0 /* goes before the code of a key that older keyboards had elsewhere */
#define LEFT_SHIFT  0x2A
#define RIGHT_SHIFT 0x36
#define CTRL	    0x1D
#define RING	    64

static const char plain[] =
	"\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
	"\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

#define FIRST_SPECIAL 0x47
static const char *const special[] = {
	"\033[H", "\033[A", "\033[5~", NULL,	  "\033[D", NULL,      "\033[C",
	NULL,	  "\033[F", "\033[B",  "\033[6~", NULL,	    "\033[3~",
};

#define SPECIALS (sizeof(special) / sizeof(special[0]))

static char ring[RING];
static volatile unsigned int head, tail; /* only the interrupt moves head, only the reader tail */
static volatile bool lost;
static bool shift, ctrl, extended;

/* All of it or nothing: part of a sequence would be another key. */
static void put(const char *bytes, size_t n)
{
	if (RING - (head - tail) < n) {
		lost = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		ring[(head + i) % RING] = bytes[i];
	head += n;
}

static void put_character(uint8_t key)
{
	char c = shift ? shifted[key] : plain[key];

	if (ctrl)
		c &= 0x1F;
	if (c)
		put(&c, 1);
}

static void pressed(uint8_t key)
{
	if (key < sizeof(plain) - 1)
		put_character(key);
	else if (key >= FIRST_SPECIAL && key - FIRST_SPECIAL < (int)SPECIALS &&
		 special[key - FIRST_SPECIAL])
		put(special[key - FIRST_SPECIAL], strlen(special[key - FIRST_SPECIAL]));
}

static void keyboard_interrupt(void)
{
	uint8_t code = inb(PORT_DATA);
	uint8_t key = code & (uint8_t)~RELEASED;
	bool down = !(code & RELEASED), was_extended = extended;

	extended = code == EXTENDED;
	if (extended)
		return;
	if (key == LEFT_SHIFT || key == RIGHT_SHIFT)
		shift = was_extended ? shift : down; /* a made-up one goes around other keys */
	else if (key == CTRL)
		ctrl = down;
	else if (down)
		pressed(key);
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

bool keyboard_lost(void)
{
	bool before = lost;

	lost = false;
	return before;
}
