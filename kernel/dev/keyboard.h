/* SPDX-License-Identifier: MIT */
/* The PS/2 keyboard, US layout, as the stream of bytes that a VT100 would send. */
#ifndef KERNEL_DEV_KEYBOARD_H
#define KERNEL_DEV_KEYBOARD_H

#include <stdbool.h>

void keyboard_init(void);

/* The next byte of what was typed, -1 if there is none; the oldest are kept when nobody reads. */
int keyboard_getc(void);

/* Whether keys were pressed in vain since this was asked last, because nobody had read. */
bool keyboard_lost(void);

#endif
