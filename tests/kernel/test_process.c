/* SPDX-License-Identifier: MIT */
/* Processes: they run, side by side, end in every way, and leave nothing behind. */
#include "kernel/dev/timer.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/mm/ledger.h"
#include "kernel/proc/process.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <string.h>

#define COUNT	      3
#define ROUNDS	      600000U
#define OUT_OF_FRAMES UINT32_MAX

USER_CODE(hello);
USER_CODE(state);
USER_CODE(clean);
USER_CODE(spin);
USER_CODE(call_on);
USER_CODE(read_one);
USER_CODE(touch_heap);
USER_CODE(thread_area);
USER_CODE(thread_area_as_stack);
USER_CODE(thread_area_as_data);
USER_CODE(invalid);

static struct program programs[PROCESS_MAX];
static struct program *const one = &programs[0];

static void kill_all(void)
{
	struct process *process;

	while ((process = process_next(NULL)))
		process_kill(process);
}

/* So many steps, as long as there is any process. */
static void step(unsigned int n)
{
	while (n-- > 0 && process_step())
		;
}

/* How many steps it takes depends on the timer, and that on the host. */
static void step_to_the_end_of(const struct program *program)
{
	for (unsigned int i = 0; i < 1000 && program->end.fate == PROCESS_LIVES; i++)
		process_step();
}

KTEST(process_writes_and_exits_with_its_status)
{
	CHECK_EQ(RUN(one, hello), PROCESS_EXITED);
	CHECK_EQ(one->end.status, 42);
	CHECK(strcmp(one->said, "hello from ring 3\n") == 0);
	CHECK(strcmp(one->end.reason, "") == 0);
}

KTEST(step_without_a_process_is_none)
{
	CHECK(!process_step());
	CHECK(!process_next(NULL) && !process_current());
}

/* Each looks at its registers, floating point, memory and stack while the others run. */
KTEST(processes_side_by_side_keep_what_is_theirs)
{
	unsigned int steps = 0;

	for (uint32_t i = 0; i < COUNT; i++) {
		const uint32_t data[2] = { 0x1111111 * (i + 1), ROUNDS };

		program_make(&programs[i], user_state, user_state_end, data, sizeof(data));
		CHECK(program_start(&programs[i]));
	}
	while (process_step())
		steps++;
	for (unsigned int i = 0; i < COUNT; i++) {
		CHECK_EQ(programs[i].end.fate, PROCESS_EXITED);
		CHECK_EQ(programs[i].end.status, 0);
	}
	CHECK(steps > 3 * COUNT); /* else they have run one after the other */
}

/* One has left its floating point in disorder, and the next finds none of it. */
KTEST(floating_point_is_clean_when_a_process_begins)
{
	const uint32_t data[2] = { 0x7654321, 1000 };

	program_make(&programs[1], user_state, user_state_end, data, sizeof(data));
	CHECK(program_start(&programs[1]));
	CHECK_EQ(RUN(one, clean), PROCESS_EXITED);
	CHECK_EQ(one->end.status, 0);
	CHECK_EQ(programs[1].end.status, 0);
}

KTEST(process_that_never_ends_does_not_keep_others_from_it)
{
	PROGRAM(&programs[1], spin);
	CHECK(program_start(&programs[1]));
	PROGRAM(&programs[2], call_on);
	CHECK(program_start(&programs[2]));
	step(20);
	PROGRAM(one, hello);
	CHECK(program_start(one));
	step_to_the_end_of(one);
	CHECK_EQ(one->end.fate, PROCESS_EXITED);
	CHECK(programs[1].process->ticks > 0 && programs[2].process->ticks > 0);
	kill_all();
}

