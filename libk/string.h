/* SPDX-License-Identifier: MIT */
/* Memory and strings, as in ISO C; strlcpy() and strnlen() as in Linux. */
#ifndef LIBK_STRING_H
#define LIBK_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
void *memchr(const void *s, int c, size_t n);
char *strchr(const char *s, int c);
size_t strcspn(const char *s, const char *set);
char *strstr(const char *s, const char *part);

/* Copies at most @size - 1 characters and always terminates; returns strlen(@from). */
size_t strlcpy(char *to, const char *from, size_t size);

#endif
