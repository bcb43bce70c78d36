#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What the floors below the heap cost in instructions (tests/bench/floors.c):
# bounded, the same in every boot, and not growing with what is there.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../bench";

use Bench;
use Judge;
use Test::More;

# The most that may be taken for one, with room for another compiler.
my %most = (
	'break with little mapped: growth' => 2000,
	'break with little mapped: shrinking' => 400,
	'break with little mapped: growth by one page' => 4000,
	'break with little mapped: shrinking by one page' => 1500,
	'boot: frame' => 120,
	'frame order 0: plain alloc' => 220,
	'frame order 0: plain free' => 180,
	'frame order 0: worst alloc' => 1000,
	'frame order 0: worst free' => 1300,
	'frame order 1: plain alloc' => 220,
	'frame order 1: plain free' => 180,
	'frame order 1: worst alloc' => 900,
	'frame order 1: worst free' => 1200,
	'frame order 5: plain alloc' => 220,
	'frame order 5: plain free' => 180,
	'frame order 5: worst alloc' => 650,
	'frame order 5: worst free' => 750,
	'frame order 10: plain alloc' => 220,
	'frame order 10: plain free' => 180,
);

# What must not grow with the machine either. How far a single page splits a
# block depends on what is free; for the blocks themselves there is a worst.
my @steady = ('break with little mapped: growth', 'break with little mapped: shrinking', 'boot: frame');

sub figures {
	my ($memory) = @_;
	my $run = Judge::boot(kernel => 'build/bench.elf', memory => $memory, icount => 1,
		append => 'only=bench_quick_floors seed=1');
	my ($figures, @odd) = Bench::figures_in($run->{lines});
	Judge::green($run, "figures with $memory MiB", @odd,
		Judge::verdict($run, compiled => Judge::compiled_in('build/bench.elf'),
			only => 'bench_quick_floors'));
	note "$memory MiB: $_: $figures->{$_} instructions" for sort keys %$figures;
	return $figures;
}

my $small = figures(128);
my $large = figures(3072);
for my $name (sort keys %most) {
	cmp_ok($_->{$name} // 1e9, '<=', $most{$name}, "$name: at most $most{$name}") for $small, $large;
}
for my $name (@steady) {
	cmp_ok($large->{$name} // 1e9, '<=', 1.05 * ($small->{$name} // 0),
		"$name: no more with 3 GiB than with 128 MiB");
}
is_deeply(figures(128), $small, 'the same figures again');
done_testing;
