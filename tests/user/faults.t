#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What ends a program from outside, and what is next to it and does not, on the
# host: so that it is known what the programs do when they run elsewhere.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Programs qw(need run);
use Test::More;

need('build/user/fault');

my ($list, undef, $status) = run('build/user/fault');
is($status, 0, 'there is a list');
my %faults = $list =~ /^(\S+) (\d+)(?: processor)?$/mg;
cmp_ok(scalar keys %faults, '>', 60, '  of many faults');

my ($said, $complaint, $allowed) = run('build/user/fault allowed');
is("$allowed $said$complaint", "0 allowed\n", 'what is allowed goes well');
for my $fault (sort keys %faults) {
	($said, undef, $status) = run("ulimit -s 8192; build/user/fault $fault");
	is($status, 128 + $faults{$fault}, "$fault: signal $faults{$fault}");
	is($said, '', '  before anything else');
}
($said, undef, $status) = run('build/user/fault unheard-of');
is("$status $said", "1 unheard-of: not ended\n", 'what is no fault does not end it');

done_testing;
