/* SPDX-License-Identifier: MIT */
/* Each line has a state of its own: what comes on one does not tear a sequence on the other. */
#include "kernel/monitor/input.h"
#include "kernel/dev/keyboard.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/timer.h"
#include "kernel/x86/cpu.h"

static struct keys on_serial, on_keyboard;

static int next_on(struct keys *keys, int (*next_byte)(void))
{
	int key = KEY_NONE, byte;

	while (key == KEY_NONE && (byte = next_byte()) >= 0)
		key = keys_take(keys, (uint8_t)byte, timer_ticks());
	return key;
}

int input_poll(void)
{
	int key = next_on(&on_serial, serial_getc);

	return key == KEY_NONE ? next_on(&on_keyboard, keyboard_getc) : key;
}

int input_wait(uint32_t ticks)
{
	uint32_t began = timer_ticks();
	int key = input_poll();

	while (key == KEY_NONE && timer_ticks() - began < ticks) {
		cpu_idle();
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
