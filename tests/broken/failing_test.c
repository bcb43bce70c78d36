/* SPDX-License-Identifier: MIT */
/* A check that does not hold. */
#include "tests/kernel/ktest.h"

KTEST(planted_failure)
{
	CHECK_EQ(1 + 1, 3);
}
