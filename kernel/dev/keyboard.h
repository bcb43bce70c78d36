/* SPDX-License-Identifier: MIT */
/* The PS/2 keyboard, US layout, as a stream of characters. */
#ifndef KERNEL_DEV_KEYBOARD_H
#define KERNEL_DEV_KEYBOARD_H

void keyboard_init(void);

/* The next character typed, -1 if there is none; the oldest are kept when nobody reads. */
int keyboard_getc(void);

#endif
