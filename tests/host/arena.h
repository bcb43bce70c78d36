/* SPDX-License-Identifier: MIT */
/*
 * A program break over an array: the hook of the heaps under test.
 *
 * It can behave as sbrk(2) does in good and in bad company: someone else moves
 * the break as well, memory comes from several regions, requests are refused.
 * Under the address sanitizer everything above the break is poisoned, so that a
 * heap that touches it is caught there and then.
 */
#ifndef TESTS_HOST_ARENA_H
#define TESTS_HOST_ARENA_H

#include <stddef.h>
#include <stdint.h>

enum arena_company {
	ARENA_ALONE,	 /* the break only moves as the heap wants it */
	ARENA_FOREIGN,	 /* now and then someone else moves it up, by any number of bytes */
	ARENA_SCATTERED, /* now and then memory comes from elsewhere, though sbrk(0) did not say so */
	ARENA_POOR,	 /* one growth in four is refused */
};

/* Starts anew with @limit bytes, beginning at an address that is odd by @skew. */
void arena_reset(enum arena_company company, size_t limit, size_t skew, uint32_t seed);

void *arena_sbrk(intptr_t increment);

/* Where arena_reset() put the break. */
uintptr_t arena_base(void);

/* Whether the break is where arena_reset() put it. */
int arena_is_empty(void);

/* Times the break has moved since arena_reset(). */
unsigned long arena_moves(void);

#endif
