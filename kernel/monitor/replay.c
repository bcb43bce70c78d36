/* SPDX-License-Identifier: MIT */
/* Replaying allocation traces, verifying contents, and measuring the heap's extent. */
#include "kernel/monitor/replay.h"
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/monitor/programs.h"

#include <stdbool.h>
#include <string.h>

/* One block of the trace; @key tells its contents from those of all others. */
struct replay_block {
	unsigned char *ptr;
	uint32_t size;
	uint32_t key;
};

const char *replay_begin(struct replay *replay, const struct trace *trace)
{
	size_t bytes = trace->slots * sizeof(struct replay_block);

	memset(replay, 0, sizeof(*replay));
	replay->slots = trace->slots;
	while (PAGE_SIZE << replay->order < bytes)
		replay->order++;
	replay->first = frame_alloc_low(replay->order, FRAME_OTHER);
	if (!replay->first)
		return "no contiguous frames for its table";
	replay->blocks = phys_to_virt(replay->first << PAGE_SHIFT);
	memset(replay->blocks, 0, bytes);
	return NULL;
}

/* The byte at @i of a block's contents. Each word differs from its neighbours. */
static uint32_t pattern(uint32_t key, size_t word)
{
	return key + (uint32_t)word * 0x9E3779B1U;
}

static void fill(const struct replay_block *block, size_t from)
{
	size_t i = from;

	for (; i < block->size && i % 4; i++)
		block->ptr[i] = (unsigned char)(pattern(block->key, i / 4) >> i % 4 * 8);
	for (; i + 4 <= block->size; i += 4)
		*(uint32_t *)(void *)(block->ptr + i) = pattern(block->key, i / 4);
	for (; i < block->size; i++)
		block->ptr[i] = (unsigned char)(pattern(block->key, i / 4) >> i % 4 * 8);
}

