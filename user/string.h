/* SPDX-License-Identifier: MIT */
/* Memory and strings: what libk has, and what a kernel is better off without. */
#ifndef USER_STRING_H
#define USER_STRING_H

#include "libk/string.h"

/* @to must have room for strlen(@from) + 1 characters. Returns @to. */
char *strcpy(char *restrict to, const char *restrict from);

/* A copy from malloc(), for free(); NULL with ENOMEM if there is no more. */
char *strdup(const char *s);

#endif