KTEST(process_that_waits_for_input_lets_others_run_and_goes_on_when_it_comes)
{
	PROGRAM(one, read_one);
	one->more = true;
	CHECK(program_start(one));
	PROGRAM(&programs[1], hello);
	CHECK(program_start(&programs[1]));
	step_to_the_end_of(&programs[1]);
	CHECK_EQ(programs[1].end.fate, PROCESS_EXITED);
	step(3);
	CHECK_EQ(one->end.fate, PROCESS_LIVES);
	CHECK(one->process->waits);
	one->typed = "x";
	step_to_the_end_of(one);
	CHECK_EQ(one->end.fate, PROCESS_EXITED);
	CHECK_EQ(one->end.status, 'x');
}

KTEST(segment_of_its_own_is_each_processs_own)
{
	for (uint32_t i = 0; i < COUNT; i++) {
		const uint32_t data[6] = { i == 0 ? UINT32_MAX : 6,
					   PROGRAM_DATA + 16,
					   0xFFFFF,
					   0x11,
					   0xAB0000 + i,
					   ROUNDS };

		program_make(&programs[i], user_thread_area, user_thread_area_end, data,
			     sizeof(data));
		CHECK(program_start(&programs[i]));
	}
	program_run_all();
	for (unsigned int i = 0; i < COUNT; i++) {
		CHECK_EQ(programs[i].end.fate, PROCESS_EXITED);
		CHECK_EQ(programs[i].end.status, 0);
	}
}

/* Taken away while it is loaded: the kernel returns with something else there. */
KTEST(segment_that_is_gone_when_ring_3_is_returned_to_is_replaced)
{
	const uint32_t data[4] = { UINT32_MAX, 0, 0xFFFFF, 0x11 };

	program_make(one, user_thread_area_as_stack, user_thread_area_as_stack_end, data,
		     sizeof(data));
	CHECK(program_start(one));
	program_run_all();
	CHECK_EQ(one->end.fate, PROCESS_EXITED);
	CHECK_EQ(one->end.status, 0);
	program_make(one, user_thread_area_as_data, user_thread_area_as_data_end, data,
		     sizeof(data));
	CHECK(program_start(one));
	program_run_all();
	CHECK(one->end.fate == PROCESS_FAULTED || one->end.status == 7);
}

KTEST(processes_are_found_one_after_the_other_by_ascending_numbers)
{
	struct process *process = NULL;
	unsigned int last = 0, n = 0;

	for (unsigned int i = 0; i < COUNT; i++) {
		PROGRAM(&programs[i], hello);
		CHECK(program_start(&programs[i]));
	}
	while ((process = process_next(process))) {
		CHECK(process->id > last);
		CHECK(process == programs[n].process && strcmp(process->name, "test") == 0);
		last = process->id;
		n++;
	}
	CHECK_EQ(n, COUNT);
	process_kill(programs[1].process);
	CHECK(process_next(programs[0].process) == programs[2].process);
	program_run_all();
	CHECK_EQ(programs[2].end.fate, PROCESS_EXITED);
}

KTEST(processes_are_limited_and_one_too_many_is_refused)
{
	unsigned int n = 0;
	const char *reason = NULL;

	if (frame_count(FRAME_FREE) < PROCESS_MAX * 16) {
		return; /* a small machine: the limit is its memory */
	}
	while (n < PROCESS_MAX) {
		PROGRAM(&programs[n], hello);
		CHECK(program_start(&programs[n++]));
	}
	reason = process_create(&programs[0].options, NULL);
	CHECK(reason && strcmp(reason, "there are too many processes") == 0);
	process_kill(programs[PROCESS_MAX / 2].process);
	CHECK(!process_create(&programs[0].options, NULL));
	program_run_all();
	for (unsigned int i = 0; i < PROCESS_MAX; i++)
		CHECK(programs[i].end.fate ==
		      (i == PROCESS_MAX / 2 ? PROCESS_KILLED : PROCESS_EXITED));
}

static struct ledger before, after;

/* As the framework asks after each test, for the middle of one. */
static void check_nothing_left(void)
{
	kheap_trim(0);
	ledger_read(&after);
	CHECK(!ledger_disagreement(&after));
	CHECK_EQ(after.heap.granted_blocks, before.heap.granted_blocks);
	CHECK_EQ(after.break_bytes, before.break_bytes);
	for (unsigned int owner = 0; owner < FRAME_OWNERS; owner++)
		CHECK_EQ(after.counted[owner], before.counted[owner]);
}

