/* SPDX-License-Identifier: MIT */
/*
 * Reading allocation traces. The format is described in tests/traces/README.md.
 *
 * A trace comes from outside: nothing in it is believed before it is checked.
 * Pure, and tested on the host as well.
 */
#ifndef KERNEL_MONITOR_TRACE_H
#define KERNEL_MONITOR_TRACE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_MAX_OPERATIONS  (1U << 24)
#define TRACE_MAX_SLOTS	      (1U << 18)
#define TRACE_MAX_SIZE	      0x7FFFFFFFU
#define TRACE_MAX_ALIGN_SHIFT 12U

enum trace_kind {
	TRACE_ALLOC,
	TRACE_ZALLOC,
	TRACE_ALIGNED,
	TRACE_REALLOC,
	TRACE_FREE,
	TRACE_KINDS,
};

/* A trace, and where reading it has come to. */
struct trace {
	const uint8_t *at, *end;
	uint32_t operations, slots;
};

struct trace_op {
	enum trace_kind kind;
	uint32_t slot;	/* which block */
	uint32_t size;	/* asked for; not for TRACE_FREE */
	uint32_t align; /* for TRACE_ALIGNED, else 1 */
};

/**
 * trace_open() - begin to read a trace, after looking through all of it
 * @trace: receives it
 * @bytes: the file
 * @length: its length
 *
 * O(length). What has been opened is sound to its last operation: slots are in
 * use when they must be, and only then. Not re-entrant.
 *
 * Return: NULL, or in words why this cannot be replayed.
 */
const char *trace_open(struct trace *trace, const void *bytes, size_t length);

/* Reads the next operation. Return: NULL, or why there is none; never for those counted. */
const char *trace_next(struct trace *trace, struct trace_op *op);

#endif
