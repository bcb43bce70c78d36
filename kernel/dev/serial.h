/* SPDX-License-Identifier: MIT */
/* The first serial port: 115200 8N1. Sends when asked, receives by interrupts. */
#ifndef KERNEL_DEV_SERIAL_H
#define KERNEL_DEV_SERIAL_H

#include <stdbool.h>

/* Sets up the port, for sending. */
void serial_init(void);

/* Begins to receive; interrupts must be set up. */
void serial_listen(void);

/* Sends one byte; gives up on it after a bounded wait where no port is there. */
void serial_putc(char c);

/* The next byte received, -1 if there is none. */
int serial_getc(void);

/* Whether bytes have come and gone unread since this was asked last. */
bool serial_lost(void);

#endif
