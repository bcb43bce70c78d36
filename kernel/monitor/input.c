/* SPDX-License-Identifier: MIT */
/* Each line has a state of its own: what comes on one does not tear a sequence on the other. */
#include "kernel/monitor/input.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/timer.h"
#include "kernel/proc/process.h"
#include "kernel/x86/cpu.h"

#include <string.h>

static struct keys on_serial, on_keyboard;

/* Keys that were looked at before anybody wanted them: those from @taken up to @looked_at. */
static int ahead[INPUT_AHEAD];
static size_t taken, looked_at;

static int next_on(struct keys *keys, int (*next_byte)(void))
{
	int key = KEY_NONE, byte;

	while (key == KEY_NONE && (byte = next_byte()) >= 0)
		key = keys_take(keys, (uint8_t)byte, timer_ticks());
	return key;
}

static int next(void)
{
	int key = next_on(&on_serial, serial_getc);

	return key == KEY_NONE ? next_on(&on_keyboard, keyboard_getc) : key;
}

int input_poll(void)
{
	return taken < looked_at ? ahead[taken++] : next();
}

bool input_interrupted(void)
{
	int key = KEY_NONE;

	memmove(ahead, ahead + taken, (looked_at - taken) * sizeof(ahead[0]));
	looked_at -= taken;
	taken = 0;
	while (looked_at < INPUT_AHEAD && (key = next()) != KEY_NONE && key != KEY_CTRL_C)
		ahead[looked_at++] = key;
	if (key == KEY_CTRL_C)
		looked_at = 0;
	return key == KEY_CTRL_C;
}

static void pass_time(void)
{
	if (process_next(NULL))
		process_step();
	else
		cpu_idle();
}

int input_wait(uint32_t ticks)
{
	uint32_t began = timer_ticks();
	int key = input_poll();

	while (key == KEY_NONE && timer_ticks() - began < ticks) {
		pass_time();
		key = input_poll();
	}
	return key;
}

int input_key(void)
{
	int key;

	do
		key = input_wait(UINT32_MAX);
	while (key == KEY_NONE);
	return key;
}

bool input_lost(void)
{
	bool serial = serial_lost(), keyboard = keyboard_lost();

	return serial || keyboard;
}
