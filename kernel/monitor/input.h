/* SPDX-License-Identifier: MIT */
/* What is typed, on the serial line and on the keyboard alike, as keys. */
#ifndef KERNEL_MONITOR_INPUT_H
#define KERNEL_MONITOR_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/monitor/keys.h"

/* The next key, KEY_NONE if there is none yet. */
int input_poll(void);

/* The next key. Sleeps until there is one, or for @ticks of the timer: then KEY_NONE. */
int input_wait(uint32_t ticks);

/* The next key, however long that takes. */
int input_key(void);

/* Whether some of what was typed is lost since this was asked last, since nobody had read it. */
bool input_lost(void);

#endif
