/* SPDX-License-Identifier: MIT */
/* The programmable interval timer, TIMER_HZ interrupts a second. */
#ifndef KERNEL_DEV_TIMER_H
#define KERNEL_DEV_TIMER_H

#include <stdint.h>

#define TIMER_HZ 1000U

/* Starts the timer; interrupts still off are fine. */
void timer_init(void);

/* Ticks since timer_init(); wraps after 49 days. */
uint32_t timer_ticks(void);

typedef void timer_hook(void);

/* Have @hook called from every timer interrupt, or none with NULL. Return: the one before. */
timer_hook *timer_set_hook(timer_hook *hook);

#endif
