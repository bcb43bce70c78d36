/* SPDX-License-Identifier: MIT */
#ifndef USER_MALLOC_H
#define USER_MALLOC_H

#include <stdlib.h>

/* Bytes that may be used at @ptr, at least what was asked for; 0 for NULL. */
size_t malloc_usable_size(void *ptr);

#endif
