#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The whole chain, from a broken kernel to the status of prove: each kernel of
# tests/broken/ must turn prove red, for exactly the reasons given here.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

use constant AT_ONCE => 2;

my $compiled = Judge::compiled_in('build/broken/plan_too_short.elf');
my $nothing_ran = 'the kernel ended before its last test: plan 1..1, 0 results';

my $one_block_lost = qr/^# leak: heap blocks in use: 0 before the test, 1 after it$/m;

# name => [which tests to run, the judge's reasons, what else must be shown]
my %broken = (
	panic_early => ['', [qr/^the kernel panicked: planted before the command line/,
			qr/^there is no line 'KTAP version 1'$/]],
	triple_fault => ['planted', [qr/^the machine was reset \(QEMU ended with status 0\)$/,
			qr/^\Q$nothing_ran\E$/]],
	hang => ['planted', [qr/^the kernel bailed out: planted_hang exceeded its \d+ ticks$/,
			qr/^\Q$nothing_ran\E$/]],
	plan_too_short => ['', [qr/^the plan is 1\.\.3, but $compiled tests are compiled in$/]],
	no_tests => ['', [qr/^the plan is 1\.\.0: no test was run$/]],
	exit_early => ['planted', [qr/^\Q$nothing_ran\E$/]],
	failing_test => ['planted', [qr/^the test planted_failure failed$/],
		qr{^\# tests/broken/failing_test\.c:\d+: CHECK_EQ}m],
	leak => ['planted', [qr/^the test planted_leak failed$/], $one_block_lost],
	guest_error => ['planted',
		[qr/^a line not expected in the guest-error log: Invalid write at addr 0x10000000\b/]],
	flipped_byte => ['replay_counts', [qr/^the test replay_counts_what_a_trace_asks_for failed$/],
		qr{^\# tests/kernel/test_replay\.c:\d+: CHECK\(!replay_small}m],
	kfree_nothing => ['planted', [qr/^the test planted_free_of_nothing failed$/], $one_block_lost],
);

# Starts prove on one kernel; its output, both streams in one, comes through the pipe.
sub start_prove {
	my ($name) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		$ENV{ONLY} = $broken{$name}[0];
		$ENV{SEED} = '';
		exec 'prove', '--norc', '--exec', "$^X $FindBin::Bin/one.pl", "build/broken/$name.elf"
			or die "prove: $!\n";
	}
	return $pipe;
}

sub check {
	my ($name, $pipe) = @_;
	my (undef, $expected, $shown) = @{ $broken{$name} };
	my @lines = <$pipe>;
	my @reasons = map { /^# \* (.*)/ ? $1 : () } @lines;
	my $as_expected = @reasons == @$expected
		&& !grep { $reasons[$_] !~ $expected->[$_] } 0 .. $#reasons;

	close $pipe;
	isnt($? >> 8, 0, "$name: prove is red");
	ok($as_expected, "$name: for the right reason") or diag @lines;
	like(join('', @lines), $shown, "$name: which is shown") if $shown;
}

my @names = sort keys %broken;
while (my @some = splice @names, 0, AT_ONCE) {
	my @pipes = map { start_prove($_) } @some;
	check($some[$_], $pipes[$_]) for 0 .. $#some;
}
done_testing;
