/* SPDX-License-Identifier: MIT */
/*
 * Putting a real program's allocations through kmalloc() and kfree().
 *
 * Every block is filled, and its contents are verified whenever it is
 * reallocated or freed, and at the end. The table of blocks lies in page
 * frames, so that the heap under measure holds the trace's blocks and nothing
 * else.
 */
#ifndef KERNEL_MONITOR_REPLAY_H
#define KERNEL_MONITOR_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/bootinfo.h"
#include "kernel/monitor/trace.h"

struct replay_block;

/**
 * struct replay - a trace under way, and what has come of it
 * @operations: done
 * @live: bytes asked for and not given back, now
 * @peak_live: and at most
 * @rounded: the same bytes with a header each and rounded to the alignment, now
 * @peak_rounded: and at most: no heap with one-word headers can do with less
 * @peak_extent: from the heap's base to the highest end of a payload
 * @blocks: its blocks, @slots of them, in 2^@order page frames from @first on
 */
struct replay {
	uint32_t operations;
	size_t live, peak_live;
	size_t rounded, peak_rounded;
	size_t peak_extent;
	struct replay_block *blocks;
	uint32_t slots, first;
	unsigned int order;
};

/**
 * replay_begin() - get ready for a trace
 * @trace: as opened by trace_open()
 *
 * Return: NULL, or in words why there is no room for its table.
 */
const char *replay_begin(struct replay *replay, const struct trace *trace);

/* Does one operation. Return: NULL, or in words what went wrong. */
const char *replay_operation(struct replay *replay, const struct trace_op *op);

/* The block in a slot, NULL if there is none. */
void *replay_block(const struct replay *replay, uint32_t slot);

/* Frees what is left, and the table. Return: NULL, or in words what went wrong before. */
const char *replay_end(struct replay *replay);

/**
 * replay_trace() - replay one trace from an empty heap, and free all of it
 * @result: receives the figures
 * @trace: as opened by trace_open()
 * @interfere: called before each operation with its number and the block
 *             concerned (NULL if there is none yet), so that tests can do
 *             damage; NULL for none
 *
 * Return: NULL, or in words what went wrong; then everything is freed as well,
 * and @result tells how far it came.
 */
const char *replay_trace(struct replay *result, struct trace *trace,
			 void (*interfere)(uint32_t operation, void *block));

/* Peak live bytes in thousandths of the peak extent; and of its bound. */
unsigned int replay_utilization(const struct replay *result);
unsigned int replay_bound(const struct replay *result);

/**
 * replay_open() - open the trace in a module
 *
 * Return: NULL, or in words why it cannot be replayed.
 */
const char *replay_open(struct trace *trace, const struct boot_module *module);

/* The module of that name; NULL if none has it, which is said together with those there are. */
const struct boot_module *replay_find(const char *name);

/* Replays one module and prints its row. Return: false if it could not, or the heap failed. */
bool replay_one(const struct boot_module *module);

/**
 * replay_all() - replay all modules and print a table
 *
 * A module that is missing though the command line names it, truncated, or no
 * trace is named and skipped.
 *
 * Return: true unless the heap failed one of those that were replayed.
 */
bool replay_all(void);

#endif
