/* SPDX-License-Identifier: MIT */
/*
 * Printing. Each call writes what it has to say before it returns; nothing is
 * kept back, so nothing is lost however a program ends. The conversions are
 * those of libk/printf.h.
 */
#ifndef USER_STDIO_H
#define USER_STDIO_H

#include "libk/printf.h"

/* Return: the number of characters; -1 with errno if they could not all be written. */
int __attribute__((format(printf, 1, 2))) printf(const char *fmt, ...);
int __attribute__((format(printf, 1, 0))) vprintf(const char *fmt, va_list args);
int __attribute__((format(printf, 2, 3))) dprintf(int fd, const char *fmt, ...);
int __attribute__((format(printf, 2, 0))) vdprintf(int fd, const char *fmt, va_list args);

/* @text and a newline; @c. Return: not negative; -1 with errno on failure. */
int puts(const char *text);
int putchar(int c);

#endif
