/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "workload.h"
#include "kernel/mm/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_OPS ((size_t)1 << 20)

void stop(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

void *pages(size_t size)
{
	void *memory = mmap(NULL, size ? size : 1, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		stop("mmap", strerror(errno));
	return memory;
}

/* A recorded trace */

static void open_trace(struct workload *w, const char *path)
{
	int fd = open(path, O_RDONLY);
	const char *reason;
	struct trace trace;
	struct trace_op op;
	struct stat about;
	void *bytes;

	if (fd < 0 || fstat(fd, &about))
		stop(path, strerror(errno));
	bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		stop(path, strerror(errno));
	reason = trace_open(&trace, bytes, (size_t)about.st_size);
	if (reason)
		stop(path, reason);
	w->slots = trace.slots;
	w->ops = pages(trace.operations * sizeof(*w->ops));
	while (w->n < trace.operations && !trace_next(&trace, &op))
		w->ops[w->n++] = (struct op){ .kind = op.kind,
					      .align_shift = (uint32_t)__builtin_ctz(op.align),
					      .slot = op.slot,
					      .size = op.size };
	munmap(bytes, (size_t)about.st_size);
	close(fd);
}

/* Shapes */

static uint32_t state = 2463534242;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static uint32_t between(uint32_t least, uint32_t most)
{
	return least + next_random() % (most - least + 1);
}

static void put(struct workload *w, enum trace_kind kind, uint32_t slot, uint32_t size)
{
	if (w->n == MOST_OPS)
		stop("a shape", "has too many operations");
	if (slot >= w->slots)
		w->slots = slot + 1;
	w->ops[w->n++] = (struct op){ .kind = kind, .slot = slot, .size = size };
}

static void put_malloc(struct workload *w, uint32_t slot, uint32_t size)
{
	put(w, TRACE_ALLOC, slot, size);
}

static void put_free(struct workload *w, uint32_t slot)
{
	put(w, TRACE_FREE, slot, 0);
}

static void malloc_all(struct workload *w, uint32_t from, uint32_t to, uint32_t size)
{
	for (uint32_t i = from; i < to; i++)
		put_malloc(w, i, size);
}

static void free_all(struct workload *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		put_free(w, i);
}

/* The same block over and over, with others in use around it. */
static void shape_pair(struct workload *w)
{
	malloc_all(w, 1, 101, 64);
	for (int i = 0; i < 100000; i++) {
		put_malloc(w, 0, 64);
		put_free(w, 0);
	}
}

static void shape_lifo(struct workload *w)
{
	for (int round = 0; round < 100; round++) {
		malloc_all(w, 0, 1000, 48);
		for (uint32_t i = 1000; i-- > 0;)
			put_free(w, i);
	}
}

static void shape_fifo(struct workload *w)
{
	for (int round = 0; round < 100; round++) {
		malloc_all(w, 0, 1000, 48);
		free_all(w, 0, 1000);
	}
}

/* So many blocks of 16 to 1024 bytes; one at random is replaced by another. */
static void churn(struct workload *w, uint32_t blocks, int replacements)
{
	for (uint32_t i = 0; i < blocks; i++)
		put_malloc(w, i, between(16, 1024));
	for (int i = 0; i < replacements; i++) {
		uint32_t slot = next_random() % blocks;

		put_free(w, slot);
		put_malloc(w, slot, between(16, 1024));
	}
}

static void shape_churn_1k(struct workload *w)
{
	churn(w, 1000, 100000);
}

static void shape_churn_50k(struct workload *w)
{
	churn(w, 50000, 50000);
}

/* Every second block is freed: first what fits the gaps is asked for, then what does not. */
static void shape_comb(struct workload *w)
{
	const uint32_t blocks = 20000;

	malloc_all(w, 0, blocks, 64);
	for (uint32_t i = 0; i < blocks; i += 2)
		put_free(w, i);
	for (uint32_t i = 0; i < blocks; i += 2)
		put_malloc(w, i, 64);
	for (uint32_t i = 0; i < blocks; i += 2)
		put_free(w, i);
	malloc_all(w, blocks, blocks + blocks / 2, 128);
	for (uint32_t i = 1; i < blocks; i += 2)
		put_free(w, i);
	malloc_all(w, 0, blocks / 2, 128);
	free_all(w, 0, blocks / 2);
	free_all(w, blocks, blocks + blocks / 2);
}

/* Small and large in turn; the large ones are freed, and ones a little larger asked for. */
static void shape_small_large(struct workload *w)
{
	const uint32_t pairs = 1000;
	uint32_t size = 2000;

	for (uint32_t i = 0; i < pairs; i++) {
		put_malloc(w, pairs + i, 24);
		put_malloc(w, i, size);
	}
	for (int round = 0; round < 16; round++) {
		free_all(w, 0, pairs);
		size += 100;
		malloc_all(w, 0, pairs, size);
	}
	free_all(w, 0, 2 * pairs);
}

/* A text that grows, among small blocks that stay where it ended. */
static void shape_grow(struct workload *w)
{
	const uint32_t steps = 1024;

	for (int round = 0; round < 8; round++) {
		put_malloc(w, 0, 64);
		for (uint32_t i = 1; i < steps; i++) {
			put(w, TRACE_REALLOC, 0, 64 * (i + 1));
			put_malloc(w, i, 32);
		}
		free_all(w, 0, steps);
	}
}

/* All memory is of one size, and then of another. */
static void shape_sizes(struct workload *w)
{
	static const uint32_t sizes[] = { 48, 112, 320, 24, 640, 80 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		uint32_t blocks = 4000000 / sizes[i] > 20000 ? 20000 : 4000000 / sizes[i];

		malloc_all(w, 0, blocks, sizes[i]);
		free_all(w, 0, blocks);
	}
}

static const struct {
	const char *name;
	void (*make)(struct workload *w);
} shapes[] = {
	{ "pair", shape_pair },
	{ "lifo", shape_lifo },
	{ "fifo", shape_fifo },
	{ "churn-1k", shape_churn_1k },
	{ "churn-50k", shape_churn_50k },
	{ "comb", shape_comb },
	{ "small-large", shape_small_large },
	{ "grow", shape_grow },
	{ "sizes", shape_sizes },
};

#define SHAPES (sizeof(shapes) / sizeof(*shapes))

const char *shape_name(size_t i)
{
	return i < SHAPES ? shapes[i].name : NULL;
}

/* What it needs */

static size_t rounded(size_t size)
{
	size_t block = (size + HEAP_WORD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return block < HEAP_MIN_BLOCK ? HEAP_MIN_BLOCK : block;
}

static void find_peaks(struct workload *w)
{
	size_t table = w->slots * sizeof(uint32_t), live = 0, with_headers = 0;
	uint32_t *sizes = pages(table);

	for (size_t i = 0; i < w->n; i++) {
		const struct op *op = &w->ops[i];

		if (op->kind == TRACE_REALLOC || op->kind == TRACE_FREE) {
			live -= sizes[op->slot];
			with_headers -= rounded(sizes[op->slot]);
		}
		if (op->kind == TRACE_FREE)
			continue;
		sizes[op->slot] = op->size;
		live += op->size;
		with_headers += rounded(op->size);
		if (live > w->peak_live) {
			w->peak_live = live;
			w->peak_at = i;
		}
		if (with_headers > w->peak_rounded)
			w->peak_rounded = with_headers;
	}
	munmap(sizes, table);
}

void workload_open(struct workload *w, const char *name)
{
	size_t i = 0;

	*w = (struct workload){ .n = 0 };
	while (i < SHAPES && strcmp(shapes[i].name, name) != 0)
		i++;
	if (i < SHAPES) {
		w->ops = pages(MOST_OPS * sizeof(*w->ops));
		shapes[i].make(w);
	} else {
		open_trace(w, name);
	}
	find_peaks(w);
}
