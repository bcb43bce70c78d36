/* SPDX-License-Identifier: MIT */
/*
 * The kernel's command line: words between spaces, each a name or name=value.
 *
 *	demo          run the demonstration and leave, instead of the monitor
 *	monitor       in an image of tests, run the monitor instead of the tests
 *	heapmap=NAME  replay that trace, send maps of the heap meanwhile, and leave
 *	programs      run the modules as programs and leave
 *	modules=a,b   traces that must have been loaded
 *	seed=N        for the order of the tests and their random numbers
 *	only=PART     run the tests whose names contain PART
 */
#ifndef KERNEL_CMDLINE_H
#define KERNEL_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

struct cmdline {
	bool demo, monitor, programs;
	bool has_seed;
	uint32_t seed;
	const char *heapmap; /* "" if not given */
	const char *modules; /* separated by commas, "" if there are none */
	const char *only;    /* "" if not given */
};

extern struct cmdline cmdline;

/**
 * cmdline_parse() - take a command line apart
 * @text: is cut into words in place, and must stay
 *
 * Unknown words and values that are no number are named on the console and
 * ignored.
 */
void cmdline_parse(char *text);

#endif
