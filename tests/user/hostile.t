#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# System calls at random on the host: only what can do no harm there, so that it
# is known that Linux does not fail what another kernel has to pass.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Programs qw(need run);
use Test::More;

need('build/user/hostile');

my %refused;
for my $seed (1 .. 5) {
	my ($said, $complaint, $status) = run("build/user/hostile $seed 100000 safe");
	is($status, 0, "seed $seed") or diag $said, $complaint;
	like($said, qr/\A1\.\.1\nok 1 - hostile, seed $seed: 100000 calls, (\d+) refused\n\z/,
		'  finds nothing wrong');
	$refused{ ($said =~ /(\d+) refused/)[0] // 0 } = $seed;
}
is(scalar keys %refused, 5, 'each seed makes other calls');
cmp_ok($_, '>', 50000, '  many of which are refused') for (sort { $a <=> $b } keys %refused)[0];
cmp_ok($_, '<', 90000, '  and many are not') for (sort { $a <=> $b } keys %refused)[-1];

my ($with) = run('build/user/hostile 77 20000 safe');
my ($without) = run('build/user/hostile 77 20000 safe 45 192 91 125');
isnt($without, $with, 'numbers that are not to be called are not called');

done_testing;
