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

# The most that may be taken for one: with gcc 12.2 a fifth less, to leave room
# for another compiler. A page of growth is cleared in 1024 of them.
my %most = (
	'break with little mapped: growth' => 1024 + 160,
	'break with little mapped: shrinking' => 190,
	'break with little mapped: growth by one page' => 1024 + 480,
	'break with little mapped: shrinking by one page' => 450,
	'boot: frame' => 14,
	'frame order 0: plain alloc' => 115,
	'frame order 0: plain free' => 130,
	'frame order 0: worst alloc' => 380,
	'frame order 0: worst free' => 530,
	'frame order 1: plain alloc' => 115,
	'frame order 1: plain free' => 130,
	'frame order 1: worst alloc' => 360,
	'frame order 1: worst free' => 490,
	'frame order 5: plain alloc' => 115,
	'frame order 5: plain free' => 130,
	'frame order 5: worst alloc' => 260,
	'frame order 5: worst free' => 330,
	'frame order 10: plain alloc' => 115,
	'frame order 10: plain free' => 110,
);

# What a single page costs depends on how much is free beside it.
my @steady = grep { !/one page/ } keys %most;

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
for my $name (sort @steady) {
	cmp_ok($large->{$name} // 1e9, '<=', 1.05 * ($small->{$name} // 0),
		"$name: no more with 3 GiB than with 128 MiB");
}
is_deeply(figures(128), $small, 'the same figures again');
done_testing;
