/* SPDX-License-Identifier: MIT */
/* The heap over time, sent over the serial line for a picture to be made of it. */
#ifndef KERNEL_MONITOR_HEAPMAP_H
#define KERNEL_MONITOR_HEAPMAP_H

#include <stdbool.h>

/**
 * heapmap_send() - replay a trace and send a map of the heap every so often
 * @name: of a trace that was loaded
 *
 * A line to begin with, one for each map, and one to end with:
 *
 *	heapmap: begin NAME OPERATIONS BASE BYTES
 *	heapmap: at OPERATIONS BREAK LIVE CELLS
 *	heapmap: end
 *
 * BYTES are those of a cell, BREAK and LIVE are bytes above BASE and bytes asked
 * for and not given back. CELLS are runs of cells from BASE up, each the sign of
 * kernel/monitor/map.h and how many: "+1#12.3-4".
 *
 * Return: false if there is no such trace, or the heap failed; that has been said.
 */
bool heapmap_send(const char *name);

#endif
