/* SPDX-License-Identifier: MIT */
/* brk and sbrk, for a break of the person's own. */
#include "kernel/monitor/sandbox.h"
#include "kernel/dev/console.h"
#include "kernel/mm/layout.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/handles.h"
#include "kernel/monitor/words.h"

struct brk *sandbox_brk(void)
{
	static struct brk brk;

	if (!brk.space) {
		brk_init(&brk, &kernel_space, SANDBOX_BASE, SANDBOX_LIMIT);
		brk.owner = FRAME_OTHER;
	}
	return &brk;
}

static void print_break(void)
{
	const struct brk *brk = sandbox_brk();

	kprintf("  break   0x%08lx, %lu bytes above its base 0x%08lx; limit 0x%08lx\n",
		(unsigned long)brk->end, (unsigned long)(brk->end - brk->base),
		(unsigned long)brk->base, (unsigned long)brk->limit);
	kprintf("  mapped  %u pages below it; the page behind it is not\n",
		paging_count(brk->space, brk->base, brk->limit));
}

static bool said(bool moved)
{
	if (!moved)
		kprintf("refused: outside of its region, or no frames; nothing has changed\n");
	print_break();
	return moved;
}

static bool command_brk(const struct call *call)
{
	uintptr_t end;

	if (call->n == 0)
		return said(true);
	return handles_address(call->argument[0], &end) && said(brk_set(sandbox_brk(), end) == 0);
}

/* A number with a sign in front, or none. */
static bool increment_of(char *text, intptr_t *increment)
{
	bool minus = *text == '-';
	uint32_t number;

	if (!command_number(text + (minus || *text == '+'), 0, INT32_MAX, &number))
		return false;
	*increment = minus ? -(intptr_t)number : (intptr_t)number;
	return true;
}

static bool command_sbrk(const struct call *call)
{
	intptr_t increment;
	void *before;

	if (!increment_of(call->argument[0], &increment))
		return false;
	before = brk_move(sandbox_brk(), increment);
	if (before != BRK_FAILED)
		kprintf("0x%08lx: where it was before\n", (unsigned long)(uintptr_t)before);
	return said(before != BRK_FAILED);
}

#define DETAILS                                                                                    \
	"This break is yours; that of the kernel's heap moves with kmalloc and kfree, and\n"       \
	"heap shows it. Bytes are counted, pages are mapped, each cleared: try dump and\n"         \
	"poke below it, just above it, and in the page behind it.\n"

static const struct command commands[] = {
	{ "brk", "[ADDRESS]", "your own program break, or move it there", DETAILS, 0, 1, false,
	  command_brk },
	{ "sbrk", "BYTES", "move it by so many bytes, up, or down with '-'", DETAILS, 1, 1, false,
	  command_sbrk },
};

const struct command_group break_commands = COMMAND_GROUP(commands);
