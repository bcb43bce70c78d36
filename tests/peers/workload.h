/* SPDX-License-Identifier: MIT */
/*
 * What allocators are asked for, side by side: the operations of a recorded
 * trace, or of a shape that allocators are known to differ in. They lie ready in
 * memory that is none of malloc's, so that an allocator holds the blocks of the
 * workload and nothing else.
 */
#ifndef TESTS_PEERS_WORKLOAD_H
#define TESTS_PEERS_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/monitor/trace.h"

struct op {
	uint32_t kind : 3, align_shift : 5;
	uint32_t slot;
	uint32_t size;
};

/**
 * struct workload - operations, and what they need at least
 * @ops: the operations
 * @n: how many
 * @slots: blocks that are in use at once
 * @peak_live: the most bytes that are
 * @peak_at: the operation after which they are
 * @peak_rounded: the most with a word for each block's header, and rounded up as this heap does
 */
struct workload {
	struct op *ops;
	size_t n;
	uint32_t slots;
	size_t peak_live, peak_at, peak_rounded;
};

/* Ends the program if there is no workload of this name, which may be the path of a trace. */
void workload_open(struct workload *workload, const char *name);

/* The names of the shapes, up to NULL. */
const char *shape_name(size_t i);

/* Memory of the system, all of it there. */
void *pages(size_t size);

_Noreturn void stop(const char *what, const char *why);

#endif
