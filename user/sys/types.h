/* SPDX-License-Identifier: MIT */
/* Types of system calls' arguments and results, as Linux has them on i386. */
#ifndef USER_SYS_TYPES_H
#define USER_SYS_TYPES_H

#include <stddef.h>

typedef long off_t;
typedef int pid_t;
typedef long ssize_t;

#endif
