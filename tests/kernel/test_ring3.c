/* SPDX-License-Identifier: MIT */
/* What a program in ring 3 cannot do: each attempt is the end of it, and of nothing else. */
#include "kernel/dev/console.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/trap.h"
#include "tests/kernel/ktest.h"
#include "tests/kernel/program.h"

#include <errno.h>
#include <printf.h>
#include <string.h>

#define WENT_ON 7

/*
 * What is in user_code.S, and the vector of the exception that is its end. What
 * the emulator lets pass is not among them: a null selector that is used, writing
 * through a code segment, wrong bits in MXCSR, errors of SSE.
 */
#define FAULTS(X)                                                                                  \
	X(divide, 0)                                                                               \
	X(single_step, 1)                                                                          \
	X(breakpoint, 3)                                                                           \
	X(overflow, 4)                                                                             \
	X(bound, 5)                                                                                \
	X(invalid, 6)                                                                              \
	X(nested_task, 10)                                                                         \
	X(cli, 13)                                                                                 \
	X(sti, 13)                                                                                 \
	X(hlt, 13)                                                                                 \
	X(in, 13)                                                                                  \
	X(out, 13)                                                                                 \
	X(outs, 13)                                                                                \
	X(in_after_popf, 13)                                                                       \
	X(lgdt, 13)                                                                                \
	X(lidt, 13)                                                                                \
	X(lldt, 13)                                                                                \
	X(ltr, 13)                                                                                 \
	X(lmsw, 13)                                                                                \
	X(clts, 13)                                                                                \
	X(invlpg, 13)                                                                              \
	X(wbinvd, 13)                                                                              \
	X(read_cr0, 13)                                                                            \
	X(write_cr3, 13)                                                                           \
	X(write_cr4, 13)                                                                           \
	X(write_dr7, 13)                                                                           \
	X(rdmsr, 13)                                                                               \
	X(wrmsr, 13)                                                                               \
	X(sysenter, 13)                                                                            \
	X(load_ds, 13)                                                                             \
	X(load_es, 13)                                                                             \
	X(load_fs, 13)                                                                             \
	X(load_gs, 13)                                                                             \
	X(load_gs_local, 13)                                                                       \
	X(load_gs_beyond, 13)                                                                      \
	X(load_ss, 13)                                                                             \
	X(load_ss_null, 13)                                                                        \
	X(load_ss_code, 13)                                                                        \
	X(jump_far, 13)                                                                            \
	X(jump_task, 13)                                                                           \
	X(return_far, 13)                                                                          \
	X(return_interrupt, 13)                                                                    \
	X(movaps, 13)                                                                              \
	X(float, 16)                                                                               \
	X(push_on_kernel, 14)                                                                      \
	X(overflow_stack, 14)

#define DECLARE(name, vector) USER_CODE(name);
#define ENTRY(name, vector)   { #name, user_##name, user_##name##_end, vector },

FAULTS(DECLARE)
USER_CODE(hello);

static const struct {
	const char *name, *code, *end;
	uint32_t vector;
} faults[] = { FAULTS(ENTRY) };

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

static struct program program, witness;

/* As on Linux: 128 and the signal. */
static int status_of(uint32_t vector)
{
	static const int signals[] = { [0] = 8, [1] = 5, [3] = 5, [6] = 4, [16] = 8 };

	return 128 + (vector < sizeof(signals) / sizeof(signals[0]) && signals[vector]
			      ? signals[vector]
			      : 11);
}

static void check_fault(size_t i)
{
	const char *words = i == FAULT_COUNT - 1 ? "stack overflow" : trap_name(faults[i].vector);
	char place[64];

	CHECK_EQ(program_run(&program, faults[i].code, faults[i].end), PROCESS_FAULTED);
	CHECK_EQ(program.end.vector, faults[i].vector);
	CHECK_EQ(program.end.status, status_of(faults[i].vector));
	CHECK(program.end.eip >= PROGRAM_CODE && program.end.eip < PROGRAM_CODE + 100);
	CHECK(strncmp(program.end.reason, words, strlen(words)) == 0);
	snprintf(place, sizeof(place), ", at eip 0x%08lx\n", (unsigned long)program.end.eip);
	CHECK(strncmp(program.said, "process ", 8) == 0);
	CHECK(strstr(program.said, " (test): ") && strstr(program.said, place));
}

KTEST(every_fault_in_ring_3_ends_its_process_with_its_name_and_place)
{
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		check_fault(i);
		if (ktest_failed()) {
			kprintf("# %s\n", faults[i].name);
			return;
		}
	}
}

/* Each beside one that does nothing wrong. */
KTEST(process_goes_on_whatever_the_others_do)
{
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		program_make(&program, faults[i].code, faults[i].end, NULL, 0);
		CHECK(program_start(&program));
		PROGRAM(&witness, hello);
		CHECK(program_start(&witness));
		program_run_all();
		CHECK_EQ(program.end.fate, PROCESS_FAULTED);
		CHECK_EQ(witness.end.fate, PROCESS_EXITED);
		CHECK_EQ(witness.end.status, 42);
	}
}

