/* SPDX-License-Identifier: MIT */
/*
 * The program break. The kernel answers with where the break is by then; what
 * that means is settled here. Nothing is remembered: the kernel knows.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Puts the break at @end, or asks where it is: no break can be at 0. */
static uintptr_t set_break(uintptr_t end)
{
	return (uintptr_t)syscall(SYS_brk, end);
}

int brk(void *end)
{
	if (set_break((uintptr_t)end) == (uintptr_t)end)
		return 0;
	errno = ENOMEM;
	return -1;
}

void *sbrk(intptr_t increment)
{
	uintptr_t before = set_break(0), end = before + (uintptr_t)increment;
	bool wraps = increment < 0 ? end > before : end < before;

	if (wraps || (increment != 0 && set_break(end) != end)) {
		errno = ENOMEM;
		return (void *)-1;
	}
	return (void *)before;
}
