/* SPDX-License-Identifier: MIT */
/* Replaying allocation traces, verifying contents, and measuring the heap's extent. */
#include "kernel/monitor/replay.h"
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"

#include <stdbool.h>
#include <string.h>

/* One block of the trace; @key tells its contents from those of all others. */
struct slot {
	unsigned char *ptr;
	uint32_t size;
	uint32_t key;
};

struct table {
	struct slot *slots;
	uint32_t n, first, order; /* in page frames */
};

static const char *table_open(struct table *table, uint32_t n)
{
	uint32_t pages = (uint32_t)((n * sizeof(struct slot) + PAGE_MASK) >> PAGE_SHIFT);

	*table = (struct table){ .n = n };
	while (1U << table->order < pages)
		table->order++;
	table->first = frame_alloc_low(table->order, FRAME_OTHER);
	if (!table->first)
		return "no contiguous frames for its table";
	table->slots = phys_to_virt(table->first << PAGE_SHIFT);
	memset(table->slots, 0, n * sizeof(struct slot));
	return NULL;
}

/* The byte at @i of a block's contents. Each word differs from its neighbours. */
static uint32_t pattern(uint32_t key, size_t word)
{
	return key + (uint32_t)word * 0x9E3779B1U;
}

static void fill(const struct slot *slot, size_t from)
{
	size_t i = from;

	for (; i < slot->size && i % 4; i++)
		slot->ptr[i] = (unsigned char)(pattern(slot->key, i / 4) >> i % 4 * 8);
	for (; i + 4 <= slot->size; i += 4)
		*(uint32_t *)(void *)(slot->ptr + i) = pattern(slot->key, i / 4);
	for (; i < slot->size; i++)
		slot->ptr[i] = (unsigned char)(pattern(slot->key, i / 4) >> i % 4 * 8);
}

static bool intact(const struct slot *slot, size_t n)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
		if (*(const uint32_t *)(const void *)(slot->ptr + i) != pattern(slot->key, i / 4))
			return false;
	for (; i < n; i++)
		if (slot->ptr[i] != (unsigned char)(pattern(slot->key, i / 4) >> i % 4 * 8))
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

static void count_block(struct replay *result, const struct slot *slot)
{
	size_t extent = (uintptr_t)slot->ptr + slot->size - HEAP_BASE;

	result->live += slot->size;
	result->rounded += rounded(slot->size);
	if (result->live > result->peak_live)
		result->peak_live = result->live;
	if (result->rounded > result->peak_rounded)
		result->peak_rounded = result->rounded;
	if (extent > result->peak_extent)
		result->peak_extent = extent;
}

static void uncount_block(struct replay *result, const struct slot *slot)
{
	result->live -= slot->size;
	result->rounded -= rounded(slot->size);
}

static const char *do_alloc(struct replay *result, struct slot *slot, const struct trace_op *op)
{
	if (op->kind == TRACE_ALIGNED)
		slot->ptr = kmemalign(op->align, op->size);
	else
		slot->ptr = op->kind == TRACE_ZALLOC ? kzalloc(op->size) : kmalloc(op->size);
	if (!slot->ptr)
		return "memory ran out";
	slot->size = op->size;
	slot->key = (result->operations + 1) * 0x85EBCA6BU;
	count_block(result, slot);
	if ((uintptr_t)slot->ptr % (op->align > HEAP_ALIGN ? op->align : HEAP_ALIGN))
		return "a block was not aligned";
	if (op->kind == TRACE_ZALLOC && !is_zero(slot->ptr, slot->size))
		return "cleared memory was not clear";
	fill(slot, 0);
	return NULL;
}

static const char *do_realloc(struct replay *result, struct slot *slot, uint32_t size)
{
	uint32_t kept = size < slot->size ? size : slot->size;
	unsigned char *ptr;

	if (!intact(slot, slot->size))
		return "the contents of a block had changed before it was reallocated";
	ptr = krealloc(slot->ptr, size);
	if (!ptr)
		return "memory ran out";
	uncount_block(result, slot);
	slot->ptr = ptr;
	slot->size = size;
	count_block(result, slot);
	if (!intact(slot, kept))
		return "reallocation lost the contents of a block";
	fill(slot, kept);
	return NULL;
}

static const char *do_free(struct replay *result, struct slot *slot)
{
	if (!intact(slot, slot->size))
		return "the contents of a block had changed before it was freed";
	uncount_block(result, slot);
	kfree(slot->ptr);
	slot->ptr = NULL;
	return NULL;
}

static const char *do_operation(struct replay *result, struct slot *slot, const struct trace_op *op)
{
	switch (op->kind) {
	case TRACE_REALLOC:
		return do_realloc(result, slot, op->size);
	case TRACE_FREE:
		return do_free(result, slot);
	default:
		return do_alloc(result, slot, op);
	}
}

/* Frees what is left, whatever happened before. */
static const char *table_close(struct replay *result, struct table *table)
{
	const char *reason = NULL;

	for (uint32_t i = 0; i < table->n; i++) {
		struct slot *slot = &table->slots[i];

		if (!slot->ptr)
			continue;
		if (!intact(slot, slot->size))
			reason = "the contents of a block had changed at the end";
		uncount_block(result, slot);
		kfree(slot->ptr);
	}
	frame_free(table->first, table->order);
	return reason;
}

const char *replay_trace(struct replay *result, struct trace *trace,
			 void (*interfere)(uint32_t operation, void *block))
{
	const char *reason, *at_end;
	struct table table;
	struct trace_op op;

	memset(result, 0, sizeof(*result));
	reason = table_open(&table, trace->slots);
	if (reason)
		return reason;
	while (!reason && result->operations < trace->operations) {
		reason = trace_next(trace, &op);
		if (reason)
			break;
		if (interfere)
			interfere(result->operations, table.slots[op.slot].ptr);
		reason = do_operation(result, &table.slots[op.slot], &op);
		result->operations += !reason;
	}
	at_end = table_close(result, &table);
	kheap_trim(0);
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

bool replay_all(void)
{
	bool sound = true;

	name_missing();
	if (bootinfo.nmodules == 0) {
		kprintf("replay: no trace was loaded\n");
		return true;
	}
	kprintf("%-12s %10s %12s %12s %11s %11s\n", "trace", "operations", "peak live", "extent",
		"utilization", "bound");
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		sound &= replay_module(&bootinfo.modules[i]);
	return sound;
}
