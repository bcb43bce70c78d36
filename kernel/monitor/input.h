/* SPDX-License-Identifier: MIT */
/* What is typed, on the serial line and on the keyboard alike, as keys. */
#ifndef KERNEL_MONITOR_INPUT_H
#define KERNEL_MONITOR_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/monitor/keys.h"

/* The next key, KEY_NONE if there is none yet. */
int input_poll(void);

/*
 * Whether Ctrl-C has been pressed: then it is taken, and what was typed before it is
 * forgotten. Else everything stays for input_poll(). Looks at the first INPUT_AHEAD keys.
 */
bool input_interrupted(void);
#define INPUT_AHEAD 256U

/*
 * The next key. Until there is one, or for @ticks of the timer, processes run, if there
 * are any, or the machine sleeps: then KEY_NONE.
 */
int input_wait(uint32_t ticks);

/* The next key, however long that takes. */
int input_key(void);

/* Whether some of what was typed is lost since this was asked last, since nobody had read it. */
bool input_lost(void);

#endif
