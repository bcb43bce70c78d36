/* SPDX-License-Identifier: MIT */
/* The first serial port, polled: 115200 8N1. */
#ifndef KERNEL_DEV_SERIAL_H
#define KERNEL_DEV_SERIAL_H

void serial_init(void);

/* Sends one byte; gives up on it after a bounded wait where no port is there. */
void serial_putc(char c);

/* The next byte received, -1 if there is none. */
int serial_getc(void);

#endif
