/* SPDX-License-Identifier: MIT */
/*
 * A line as it is typed: a cursor that moves in it, and the lines before.
 *
 *	left right home end		move; also Ctrl-A and Ctrl-E
 *	backspace delete		take out what is before, or at the cursor
 *	Ctrl-U Ctrl-K			take out all before, or from the cursor on
 *	up down				the lines typed before
 *	Ctrl-C				give the line up
 *	Enter				done
 *
 * What is shown needs a terminal that knows '\b' and nothing else, so that the
 * same bytes do for the serial line and for the screen. Pure, and tested on the
 * host as well.
 */
#ifndef KERNEL_MONITOR_EDIT_H
#define KERNEL_MONITOR_EDIT_H

#include <stddef.h>

/* Bytes of a line, with a zero behind it: what fits into a row of 80 behind the prompt, and ^C. */
#define EDIT_SIZE    67
#define EDIT_HISTORY 16

/* Shows @n bytes. */
typedef void edit_put(void *context, const char *text, size_t n);

enum edit_result {
	EDIT_GOES_ON,
	EDIT_DONE, /* Enter: the line is in @text */
	EDIT_GIVEN_UP,
};

/**
 * struct edit - the line and its history; all zero at first
 * @text: the line, a zero behind it
 * @length: its bytes
 * @cursor: how many of them are before the cursor
 * @refused: characters typed that found no room, or are none
 * @history: the lines before, the newest at @lines - 1 modulo EDIT_HISTORY
 * @lines: how many there have been
 * @back: how many lines back we are; 0 is the one that is being typed
 * @kept: that one, while we are elsewhere
 */
struct edit {
	char text[EDIT_SIZE];
	size_t length, cursor, refused;
	char history[EDIT_HISTORY][EDIT_SIZE];
	size_t lines, back;
	char kept[EDIT_SIZE];
};

/* An empty line, behind what the caller has shown as the prompt. The history stays. */
void edit_begin(struct edit *edit);

/**
 * edit_key() - act on a key
 * @key: as from keys_take(); one that has no meaning here rings the bell
 * @put: shows what changes
 * @context: for @put
 *
 * A line done is the newest in the history, unless it is empty or the same as
 * the one before it, or something was refused.
 */
enum edit_result edit_key(struct edit *edit, int key, edit_put *put, void *context);

#endif
