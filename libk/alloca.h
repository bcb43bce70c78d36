/* SPDX-License-Identifier: MIT */
/*
 * Memory on the stack that goes with the function: the compiler's builtin.
 * There is no check and no failure value; what does not fit runs into the
 * guard page below the stack.
 */
#ifndef LIBK_ALLOCA_H
#define LIBK_ALLOCA_H

#define alloca(size) __builtin_alloca(size)

#endif
