/* SPDX-License-Identifier: MIT */
/*
 * The second serial port: bytes as they are, between a program here and
 * whatever holds the other end, such as tools/run-user.
 *
 * What is sent is any byte. What is received has a beginning and an end, as a
 * line has not:
 *
 *	bytes of no meaning, WIRE_START, the input, WIRE_ESCAPE WIRE_START
 *
 * Where the input has WIRE_ESCAPE, it comes twice. There should be at least one
 * byte of no meaning: one that comes before wire_init() may be lost.
 */
#ifndef KERNEL_DEV_WIRE_H
#define KERNEL_DEV_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#define WIRE_START  0x02 /* STX, start of text */
#define WIRE_ESCAPE 0x10 /* DLE, data link escape */

#define WIRE_NOTHING (-1)
#define WIRE_END     (-2)

/* Sets up the port; interrupts must be set up. Return: whether there is one. */
bool wire_init(void);

/* Sends bytes, and waits for as long as the other end does not take them. */
void wire_write(const char *bytes, size_t n);

/*
 * The next byte; WIRE_NOTHING if it has not come yet, and then an interrupt will
 * when it does; WIRE_END once there are no more.
 */
int wire_getc(void);

#endif
