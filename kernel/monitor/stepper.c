/* SPDX-License-Identifier: MIT */
/* A trace, operation by operation, through the kernel's heap. */
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/monitor/changes.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/replay.h"
#include "kernel/monitor/words.h"

#include <string.h>

#define MOST_SHOWN 16U

static struct trace trace;
static struct replay replay;
static const char *name; /* of the trace under way, NULL if there is none */

static bool end(void)
{
	const char *reason = replay_end(&replay);

	kprintf("%s ends after %u of %u operations; all its blocks are freed\n", name,
		replay.operations, trace.operations);
	if (reason)
		kprintf("but %s\n", reason);
	name = NULL;
	return !reason;
}

static bool begin(const char *wanted)
{
	const struct boot_module *module = replay_find(wanted);
	const char *reason;

	if (!module)
		return false;
	if (name)
		end();
	reason = replay_open(&trace, module);
	if (!reason)
		reason = replay_begin(&replay, &trace);
	if (reason) {
		kprintf("%s: %s\n", wanted, reason);
		return false;
	}
	name = module->name;
	kprintf("%s: %u operations on at most %u blocks; step does the first\n", name,
		trace.operations, trace.slots);
	return true;
}

static void print_operation(const struct trace_op *op, const void *before, const void *after)
{
	static const char *const calls[] = {
		[TRACE_ALLOC] = "kmalloc",     [TRACE_ZALLOC] = "kzalloc",
		[TRACE_ALIGNED] = "kmemalign", [TRACE_REALLOC] = "krealloc",
		[TRACE_FREE] = "kfree",
	};

	kprintf("%u of %u: %s(", replay.operations, trace.operations, calls[op->kind]);
	if (before)
		kprintf("0x%08lx%s", (unsigned long)(uintptr_t)before, after ? ", " : "");
	if (op->kind == TRACE_ALIGNED)
		kprintf("%u, ", op->align);
	if (after)
		kprintf("%u) = 0x%08lx\n", op->size, (unsigned long)(uintptr_t)after);
	else
		kprintf(")\n");
}

/* One operation. Return: NULL, or in words what went wrong. */
static const char *operation(bool shown)
{
	const char *reason;
	struct trace_op op;
	void *before;

	reason = trace_next(&trace, &op);
	if (reason)
		return reason;
	before = replay_block(&replay, op.slot);
	reason = replay_operation(&replay, &op);
	if (!reason && shown)
		print_operation(&op, before, replay_block(&replay, op.slot));
	return reason;
}

static bool go(uint32_t n)
{
	uint32_t left = trace.operations - replay.operations, first = replay.operations;
	const char *reason = NULL;
	struct changes changes;

	n = n < left ? n : left;
	if (n > MOST_SHOWN)
		kprintf("%u operations, and the last of them\n", n);
	changes_begin(&changes);
	while (!reason && replay.operations - first < n)
		reason = operation(n <= MOST_SHOWN || replay.operations - first == n - 1);
	changes_print(&changes);
	if (reason)
		kprintf("%s: %s\n", name, reason);
	if (reason || replay.operations == trace.operations)
		return end() && !reason;
	return true;
}

static bool command_step(const struct call *call)
{
	const char *what = call->n > 0 ? call->argument[0] : "1";
	uint32_t n;

	if (strcmp(what, "end") != 0 && words_is_name(what, SIZE_MAX))
		return begin(what);
	if (!name) {
		kprintf("no trace is under way; step TRACE begins one\n");
		return false;
	}
	if (strcmp(what, "end") == 0)
		return end();
	return command_number(what, 1, UINT32_MAX, &n) && go(n);
}

static bool command_replay(const struct call *call)
{
	const struct boot_module *module;

	if (call->n == 0)
		return replay_all();
	module = replay_find(call->argument[0]);
	return module && replay_one(module);
}

static const struct command commands[] = {
	{ "replay", "[TRACE]", "real programs' allocations through kmalloc and kfree",
	  "All of those that were loaded, or one.\n", 0, 1, false, command_replay },
	{ "step", "[TRACE | N | end]", "the same, operation by operation",
	  "step TRACE begins one; step does the next operation and shows what it changed\n"
	  "in the heap, step N the next N. At the end, or with step end, all is freed.\n",
	  0, 1, false, command_step },
};

const struct command_group trace_commands = COMMAND_GROUP(commands);
