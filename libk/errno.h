/* SPDX-License-Identifier: MIT */
/* Error numbers, with the values of Linux. Kernel functions return them negated. */
#ifndef LIBK_ERRNO_H
#define LIBK_ERRNO_H

#define ENOENT 2
#define ENOMEM 12
#define EFAULT 14
#define EBUSY  16
#define EEXIST 17
#define EINVAL 22
#define ENOSPC 28
#define ERANGE 34

#endif
