#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# "make run" with nobody there to type: it boots the image, shows everything
# once, and ends well. This is also what a first visitor sees.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

use constant HOST_LIMIT => 60;

# The variables given to the make that called this test hold here too, its job server does not.
$ENV{MAKEFLAGS} =~ s/(^| )(-j\d*|--jobserver-\S*)//g if defined $ENV{MAKEFLAGS};

# A group of its own, so that the emulator ends with the rest should it not by itself.
my $pid = open(my $pipe, '-|') // die "fork: $!";
if (!$pid) {
	setpgrp;
	open STDIN, '<', '/dev/null';
	open STDERR, '>&', \*STDOUT;
	exec 'make', '--no-print-directory', 'run' or die "make: $!\n";
}
my $late = '';
$SIG{INT} = $SIG{TERM} = sub { kill '-KILL', $pid; exit 1 };
$SIG{ALRM} = sub { $late = ' (killed after ' . HOST_LIMIT . ' s)'; kill '-KILL', $pid };
alarm HOST_LIMIT;
my $output = do { local $/; <$pipe> };
close $pipe;
my $status = $? ? "status $?$late" : 'well';
alarm 0;
$output =~ s/\r//g;

is($status, 'well', 'make run ends by itself');
like($output, qr/^Fencepost/m, 'presents itself');
ok($output =~ /^\Q$_\E +\d+ .*%$/m, "replays the trace $_")
	for map { Judge::name_of_trace($_) } Judge::traces();
unlike($output, qr/^panic|skipped$/m, 'and has nothing to complain of');
diag $output unless Test::More->builder->is_passing;
done_testing;
