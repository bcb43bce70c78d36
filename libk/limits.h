/* SPDX-License-Identifier: MIT */
/*
 * The limits of the integer types, as the compiler has them. A cross compiler's
 * own <limits.h> may ask for a C library's, which a kernel does not have.
 */
#ifndef LIBK_LIMITS_H
#define LIBK_LIMITS_H

#define CHAR_BIT   __CHAR_BIT__
#define INT_MAX	   __INT_MAX__
#define INT_MIN	   (-INT_MAX - 1)
#define UINT_MAX   (2U * INT_MAX + 1)
#define LONG_MAX   __LONG_MAX__
#define LONG_MIN   (-LONG_MAX - 1)
#define ULONG_MAX  (2UL * LONG_MAX + 1)
#define LLONG_MAX  __LONG_LONG_MAX__
#define LLONG_MIN  (-LLONG_MAX - 1)
#define ULLONG_MAX (2ULL * LLONG_MAX + 1)

#endif