/* Killed in each state that it can be in between two steps. */
KTEST(process_killed_in_any_state_leaves_nothing)
{
	ledger_read(&before);
	PROGRAM(one, spin); /* ready, and never run */
	CHECK(program_start(one));
	kill_all();
	CHECK_EQ(one->end.fate, PROCESS_KILLED);
	CHECK_EQ(one->end.status, 128 + 9);
	check_nothing_left();
	PROGRAM(one, spin); /* preempted in ring 3 */
	CHECK(program_start(one));
	step(5);
	kill_all();
	check_nothing_left();
	PROGRAM(one, call_on); /* preempted on its way back from the kernel, as a rule */
	CHECK(program_start(one));
	step(5);
	kill_all();
	check_nothing_left();
	PROGRAM(one, read_one); /* asleep in the kernel */
	one->more = true;
	CHECK(program_start(one));
	step(5);
	kill_all();
	check_nothing_left();
}

KTEST(thousand_processes_end_in_all_ways_and_leave_nothing)
{
	ledger_read(&before);
	for (unsigned int i = 0; i < 1000 && !ktest_failed(); i++) {
		const uint32_t data = PROGRAM_HEAP + (i % 40) * PAGE_SIZE;

		program_make(one, user_touch_heap, user_touch_heap_end, &data, sizeof(data));
		CHECK(program_start(one));
		if (i % 5 == 0)
			PROGRAM(&programs[1], spin);
		else if (i % 5 == 1)
			PROGRAM(&programs[1], invalid);
		else if (i % 5 == 2)
			PROGRAM(&programs[1], read_one);
		else
			PROGRAM(&programs[1], hello);
		CHECK(program_start(&programs[1]));
		frame_fail_at(i % 5 == 4 ? 3 : 0, 1);
		step(i % 7);
		if (i % 5 == 0 || i % 3 == 0)
			kill_all();
		program_run_all();
		frame_fail_at(0, 0);
		check_nothing_left();
	}
}

/* So many frames are refused at each point in turn, until none of those asked for is. */
static void check_creation_refused(uint32_t times)
{
	uint32_t n = 0;
	bool created, refused;

	do {
		PROGRAM(one, hello);
		frame_fail_at(++n, times);
		created = program_start(one);
		refused = frame_has_failed();
		frame_fail_at(0, 0);
		CHECK(created || refused);
		kill_all();
		check_nothing_left();
	} while (refused && !ktest_failed());
	CHECK(n > 10);
}

/* If all are, the kernel's heap has none either, and kmalloc fails. */
KTEST(creation_refused_at_any_frame_leaves_nothing)
{
	ledger_read(&before);
	check_creation_refused(1);
	check_creation_refused(OUT_OF_FRAMES);
}

/* The same from each point on, and then while it runs: out of memory is its end, and only its. */
KTEST(memory_that_runs_out_at_any_point_ends_the_process_that_touches_it)
{
	const uint32_t data = PROGRAM_HEAP + 5 * PAGE_SIZE;
	uint32_t n = 0, ended = 0;

	ledger_read(&before);
	do {
		program_make(one, user_touch_heap, user_touch_heap_end, &data, sizeof(data));
		PROGRAM(&programs[1], hello);
		CHECK(program_start(&programs[1]));
		program_make(one, user_touch_heap, user_touch_heap_end, &data, sizeof(data));
		frame_fail_at(++n, OUT_OF_FRAMES);
		if (program_start(one)) {
			program_run_all();
			CHECK_EQ(programs[1].end.fate, PROCESS_EXITED);
		}
		frame_fail_at(0, 0);
		program_run_all();
		if (one->end.fate == PROCESS_OUT_OF_MEMORY) {
			CHECK_EQ(one->end.status, 128 + 9);
			CHECK(one->end.address >= PROGRAM_HEAP && one->end.address < data);
			CHECK(strncmp(one->end.reason, "out of memory: no page for 0x080", 32) ==
			      0);
			ended++;
		}
		check_nothing_left();
	} while (one->end.fate != PROCESS_EXITED && n < 100 && !ktest_failed());
	CHECK(n > 15 && n < 100);
	CHECK_EQ(ended, 5); /* once for each page; what it needs of tables it has before */
}

