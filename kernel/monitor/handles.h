/* SPDX-License-Identifier: MIT */
/* Names for what the monitor's kmalloc has given, and addresses as they are typed. */
#ifndef KERNEL_MONITOR_HANDLES_H
#define KERNEL_MONITOR_HANDLES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * handles_address() - the address that a person means
 * @text: a number or a handle, which may be followed by +N or -N; is cut there
 * @address: receives it
 *
 * Return: false if it is none; what is wrong with it has been said.
 */
bool handles_address(char *text, uintptr_t *address);

#endif
