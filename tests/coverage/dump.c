/* SPDX-License-Identifier: MIT */
/*
 * Sends what gcov has counted over the serial port when the machine is left, in
 * hexadecimal, for tests/boot/coverage.t. Linked by --wrap=machine_exit, so that
 * a panic is counted as well.
 */
#include "kernel/dev/console.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exit.h"

#include <gcov.h>
#include <stddef.h>
#include <stdint.h>

extern const struct gcov_info *const __gcov_info_start[], *const __gcov_info_end[];

void __attribute__((noreturn)) __real_machine_exit(enum exit_code code);
void __attribute__((noreturn)) __wrap_machine_exit(enum exit_code code);
void __attribute__((noreturn)) abort(void);
void __gcov_merge_add(void);
void *mmap64(void);

/* libgcov is made for programs; these it only names. */
void abort(void)
{
	__real_machine_exit(EXIT_FAIL);
}

void __gcov_merge_add(void)
{
}

void *mmap64(void)
{
	return (void *)-1;
}

static void begin_file(const char *name, void *unused)
{
	(void)unused;
	kprintf("\ngcda %s ", name);
}

static void send(const void *bytes, unsigned int n, void *unused)
{
	(void)unused;
	for (unsigned int i = 0; i < n; i++)
		kprintf("%02x", ((const uint8_t *)bytes)[i]);
}

static void *allocate(unsigned int n, void *unused)
{
	static uint64_t room[512];
	static size_t used;
	void *at = &room[used];

	(void)unused;
	used += (n + 7) / 8;
	return used <= sizeof(room) / sizeof(room[0]) ? at : NULL;
}

void __wrap_machine_exit(enum exit_code code)
{
	size_t n = ((uintptr_t)__gcov_info_end - (uintptr_t)__gcov_info_start) /
		   sizeof(__gcov_info_start[0]);

	irq_disable();
	for (size_t i = 0; i < n; i++)
		__gcov_info_to_gcda(__gcov_info_start[i], begin_file, send, allocate, NULL);
	kprintf("\n");
	__real_machine_exit(code);
}
