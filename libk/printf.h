/* SPDX-License-Identifier: MIT */
/*
 * Formatted printing without an allocation.
 *
 * Conversions: d i u x X c s p %, with the lengths hh h l ll z t j, a width
 * (also *), a precision for s (also *), and the flags 0 and -. Anything else
 * is printed as it stands.
 */
#ifndef LIBK_PRINTF_H
#define LIBK_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* Receives the output piece by piece. */
typedef void printf_put(void *context, const char *text, size_t n);

int __attribute__((format(printf, 3, 0)))
vprintf_to(printf_put *put, void *context, const char *fmt, va_list args);

/**
 * vsnprintf() - print into a buffer
 * @buffer: receives at most @size - 1 characters and a terminating zero
 * @size: bytes at @buffer; 0 writes nothing
 *
 * Return: the length the text would have had with room enough.
 */
int __attribute__((format(printf, 3, 0)))
vsnprintf(char *buffer, size_t size, const char *fmt, va_list args);
int __attribute__((format(printf, 3, 4))) snprintf(char *buffer, size_t size, const char *fmt, ...);

#endif
