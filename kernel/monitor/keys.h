/* SPDX-License-Identifier: MIT */
/*
 * Keys out of the bytes that a terminal sends for them.
 *
 * A letter is one byte, an arrow three, as on a VT100: ESC [ A. The serial line
 * may tear such a sequence anywhere. What does not go on within KEYS_PATIENCE is
 * dropped, and what comes then is a key by itself. Pure, and tested on the host
 * as well.
 */
#ifndef KERNEL_MONITOR_KEYS_H
#define KERNEL_MONITOR_KEYS_H

#include <stdint.h>

/* Ticks of the timer that a sequence may pause for. */
#define KEYS_PATIENCE 100U

/* A key that is a byte is that byte; Enter is '\n', whatever the terminal makes of it. */
enum key {
	KEY_NONE = -1,
	KEY_CTRL_A = 1,
	KEY_CTRL_C = 3,
	KEY_CTRL_E = 5,
	KEY_BACKSPACE = 8,
	KEY_ENTER = '\n',
	KEY_CTRL_K = 11,
	KEY_CTRL_U = 21,
	KEY_RUBOUT = 127, /* what most terminals send for backspace */
	KEY_UP = 256,
	KEY_DOWN,
	KEY_RIGHT,
	KEY_LEFT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
};

/**
 * struct keys - how far into a sequence one terminal is; all zero at first
 * @state: what has come of it
 * @number: the first number in it
 * @length: bytes of it
 * @after_return: the byte before was a carriage return
 * @since: when its newest byte came
 */
struct keys {
	enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_SINGLE, KEYS_NUMBER, KEYS_REST } state;
	unsigned int number, length;
	int after_return;
	uint32_t since;
};

/**
 * keys_take() - take the next byte
 * @byte: as it came
 * @now: the timer's ticks
 *
 * Return: the key that is complete with it, KEY_NONE if none is. A sequence for
 * a key that is not in the list above is none.
 */
int keys_take(struct keys *keys, uint8_t byte, uint32_t now);

#endif
