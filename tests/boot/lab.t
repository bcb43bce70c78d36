#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# make lab: the monitor in the image that has tests and benchmarks, which can be
# run from it one by one, again and again, between other commands.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};

my @typed = ('help', 'test frame_freed', 'p = kmalloc 100', 'test', 'kfree p', 'sbrk 1', 'bench', 'sbrk -1',
	'test faults_that_no_test_has', 'test fault_05', 'bench quick_kernel_realloc', 'check', 'quit');
open my $input, '>', 'build/lab.input' or die "build/lab.input: $!";
print $input map { "$_\r" } @typed;
close $input;

local $SIG{ALRM} = sub { die "make lab does not end\n" };
alarm 100;
my $output = qx{make -s lab <build/lab.input 2>&1};
my $status = $?;
alarm 0;
$output =~ s/\r//g;
is($status, 0, 'make lab ends well') or diag $output;
my %answers = $output =~ /^fencepost> (.*)\n((?:(?!fencepost> ).*\n)*)/mg;

like($answers{help}, qr/^  $_ \[PART\] /m, "help has $_") for 'test', 'bench';
my ($n) = $answers{'test frame_freed'} =~ /\AKTAP version 1\n1\.\.(\d+)\n/;
cmp_ok($n // 0, '>=', 1, 'a test is run by a part of its name');
like($answers{'test frame_freed'}, qr/^# end of tests: $n passed, 0 failed, 0 skipped, seed 0x\w+\n\z/m, 'and passes');
like($answers{test}, qr/\Atests begin with an empty heap: .*\n\z/, 'not while the heap is in use');
like($answers{bench}, qr/\Atests map pages of their own there: .*\n\z/, 'nor while their addresses are');
like($answers{'test faults_that_no_test_has'}, qr/^1\.\.0\n/m, 'a name may have no test');
like($answers{'test fault_05'}, qr/^# end of tests: [1-9]\d* passed, 0 failed/m, 'what others have left behind does not matter');
like($answers{'bench quick_kernel_realloc'}, qr{^# bench: kernel 100 to 200 and back: krealloc: \d+/1000 instructions$}m, 'benchmarks print figures');
like($answers{check}, qr/\A  the heap is sound\n  ledger: all counts agree\n\z/, 'and all is as it was');

my $run = Judge::boot(kernel => 'build/fencepost.elf', memory => 64, append => 'demo monitor');
unlike(join("\n", @{ $run->{lines} }), qr/^  (?:test|bench) /m, 'the product has neither');
done_testing;
