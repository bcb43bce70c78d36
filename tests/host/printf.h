/* SPDX-License-Identifier: MIT */
/* What libk/printf.h declares, as the host has it: glibc means something else by this name. */
#ifndef TESTS_HOST_PRINTF_H
#define TESTS_HOST_PRINTF_H

#include <stdio.h>

#endif
