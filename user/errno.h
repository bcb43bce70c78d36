/* SPDX-License-Identifier: MIT */
/*
 * errno: why the last call that failed did. A call that succeeds leaves it as
 * it is or changes it; free() leaves it as it is.
 */
#ifndef USER_ERRNO_H
#define USER_ERRNO_H

#include "libk/errno.h"

extern int errno;
#define errno errno

#endif