/* Three want nearly all the frames that there are, and keep them; one wants to be left alone. */
KTEST(processes_that_take_all_memory_are_ended_and_others_go_on)
{
	const uint32_t data[2] = { 0x7654321, ROUNDS };
	uint32_t pages = frame_count(FRAME_FREE);
	const uint32_t heap[2] = { PROGRAM_HEAP + (pages - 100) * PAGE_SIZE, true };
	unsigned int ended = 0;

	if (pages > 0x10000)
		return; /* it would take long, on a large machine */
	ledger_read(&before);
	program_make(one, user_state, user_state_end, data, sizeof(data));
	CHECK(program_start(one));
	for (unsigned int i = 1; i <= 3; i++) {
		program_make(&programs[i], user_touch_heap, user_touch_heap_end, heap,
			     sizeof(heap));
		CHECK(program_start(&programs[i]));
	}
	while (ended < 2 && process_step()) {
		ended = 0;
		for (unsigned int i = 1; i <= 3; i++)
			ended += programs[i].end.fate == PROCESS_OUT_OF_MEMORY;
	}
	CHECK_EQ(ended, 2);
	step_to_the_end_of(one);
	CHECK_EQ(one->end.fate, PROCESS_EXITED);
	CHECK_EQ(one->end.status, 0);
	kill_all();
	check_nothing_left();
}

static void *from_sink[2];

/* Takes kernel memory while the process's space is the current one, and a new table for it. */
static void allocate_and_catch(void *context, const char *text, size_t n)
{
	(void)context;
	from_sink[from_sink[0] ? 1 : 0] = kmemdup(text, n);
}

KTEST(kernels_heap_that_grows_in_a_processs_space_is_there_in_every_other)
{
	ledger_read(&before);
	CHECK_EQ(before.break_bytes, 0); /* so that there is no page table for it yet */
	from_sink[0] = from_sink[1] = NULL;
	for (unsigned int i = 0; i < 2; i++) {
		PROGRAM(&programs[i], hello);
		programs[i].options.output = allocate_and_catch;
		CHECK(program_start(&programs[i]));
	}
	program_run_all();
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(from_sink[i] && memcmp(from_sink[i], "hello from ring 3\n", 18) == 0);
		kfree(from_sink[i]);
	}
	check_nothing_left();
}

static uint32_t handled;
static void *held;

static void allocate_in_interrupt(void)
{
	kfree(held);
	held = kmalloc(10000);
	handled++;
}

/* Interrupts in ring 3 and on kernel stacks may use the kernel's heap, as they always may. */
KTEST(interrupts_allocate_while_processes_run)
{
	timer_hook *watch = timer_set_hook(allocate_in_interrupt);

	for (uint32_t i = 0; i < COUNT; i++) {
		const uint32_t data[2] = { 0x1111111 * (i + 1), ROUNDS };

		program_make(&programs[i], user_state, user_state_end, data, sizeof(data));
		program_start(&programs[i]);
	}
	program_run_all();
	timer_set_hook(watch);
	kfree(held);
	held = NULL;
	CHECK(handled > 0);
	for (unsigned int i = 0; i < COUNT; i++)
		CHECK_EQ(programs[i].end.status, 0);
	CHECK(heap_check(&kernel_heap, NULL));
}

KTEST(what_is_no_program_is_refused_in_words)
{
	const char *reason;

	PROGRAM(one, hello);
	one->options.size = 40;
	reason = process_create(&one->options, NULL);
	CHECK(reason && *reason);
	one->options.size = 0;
	CHECK(process_create(&one->options, NULL));
	CHECK(!process_next(NULL));
}
