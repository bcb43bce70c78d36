/* SPDX-License-Identifier: MIT */
/* Traces of real programs go through kmalloc() and kfree() with their contents intact. */
#include "boot/bootinfo.h"
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"
#include "kernel/monitor/replay.h"
#include "tests/kernel/hoard.h"
#include "tests/kernel/ktest.h"

#include <string.h>

/* Two blocks; the first is reallocated, the second freed, the first stays to the end. */
/* clang-format off: an operation a line */
static const uint8_t small_trace[] = {
	'F',
	'P',
	'T',
	'1',
	6,
	0,
	0,
	0,
	2,
	0,
	0,
	0,
	14,
	0,
	0,
	0,
	0 << 3 | TRACE_ALLOC,
	100,
	1 << 3 | TRACE_ZALLOC,
	50,
	0 << 3 | TRACE_REALLOC,
	0xAC,
	2, /* 300 */
	1 << 3 | TRACE_FREE,
	0 << 3 | TRACE_REALLOC,
	0xAC,
	2, /* as it is */
	1 << 3 | TRACE_ALIGNED,
	6,
	10,
};
/* clang-format on */

static uint32_t flip_at; /* the operation before which a byte is flipped */

static void flip_byte(uint32_t operation, void *block)
{
	if (operation == flip_at)
		((unsigned char *)block)[7] ^= 1;
}

static const char *replay_small(struct replay *result, void (*interfere)(uint32_t, void *))
{
	struct trace trace;
	const char *reason = trace_open(&trace, small_trace, sizeof(small_trace));

	return reason ? reason : replay_trace(result, &trace, interfere);
}

KTEST(replay_counts_what_a_trace_asks_for)
{
	struct replay result;

	CHECK(!replay_small(&result, NULL));
	CHECK_EQ(result.operations, 6);
	CHECK_EQ(result.peak_live, 350);
	CHECK_EQ(result.peak_rounded, 304 + 56);
	CHECK_EQ(result.live, 0);
	CHECK_EQ(result.rounded, 0);
	CHECK(result.peak_extent >= 350);
	CHECK(replay_utilization(&result) <= replay_bound(&result));
}

KTEST(one_flipped_byte_is_found_before_realloc)
{
	struct replay result;
	const char *reason;

	flip_at = 2;
	reason = replay_small(&result, flip_byte);
	CHECK(reason && strstr(reason, "changed before it was reallocated"));
	CHECK_EQ(result.operations, 2);
}

KTEST(one_flipped_byte_is_found_before_free)
{
	struct replay result;
	const char *reason;

	flip_at = 3;
	reason = replay_small(&result, flip_byte);
	CHECK(reason && strstr(reason, "changed before it was freed"));
	CHECK_EQ(result.operations, 3);
}

static void *kept;

static void flip_what_stays(uint32_t operation, void *block)
{
	if (operation == 4)
		kept = block;
	if (operation == 5)
		((unsigned char *)kept)[99] ^= 0x80;
}

KTEST(one_flipped_byte_is_found_at_the_end)
{
	struct replay result;
	const char *reason = replay_small(&result, flip_what_stays);

	CHECK(reason && strstr(reason, "changed at the end"));
	CHECK_EQ(result.operations, 6);
}

/* Takes every frame there is before the first operation. */
static void hoard_frames(uint32_t operation, void *block)
{
	(void)block;
	if (operation == 0)
		hoard_take();
}

KTEST(replay_that_runs_out_of_memory_says_so_and_frees_all)
{
	struct replay result;
	const char *reason = replay_small(&result, hoard_frames);

	CHECK(hoard_give());
	CHECK(reason && strcmp(reason, "memory ran out") == 0);
	CHECK_EQ(result.operations, 0);
}

KTEST(recorded_traces_replay_with_their_contents_intact)
{
	if (bootinfo.nmodules == 0) {
		ktest_skip("no trace was loaded");
		return;
	}
	for (size_t i = 0; i < bootinfo.nmodules; i++) {
		const char *name = bootinfo.modules[i].name;
		struct replay result;
		struct trace trace;
		const char *reason = replay_open(&trace, &bootinfo.modules[i]);

		if (!reason)
			reason = replay_trace(&result, &trace, NULL);
		if (reason)
			kprintf("# %s: %s\n", name, reason);
		CHECK(!reason);
		CHECK_EQ(result.operations, trace.operations);
		CHECK(replay_utilization(&result) <= replay_bound(&result));
	}
}

/* The loader drops what does not fit, and boots on. */
KTEST(every_trace_the_command_line_names_was_loaded)
{
	char names[256];

	CHECK(strlcpy(names, cmdline.modules, sizeof(names)) < sizeof(names));
	for (char *name = names; *name;) {
		char *end = strchr(name, ',');
		bool loaded = false;

		if (end)
			*end = '\0';
		for (size_t i = 0; i < bootinfo.nmodules; i++)
			loaded |= strcmp(bootinfo.modules[i].name, name) == 0;
		if (!loaded)
			kprintf("# %s is missing\n", name);
		CHECK(loaded);
		name = end ? end + 1 : name + strlen(name);
	}
}
