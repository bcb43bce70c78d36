/* SPDX-License-Identifier: MIT */
/* All page frames there are, held by a test. */
#ifndef TESTS_KERNEL_HOARD_H
#define TESTS_KERNEL_HOARD_H

#include <stdbool.h>
#include <stdint.h>

/* Takes every free frame. Return: whether there was room to note all of them. */
bool hoard_take(void);

/* Whether any of them lies in the @n frames from @first on. */
bool hoard_touches(uint32_t first, uint32_t n);

/* Gives them back. Return: whether each was taken. */
bool hoard_give(void);

#endif
