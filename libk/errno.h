/* SPDX-License-Identifier: MIT */
/* Error numbers, with the values of Linux. Kernel functions return them negated. */
#ifndef LIBK_ERRNO_H
#define LIBK_ERRNO_H

#define EPERM	     1
#define ENOENT	     2
#define ESRCH	     3
#define EBADF	     9
#define ENOMEM	     12
#define EFAULT	     14
#define EBUSY	     16
#define EEXIST	     17
#define ENODEV	     19
#define EINVAL	     22
#define ENOTTY	     25
#define ENOSPC	     28
#define ESPIPE	     29
#define EROFS	     30
#define ERANGE	     34
#define ENAMETOOLONG 36
#define ENOSYS	     38

#endif
