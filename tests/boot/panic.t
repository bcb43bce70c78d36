#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What a panic prints, each fault in a boot of its own: the fault in words,
# registers where there are any, a backtrace with function names, the ledger.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my $registers = qr/^eax [0-9a-f]{8}  ebx [0-9a-f]{8}.*\nesi .*\neip [0-9a-f]{8}  eflags/m;

# test => [what the first line says, who called whom, innermost first, with registers,
#          what the report says of the page or block concerned]
my %panics = (
	panic_at_a_division_by_zero =>
		['division by zero, vector 0', ['divide_by_nothing'], 1],
	panic_at_a_write_to_kernel_text =>
		[qr/page fault: writing 0xc01\w+, which is protected/, ['write_to'], 1,
			qr/^  the    page 0xc01\w+  frame +\d+, read-only  kernel text$/m],
	panic_at_a_null_pointer =>
		['page fault: writing 0x00000008, a null pointer', ['write_to'], 1],
	panic_at_a_stack_overflow =>
		[qr/stack overflow: writing 0x\w+ in the guard page/, [('overflow_the_stack') x 5], 1,
			qr/^  the    page 0x\w+  not mapped +guard below the stack\n  after  page 0x\w+  frame +\d+, writable   stack$/m],
	panic_at_an_overflow_in_a_system_call =>
		[qr/stack overflow: writing 0xffe00\w+ in the guard page/, [('overflow_the_stack') x 5], 1,
			qr/^  the    page 0xffe00000  not mapped +kernel stacks of processes\n  after  page 0xffe01000  frame +\d+, writable   kernel stacks of processes$/m],
	panic_at_a_call_of_null =>
		['page fault: executing 0x00000000, a null pointer', ['not kernel text', 'call'], 1],
	panic_at_a_jump_into_data =>
		['invalid instruction, vector 6', ['not kernel text', 'call'], 1],
	panic_at_a_double_fault => ['double fault', ['panic_at_a_double_fault'], 1,
		qr/^  the    page 0x00001000  not mapped +user space$/m],
	panic_at_the_page_behind_the_break =>
		[qr/page fault: writing 0xd0011000, which is not mapped/, ['write_to'], 1,
			qr/^  before page 0xd0010000  frame +\d+, writable   heap\n  the    page 0xd0011000  not mapped +the page behind the break\n  after  page 0xd0012000  not mapped +above the break$/m],
	panic_at_an_unexpected_interrupt =>
		['unexpected interrupt, vector 40', ['panic_at_an_unexpected_interrupt'], 1],
	panic_at_an_invalid_instruction =>
		['invalid instruction, vector 6', ['panic_at_an_invalid_instruction'], 1],
	panic_at_a_failed_assertion =>
		[qr/assertion failed: answer == 42, tests\/broken\/panics\.c:\d+/,
			['panic_at_a_failed_assertion'], 0],
	panic_at_a_page_missing_below_the_break =>
		[qr/break: page 0xd\w+ should be mapped/, [qw(unmap_(?:batch|down))], 0,
			qr/^  the    page 0xd\w+  not mapped/m],
	panic_at_a_frame_missing_below_the_break =>
		[qr/break: page 0xd\w+ has frame \d+: the frame is free: freed twice, or never allocated/,
			[qw(unmap_(?:batch|down))], 0],
	panic_at_a_page_table_freed =>
		[qr/page table at frame \d+: the frame is free.*/, [qw(paging_unmap_span paging_unmap)], 0],
	panic_at_a_ledger_that_disagrees => ['as told', ['panic_at_a_ledger_that_disagrees'], 0,
		qr/^ledger: heap frames: the counter and the page tables disagree$/m],
	panic_at_the_last_page => [qr/page fault: writing 0xfffffff0, which is not mapped/, ['write_to'], 1,
		qr/^  before page 0xffffe000 .*\n  the    page 0xfffff000  not mapped +temporary mappings\nframes/m],
	panic_at_a_damaged_heap => ['as told', ['panic_at_a_damaged_heap'], 0,
		qr/^  before block 0xd0000000 .*\n  no block can be followed to there$/m],
	panic_at_the_start_of_the_heap => ['as told', ['panic_at_the_start_of_the_heap'], 0,
		qr/temporary|^  after  page .*\n  the    block 0xd0000000 +20 bytes  start of a segment\n  after  block 0xd0000014 /m],
	panic_at_the_fence_of_the_heap => ['as told', ['panic_at_the_fence_of_the_heap'], 0,
		qr/^  before block 0xd\w+ .*top\n  the    block 0xd\w+ +4 bytes  fence\nframes/m],
	panic_at_kmalloc_within_kfree =>
		['kmalloc: entered again while a call is under way',
			['kmalloc', 'violated', 'kfree', 'panic_at_kmalloc_within_kfree'], 0],
	panic_at_a_block_freed_twice =>
		[qr/heap: pointer 0xd\w+: not in use: freed twice, or never handed out.*/,
			['heap_violated', 'violated', 'kfree', 'panic_at_a_block_freed_twice'], 0,
			qr/^  before block 0xd0000000 +20 bytes  start of a segment\n  the    block 0xd0000014 +104 bytes  cached\n  after  block 0xd000007c +56 bytes  in use$/m],
);

for my $test (sort keys %panics) {
	my ($words, $callers, $has_registers, $about) = @{ $panics{$test} };
	my $trace = join '.*\n(?:  0x.*\n)*?', map { "  0x[0-9a-f]{8}  $_(?:\\.\\w+)*" . (/ / ? '' : '\\+0x') } @$callers;
	my $run = Judge::boot(kernel => 'build/broken/panics.elf', append => "only=$test");

	$words = quotemeta $words unless ref $words;
	my $name = $test =~ /stack/ ? "fault_51_$test" : $test;
	Judge::green($run, $name, Judge::complaints($run, status => Judge::PANIC, like => [
		qr/^panic: $words$/m,
		qr/^backtrace, innermost first:\n$trace/m,
		$test =~ /overflow/ ? () : qr/^  0x[0-9a-f]{8}  kmain\+0x.*\n  0x.*  higher_half\+0x.*\n(?!  0x)/m,
		$test =~ /missing|disagrees|damaged/ ? qr/^ledger: .* disagree$/m
			: qr/^ledger: all counts agree$/m,
		$has_registers ? $registers : (),
		$about // (),
	]));
}

my $run = Judge::boot(kernel => 'build/broken/panics.elf', append => 'only=panic_inside_a_panic');
Judge::green($run, 'a panic inside a panic says so and stops', Judge::complaints($run,
	status => Judge::PANIC,
	like => [qr/^panic: the first one$/m, qr/^panic inside panic: page fault: writing 0x00000000/m],
	unlike => [qr/^ledger/m]));
done_testing;