static bool intact(const struct replay_block *block, size_t n)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		if (*(const uint32_t *)(const void *)(block->ptr + i) != pattern(block->key, i / 4))
			return false;
	for (; i < n; i++)
		if (block->ptr[i] != (unsigned char)(pattern(block->key, i / 4) >> i % 4 * 8))
			return false;
	return true;
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* What a request costs at least: a word for the header, rounded, and never below four words. */
static size_t rounded(size_t size)
{
	size_t block = (size + HEAP_WORD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return block < HEAP_MIN_BLOCK ? HEAP_MIN_BLOCK : block;
}

static void count_block(struct replay *result, const struct replay_block *block)
{
	size_t extent = (uintptr_t)block->ptr + block->size - HEAP_BASE;

	result->live += block->size;
	result->rounded += rounded(block->size);
	if (result->live > result->peak_live)
		result->peak_live = result->live;
	if (result->rounded > result->peak_rounded)
		result->peak_rounded = result->rounded;
	if (extent > result->peak_extent)
		result->peak_extent = extent;
}

static void uncount_block(struct replay *result, const struct replay_block *block)
{
	result->live -= block->size;
	result->rounded -= rounded(block->size);
}

static const char *do_alloc(struct replay *result, struct replay_block *block,
			    const struct trace_op *op)
{
	if (op->kind == TRACE_ALIGNED)
		block->ptr = kmemalign(op->align, op->size);
	else
		block->ptr = op->kind == TRACE_ZALLOC ? kzalloc(op->size) : kmalloc(op->size);
	if (!block->ptr)
		return "memory ran out";
	block->size = op->size;
	block->key = (result->operations + 1) * 0x85EBCA6BU;
	count_block(result, block);
	if ((uintptr_t)block->ptr % (op->align > HEAP_ALIGN ? op->align : HEAP_ALIGN))
		return "a block was not aligned";
	if (op->kind == TRACE_ZALLOC && !is_zero(block->ptr, block->size))
		return "cleared memory was not clear";
	fill(block, 0);
	return NULL;
}

static const char *do_realloc(struct replay *result, struct replay_block *block, uint32_t size)
{
	uint32_t kept = size < block->size ? size : block->size;
	unsigned char *ptr;

	if (!intact(block, block->size))
		return "the contents of a block had changed before it was reallocated";
	ptr = krealloc(block->ptr, size);
	if (!ptr)
		return "memory ran out";
	uncount_block(result, block);
	block->ptr = ptr;
	block->size = size;
	count_block(result, block);
	if (!intact(block, kept))
		return "reallocation lost the contents of a block";
	fill(block, kept);
	return NULL;
}

static const char *do_free(struct replay *result, struct replay_block *block)
{
	if (!intact(block, block->size))
		return "the contents of a block had changed before it was freed";
	uncount_block(result, block);
	kfree(block->ptr);
	block->ptr = NULL;
	return NULL;
}

const char *replay_operation(struct replay *replay, const struct trace_op *op)
{
	struct replay_block *block = &replay->blocks[op->slot];
	const char *reason;

	if (op->kind == TRACE_REALLOC)
		reason = do_realloc(replay, block, op->size);
	else if (op->kind == TRACE_FREE)
		reason = do_free(replay, block);
	else
		reason = do_alloc(replay, block, op);
	replay->operations += !reason;
	return reason;
}

void *replay_block(const struct replay *replay, uint32_t slot)
{
	return replay->blocks[slot].ptr;
}

/* Frees what is left, whatever happened before. */
const char *replay_end(struct replay *replay)
{
	const char *reason = NULL;

	for (uint32_t i = 0; i < replay->slots; i++) {
		struct replay_block *block = &replay->blocks[i];

		if (!block->ptr)
			continue;
		if (!intact(block, block->size))
			reason = "the contents of a block had changed at the end";
		uncount_block(replay, block);
		kfree(block->ptr);
	}
	frame_free(replay->first, replay->order);
	kheap_trim(0);
	return reason;
}

const char *replay_trace(struct replay *result, struct trace *trace,
			 void (*interfere)(uint32_t operation, void *block))
{
	const char *reason = replay_begin(result, trace), *at_end;
	struct trace_op op;

	if (reason)
		return reason;
	while (!reason && result->operations < trace->operations) {
		reason = trace_next(trace, &op);
		if (reason)
			break;
		if (interfere)
			interfere(result->operations, replay_block(result, op.slot));
		reason = replay_operation(result, &op);
	}
	at_end = replay_end(result);
	return reason ? reason : at_end;
}

/* @part in thousandths of @whole, without a 64-bit division. */
static unsigned int thousandths(size_t part, size_t whole)
{
	while (part > SIZE_MAX / 1000) {
		part >>= 1;
		whole >>= 1;
	}
	return whole > 0 ? (unsigned int)(part * 1000 / whole) : 0;
}

unsigned int replay_utilization(const struct replay *result)
{
	return thousandths(result->peak_live, result->peak_extent);
}

unsigned int replay_bound(const struct replay *result)
{
	return thousandths(result->peak_live, result->peak_rounded);
}

const char *replay_open(struct trace *trace, const struct boot_module *module)
{
	if (module->base >= DIRECT_SIZE || module->length > DIRECT_SIZE - module->base)
		return "lies above 256 MiB";
	return trace_open(trace, phys_to_virt(module->base), module->length);
}

const struct boot_module *replay_find(const char *name)
{
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		if (strcmp(bootinfo.modules[i].name, name) == 0)
			return &bootinfo.modules[i];
	kprintf("%s is no trace; loaded are:", name);
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		kprintf(" %s", bootinfo.modules[i].name);
	kprintf("%s\n", bootinfo.nmodules ? "" : " none");
	return NULL;
}

static void print_head(void)
{
	struct heap_stats stats;

	heap_stats(&kernel_heap, &stats);
	if (stats.granted_blocks)
		kprintf("replay: %zu blocks are in use already; what is measured counts them too\n",
			stats.granted_blocks);
	kprintf("%-12s %10s %12s %12s %11s %11s\n", "trace", "operations", "peak live", "extent",
		"utilization", "bound");
}

static void print_row(const char *name, const struct replay *result)
{
	unsigned int used = replay_utilization(result), bound = replay_bound(result);

	kprintf("%-12s %10u %12zu %12zu %9u.%u%% %9u.%u%%\n", name, result->operations,
		result->peak_live, result->peak_extent, used / 10, used % 10, bound / 10,
		bound % 10);
}

/* Return: false if the heap failed. */
static bool replay_module(const struct boot_module *module)
{
	struct replay result;
	struct trace trace;
	const char *reason = replay_open(&trace, module);

	if (reason) {
		kprintf("replay: %s: %s; skipped\n", module->name, reason);
		return true;
	}
	reason = replay_trace(&result, &trace, NULL);
	if (reason)
		kprintf("replay: %s: %s, after %u operations\n", module->name, reason,
			result.operations);
	else
		print_row(module->name, &result);
	return !reason;
}

static bool is_loaded(const char *name, size_t n)
{
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		if (strlen(bootinfo.modules[i].name) == n &&
		    strncmp(bootinfo.modules[i].name, name, n) == 0)
			return true;
	return false;
}

/* Those of the command line's names that no module has: loaders drop what does not fit. */
static void name_missing(void)
{
	for (const char *name = cmdline.modules; *name;) {
		const char *end = strchr(name, ',');
		size_t n = end ? (size_t)(end - name) : strlen(name);

		if (n > 0 && !is_loaded(name, n))
			kprintf("replay: %.*s: missing, though the command line names it; "
				"skipped\n",
				(int)n, name);
		name += n + (end != NULL);
	}
}

bool replay_one(const struct boot_module *module)
{
	print_head();
	return replay_module(module);
}

bool replay_all(void)
{
	bool sound = true;

	name_missing();
	if (bootinfo.nmodules == 0) {
		kprintf("replay: no trace was loaded\n");
		return true;
	}
	print_head();
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		if (!programs_is_one(&bootinfo.modules[i]))
			sound &= replay_module(&bootinfo.modules[i]);
	return sound;
}