/* int n: two bytes of code. What the processor uses for itself is not for ring 3. */
KTEST(interrupts_by_instruction_are_refused_but_for_three)
{
	for (unsigned int n = 0; n < 256; n++) {
		const uint8_t code[] = { 0xB8, 20, 0, 0, 0, 0xCD, (uint8_t)n, 0x0F, 0x0B };

		program_run(&program, code, code + sizeof(code));
		CHECK_EQ(program.end.fate, PROCESS_FAULTED);
		CHECK_EQ(program.end.vector, n == 3 || n == 4 ? n : n == 0x80 ? 6 : 13);
	}
}

static uint32_t *kernel_word;
static uint32_t kernel_value;

static const char in_rodata[] = "a constant";

/* One address in each kind of the kernel's memory. */
static void kernel_addresses(uintptr_t to[14])
{
	const uintptr_t addresses[14] = {
		(uintptr_t)kernel_word,
		(uintptr_t)&kernel_value,
		(uintptr_t)in_rodata & ~3U,
		(uintptr_t)process_step,
		(uintptr_t)__builtin_frame_address(0),
		(uintptr_t)kernel_space.dir,
		DIRECT_BASE,
		DIRECT_BASE + 0x100000,
		DIRECT_BASE + 0xB8000,
		HEAP_BASE,
		KERNEL_STACKS_BASE + KERNEL_STACK_SLOT - 4, /* its own kernel stack */
		KERNEL_STACKS_BASE,
		0xFFFFF000U,
		0xFFFFFFFCU,
	};

	memcpy(to, addresses, sizeof(addresses));
}

static void check_refused(uint32_t how, uintptr_t address, const char *doing)
{
	struct step steps[] = { { .call = how, .args = { address, 0xBAD } },
				{ .call = SCRIPT_END } };
	char reason[80];

	CHECK_EQ(script_run(&program, steps), PROCESS_FAULTED);
	CHECK_EQ(program.end.vector, TRAP_PAGE_FAULT);
	CHECK_EQ(program.end.address, address);
	snprintf(reason, sizeof(reason), "page fault: %s 0x%08lx, which is the kernel's", doing,
		 (unsigned long)address);
	CHECK(strncmp(program.end.reason, reason, strlen(reason)) == 0);
}

KTEST(nothing_of_the_kernel_can_be_read_written_or_run_in_ring_3)
{
	uintptr_t addresses[14];

	kernel_word = kmalloc(sizeof(*kernel_word));
	CHECK(kernel_word);
	*kernel_word = kernel_value = 0x600D;
	kernel_addresses(addresses);
	for (unsigned int i = 0; i < 14 && !ktest_failed(); i++) {
		check_refused(SCRIPT_PEEK, addresses[i], "reading");
		check_refused(SCRIPT_POKE, addresses[i], "writing");
		check_refused(SCRIPT_CALL, addresses[i], "executing");
	}
	CHECK_EQ(*kernel_word, 0x600D);
	CHECK_EQ(kernel_value, 0x600D);
	kfree(kernel_word);
}

static bool reason_is(uint32_t how, uintptr_t address, const char *reason)
{
	struct step steps[] = { { .call = how, .args = { address } }, { .call = SCRIPT_END } };

	return script_run(&program, steps) == PROCESS_FAULTED && program.end.address == address &&
	       strncmp(program.end.reason, reason, strlen(reason)) == 0;
}

KTEST(bad_addresses_of_ring_3_are_told_apart)
{
	CHECK(reason_is(SCRIPT_PEEK, 0, "page fault: reading 0x00000000, a null pointer, at eip"));
	CHECK(reason_is(SCRIPT_POKE, 8, "page fault: writing 0x00000008, a null pointer"));
	CHECK(reason_is(SCRIPT_CALL, 0, "page fault: executing 0x00000000, a null pointer"));
	CHECK(reason_is(SCRIPT_POKE, 0xFFFC, "page fault: writing 0x0000fffc, a null pointer"));
	CHECK(reason_is(SCRIPT_PEEK, 0x10000,
			"page fault: reading 0x00010000, which is not mapped"));
	CHECK(reason_is(SCRIPT_POKE, PROGRAM_TEXT,
			"page fault: writing 0x08048000, which is protected"));
	CHECK(reason_is(SCRIPT_PEEK, PROGRAM_HEAP,
			"page fault: reading 0x08070000, which is not mapped"));
	CHECK(reason_is(SCRIPT_POKE, USER_STACK_BASE - 4,
			"stack overflow: writing 0xbf7ffffc, the guard below the stack"));
	CHECK(reason_is(SCRIPT_PEEK, USER_MAP_END - 4,
			"page fault: reading 0xbf7feffc, which is not mapped"));
}
