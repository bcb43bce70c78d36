/* SPDX-License-Identifier: MIT */
/* The decoder of allocation traces. */
#include "kernel/monitor/trace.h"

#include <stdbool.h>
#include <string.h>

#define HEADER	  16
#define KIND_BITS 3

static uint32_t word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/* A number in groups of seven bits, the lowest first; false if it ends early or is too large. */
static bool read_number(struct trace *trace, uint32_t *number)
{
	*number = 0;
	for (unsigned int shift = 0; trace->at < trace->end; shift += 7) {
		uint8_t byte = *trace->at++;

		if (shift == 28 && byte > 15)
			return false; /* so there is never a sixth group */
		*number |= (uint32_t)(byte & 127) << shift;
		if (!(byte & 128))
			return true;
	}
	return false;
}

const char *trace_next(struct trace *trace, struct trace_op *op)
{
	uint32_t head, shift = 0;

	if (!read_number(trace, &head))
		return "damaged: an operation ends early";
	*op = (struct trace_op){ .kind = head & ((1U << KIND_BITS) - 1),
				 .slot = head >> KIND_BITS };
	if (op->kind >= TRACE_KINDS)
		return "damaged: an unknown operation";
	if (op->slot >= trace->slots)
		return "damaged: a slot beyond the last";
	if (op->kind == TRACE_ALIGNED && !read_number(trace, &shift))
		return "damaged: an alignment ends early";
	if (shift > TRACE_MAX_ALIGN_SHIFT)
		return "damaged: an alignment beyond a page";
	op->align = 1U << shift;
	if (op->kind != TRACE_FREE && !read_number(trace, &op->size))
		return "damaged: a size ends early";
	return op->size > TRACE_MAX_SIZE ? "damaged: an impossible size" : NULL;
}

static const char *open_header(struct trace *trace, const uint8_t *bytes, size_t length)
{
	uint32_t body;

	memset(trace, 0, sizeof(*trace));
	if (length < 4 || memcmp(bytes, "FPT1", 4) != 0)
		return length >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b
			       ? "no trace, but a compressed file"
			       : "no trace";
	if (length < HEADER)
		return "truncated";
	trace->operations = word_at(bytes + 4);
	trace->slots = word_at(bytes + 8);
	body = word_at(bytes + 12);
	if (body > length - HEADER)
		return "truncated";
	if (body < length - HEADER)
		return "damaged: longer than its header says";
	if (trace->operations > TRACE_MAX_OPERATIONS || trace->slots > TRACE_MAX_SLOTS)
		return "too large";
	trace->at = bytes + HEADER;
	trace->end = trace->at + body;
	return NULL;
}

/* Whether the slots of all operations are in use when they must be, and only then. */
static const char *use_slot(uint32_t *used, const struct trace_op *op)
{
	uint32_t *word = &used[op->slot / 32], bit = 1U << op->slot % 32;

	if (op->kind == TRACE_REALLOC || op->kind == TRACE_FREE) {
		if (!(*word & bit))
			return "damaged: it uses a block that it does not have";
	} else if (*word & bit) {
		return "damaged: it allocates a block that it has";
	}
	if (op->kind == TRACE_FREE)
		*word &= ~bit;
	else
		*word |= bit;
	return NULL;
}

const char *trace_open(struct trace *trace, const void *bytes, size_t length)
{
	static uint32_t used[TRACE_MAX_SLOTS / 32];
	const char *reason = open_header(trace, bytes, length);
	struct trace scan = *trace;
	struct trace_op op;

	memset(used, 0, sizeof(used));
	for (uint32_t i = 0; !reason && i < trace->operations; i++) {
		reason = trace_next(&scan, &op);
		if (!reason)
			reason = use_slot(used, &op);
	}
	if (!reason && scan.at != scan.end)
		reason = "damaged: more operations than its header says";
	return reason;
}
