/* SPDX-License-Identifier: MIT */
/* A state for each place in ESC [ 1 ; 5 C, in ESC [ 3 ~, and in the older ESC O A. */
#include "kernel/monitor/keys.h"

#include <stdbool.h>
#include <stddef.h>

#define ESCAPE	     27
#define MOST_BYTES   16 /* no key has more, whatever comes */
#define FIRST_FINAL  0x40
#define BEHIND_FINAL 0x7F

static int key_of_letter(uint8_t letter)
{
	switch (letter) {
	case 'A':
		return KEY_UP;
	case 'B':
		return KEY_DOWN;
	case 'C':
		return KEY_RIGHT;
	case 'D':
		return KEY_LEFT;
	case 'H':
		return KEY_HOME;
	case 'F':
		return KEY_END;
	default:
		return KEY_NONE;
	}
}

/* ESC [ n ~: terminals do not agree about Home and End. */
static int key_of_number(unsigned int number)
{
	switch (number) {
	case 1:
	case 7:
		return KEY_HOME;
	case 3:
		return KEY_DELETE;
	case 4:
	case 8:
		return KEY_END;
	case 5:
		return KEY_PAGE_UP;
	case 6:
		return KEY_PAGE_DOWN;
	default:
		return KEY_NONE;
	}
}

static int plain(struct keys *keys, uint8_t byte)
{
	bool second = byte == '\n' && keys->after_return;

	keys->state = KEYS_PLAIN;
	keys->after_return = byte == '\r';
	if (byte == ESCAPE) {
		*keys = (struct keys){ .state = KEYS_ESCAPE, .since = keys->since };
		return KEY_NONE;
	}
	if (second)
		return KEY_NONE; /* CR LF is one Enter */
	return byte == '\r' ? KEY_ENTER : byte;
}

static int final(struct keys *keys, uint8_t byte)
{
	keys->state = KEYS_PLAIN;
	return byte == '~' ? key_of_number(keys->number) : key_of_letter(byte);
}

/* Behind ESC [: numbers with semicolons between, then the byte that says what it is. */
static int within(struct keys *keys, uint8_t byte)
{
	if (byte >= FIRST_FINAL)
		return final(keys, byte);
	if (keys->state == KEYS_NUMBER && byte >= '0' && byte <= '9')
		keys->number = (keys->number * 10 + byte - '0') % 1000;
	else
		keys->state = KEYS_REST;
	return KEY_NONE;
}

int keys_take(struct keys *keys, uint8_t byte, uint32_t now)
{
	bool torn = now - keys->since > KEYS_PATIENCE || byte < ' ' || byte >= BEHIND_FINAL ||
		    keys->length == MOST_BYTES;

	keys->since = now;
	if (keys->state == KEYS_PLAIN || torn)
		return plain(keys, byte);
	keys->length++;
	switch (keys->state) {
	case KEYS_ESCAPE:
		if (byte != '[' && byte != 'O')
			return plain(keys, byte);
		keys->state = byte == '[' ? KEYS_NUMBER : KEYS_SINGLE;
		return KEY_NONE;
	case KEYS_SINGLE:
		return final(keys, byte);
	default:
		return within(keys, byte);
	}
}
