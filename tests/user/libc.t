#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The C library for ring 3, beside the host's own: the same sources, compiled
# with both, find and print the same. And what a program must not do is named
# and ends it.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Programs qw(need run ABORTED);
use Test::More;

my @BESIDE = qw(brk ends exhaust malloc memory text);
need(map { ("build/user/$_", "build/user/glibc/$_") } @BESIDE);
need('build/user/misuse');

# So much for data and so much for the stack, for one library as for the other.
my $LIMITS = 'ulimit -d 131072; ulimit -s 8192; export SHOWN=yes';

# One run with each library: ends so, and prints the same.
sub beside {
	my ($command, $expected) = @_;
	my ($theirs, undef, $their_status) = run("$LIMITS; build/user/glibc/$command");
	is($their_status, $expected, "$command, with the host's library");
	my ($ours, $complaint, $status) = run("$LIMITS; build/user/$command");
	is($status, $expected, '  with ours');
	ok($ours eq $theirs && length $ours, '  and prints the same, ' . length($ours) . ' bytes')
		or diag $ours, $complaint;
	return $ours;
}

for my $program (qw(brk malloc memory)) {
	like(beside($program, 0), qr/^1\.\.1\n\n*ok 1 - .*, \d+ checks\n\z/, '  that nothing is wrong');
}
# With more than half of all addresses, so that a number of bytes taken without its sign fits.
my ($wide, undef, $wide_status) = run('ulimit -d 2621440; build/user/brk');
is($wide_status, 0, 'brk, with room for 2 GiB') or diag $wide;
my $text = beside('text', 0);
cmp_ok($text =~ tr/\n//, '>', 250, '  in many lines');

my %ends = (
	'return 7' => 7,
	'return 300' => 300 & 255,
	'exit 8' => 8,
	'exit -1' => 255,
	'_exit 9' => 9,
	'abort' => ABORTED,
);
beside("ends $_", $ends{$_}) for sort keys %ends;
like((run('build/user/ends abort'))[1], qr/^Abort/m, 'abort() is by the signal, where there are signals');

# How much that is depends on what a library's start leaves of the limit.
for my $how ('sbrk', 'malloc') {
	my ($said, undef, $status) = run("$LIMITS; build/user/exhaust $how");
	is($status, 0, "exhaust $how");
	my ($taken) = $said =~ /^# (\d+) KiB\nok 1 - .* checks\n\z/m;
	ok($taken && $taken > 120_000 && $taken <= 131_072, '  takes what the limit leaves') or diag $said;
}
like(beside("exhaust $_ 3", 0), qr/^# 3072 KiB$/m, '  or what it is told') for 'sbrk', 'malloc';

my ($said, $complaint, $status) = run('build/user/misuse');
is("$status $said$complaint", "0 right\n", 'misuse: what is allowed is silent');
my %wrong = (
	twice => qr/PTR: not in use: freed twice, or never handed out/,
	inside => qr/PTR: impossible length/,
	foreign => qr/PTR: not within the heap/,
	header => qr/the next block's header disagrees \(.*\); before it PTR$/m,
	overflow => qr/PTR: impossible length/,
	underflow => qr/PTR: impossible length/,
);
for my $what (sort keys %wrong) {
	($said, $complaint, $status) = run("build/user/misuse $what");
	is($status, ABORTED, "misuse $what: ends the program");
	chomp $said;
	my $words = $complaint =~ s/\Q$said\E/PTR/gr;
	like($words, qr/^heap: pointer .*$wrong{$what}/m, '  with its address and in words');
	like($complaint, qr/ \(0x[0-9a-f]{8}, 0x[0-9a-f]{8}\)/, '  and with what disagrees');
}

done_testing;
