/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does once it is up. There are two images: the product runs
 * the monitor (kernel/monitor/run.c), the test image runs the test suite
 * (tests/kernel/ktest.c). Everything else in them is the same.
 */
#ifndef KERNEL_RUN_H
#define KERNEL_RUN_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a panic ends the emulator from the first instruction on. */
extern const bool kernel_under_test;

/* What setting up memory took by the time stamp counter, for benchmarks. */
extern uint64_t memory_setup_cycles;

/* Interrupts are on, everything is set up. */
void __attribute__((noreturn)) kernel_run(void);

#endif
